"""What solving gives back: an assignment, the prices that prove it, and their canonical bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    `relaxation` names what the bound is of. "assignment": the problem itself, all prices in the unit of values.
    "knapsack": everybody takes the bundle of seats worth most to them beyond the prices of seats, shares and limits;
    then prices are in units of 1 / `scale`, a candidate's price is what their best bundle is worth beyond its seats'
    prices, and bound = ⌊(Σ open seats · price + Σ seats outside shares · price + Σ limits · price + Σ candidate prices)
    ÷ scale⌋ + value of pins. `share_prices` (by opportunity) are what people outside a share pay on top,
    `limit_prices` (by limit) what everybody under it does, `hours_prices` (by candidate) what an hour is worth.
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
    relaxation: str = "assignment"
    scale: int = 1
    share_prices: Mapping[int, int] = field(default_factory=dict)
    limit_prices: Mapping[int, int] = field(default_factory=dict)
    hours_prices: Mapping[int, int] = field(default_factory=dict)

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
        if self.stopped:
            data["stopped"] = True
        if self.relaxation != "assignment":
            data |= {"relaxation": self.relaxation, "scale": self.scale}
            data |= {name: [list(item) for item in sorted(getattr(self, name).items())] for name in _MORE_PRICES}
        return canonical_json(data)

    @classmethod
    def from_json(cls, stored: bytes | str) -> Solution:
        """A stored solution; its claims are for `verify` to judge. Raises `MalformedSnapshot`."""
        data = parse_json(stored)
        try:
            solution = cls(
                assignment=tuple((_integer(key), _integer(person)) for key, person in data["assignment"]),
                seat_prices=_prices(data["seat_prices"]),
                candidate_prices=_prices(data["candidate_prices"]),
                solver=str(data["solver"]),
                stopped=data.get("stopped", False) is True,
                relaxation=str(data.get("relaxation", "assignment")),
                scale=_integer(data.get("scale", 1)),
                share_prices=_prices(data.get("share_prices", ())),
                limit_prices=_prices(data.get("limit_prices", ())),
                hours_prices=_prices(data.get("hours_prices", ())),
                value=_integer(data["value"]),
                bound=_integer(data["bound"]),
                gap=_integer(data["gap"]),
                work=_integer(data["work"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedSnapshot(problem=f"{type(error).__name__}: {error}") from error
        return solution


_MORE_PRICES = ("share_prices", "limit_prices", "hours_prices")


def _prices(items: Any) -> dict[int, int]:
    return {_integer(key): _integer(price) for key, price in items}


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value
