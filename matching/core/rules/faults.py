"""What is wrong with a rule, and where."""

from __future__ import annotations

import typing
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class RuleFault:
    """`path` leads to the fault within the rule's JSON, as in `$.all[2].value`; `problem` is for people."""

    path: str
    code: str
    problem: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


class InvalidRule(Exception):
    """A rule that is refused, with every fault found in it."""

    def __init__(self, faults: tuple[RuleFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.problem}" for fault in faults))
        self.faults = faults


class Faults:
    """Collects faults; `add` gives None, for the reader to hand on in place of a value."""

    def __init__(self) -> None:
        self._found: list[RuleFault] = []

    def add(self, path: str, code: str, problem: str) -> typing.Any:
        self._found.append(RuleFault(path, code, problem))
        return None

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        if self._found:
            raise InvalidRule(tuple(self._found))
