"""What solving gives back: an assignment, the prices that prove it, and their canonical bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matching.core.allocation.errors import MalformedSnapshot
from matching.core.allocation.problem import Pair, canonical_json, parse_json


@dataclass(frozen=True, slots=True)
class Solution:
    """Who gets which seat, and the prices that bound what anybody could have reached.

    `assignment` holds (opportunity key, candidate key), sorted, pinned pairs included. Prices are by key, in the
    unit of edge values: `seat_prices` what one more seat would add, `candidate_prices` what the person is worth
    beyond the seat. `bound` = Σ open seats · price + Σ candidate prices + value of pins; `gap` = bound − value.
    `work` counts arcs looked at: the same on every machine, unlike seconds. `stopped`: a limit on work or time ended
    the solver before it was done.
    """

    assignment: tuple[Pair, ...]
    value: int
    seat_prices: Mapping[int, int]
    candidate_prices: Mapping[int, int]
    bound: int
    gap: int
    solver: str
    work: int
    stopped: bool = False

    def to_json(self) -> bytes:
        """Canonical bytes: a replay of the same problem by the same solver gives the same ones."""
        data: dict[str, Any] = {
            "assignment": [list(pair) for pair in self.assignment],
            "value": self.value,
            "seat_prices": [list(item) for item in sorted(self.seat_prices.items())],
            "candidate_prices": [list(item) for item in sorted(self.candidate_prices.items())],
            "bound": self.bound,
            "gap": self.gap,
            "solver": self.solver,
            "work": self.work,
        }
        return canonical_json(data | {"stopped": True} if self.stopped else data)

    @classmethod
    def from_json(cls, stored: bytes | str) -> Solution:
        """A stored solution; its claims are for `verify` to judge. Raises `MalformedSnapshot`."""
        data = parse_json(stored)
        try:
            solution = cls(
                assignment=tuple((_integer(key), _integer(person)) for key, person in data["assignment"]),
                seat_prices={_integer(key): _integer(price) for key, price in data["seat_prices"]},
                candidate_prices={_integer(key): _integer(price) for key, price in data["candidate_prices"]},
                solver=str(data["solver"]),
                stopped=data.get("stopped", False) is True,
                **{name: _integer(data[name]) for name in ("value", "bound", "gap", "work")},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedSnapshot(problem=f"{type(error).__name__}: {error}") from error
        return solution


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value
