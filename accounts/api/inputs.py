"""From inputs of the schema to the plain values that actions take."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import strawberry

from accounts.core.unset import UNSET


def plain(value: Any) -> Any:
    """What was not given becomes the actions' own UNSET, members of the schema's enums their values."""
    if value is strawberry.UNSET:
        return UNSET
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def each(values: Any, read: Callable[[Any, int], Any]) -> Any:
    """A list of inputs as the actions' values; nothing given and null stay what they are. `read` gets the place too."""
    values = plain(values)
    return [read(value, at) for at, value in enumerate(values)] if isinstance(values, list) else values


def maybe(description: str) -> Any:
    """A field of a partial update: what is not given stays as it is, null clears."""
    return strawberry.field(default=strawberry.UNSET, description=description)
