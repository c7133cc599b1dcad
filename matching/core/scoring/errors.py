"""What is wrong with a model, and where."""

from __future__ import annotations

from collections.abc import Mapping

MOST_NAMED = 60
"""Of a name that somebody made up, so many characters are told back."""


class InvalidModel(ValueError):
    """A model that cannot be used. `field` is the path to what is wrong, `problem` what is wrong with it."""

    code = "INVALID_MODEL"

    def __init__(self, field: str, problem: str) -> None:
        self.data = {"field": field, "problem": problem}
        super().__init__(f"{field} {problem}")


def check_integer(path: str, value: object, low: int, high: int) -> None:
    """Raises `InvalidModel` for whatever is no integer within these bounds; a bool, a NaN and 1.0 are none."""
    if type(value) is not int:
        raise InvalidModel(path, f"must be an integer, not {type(value).__name__}")
    if not low <= value <= high:
        raise InvalidModel(path, f"must lie between {low} and {high}")


def check_names(path: str, data: object, names: set[str], optional: frozenset[str] = frozenset()) -> None:
    """Raises `InvalidModel` unless `data` is an object of exactly these names, and perhaps of those optional."""
    if not isinstance(data, Mapping) or not names <= data.keys() <= names | optional:
        raise InvalidModel(path, f"must be an object of exactly {', '.join(sorted(names))}")


def named(path: str, name: object) -> str:
    """The path to what has a name, however long the name may be."""
    return f"{path}.{str(name)[:MOST_NAMED]}"
