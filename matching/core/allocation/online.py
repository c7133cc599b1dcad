"""Between runs: where a newly available person goes at once, by what they are worth beyond the price of a seat.

The last run's prices say what a seat is worth to whoever else could take it. Whoever comes is sent where their value
exceeds the price most, and nowhere if it exceeds none: "bid prices" (Talluri and van Ryzin 1998), which are near the
best in hindsight as long as people keep coming as the run expected. As they never quite do, a price follows what has
happened since: it rises with the seats that are filled ahead of time, and falls with those behind it, for each
opportunity and, far more steeply, for the market as a whole. That is dual averaging, the lazy form of the dual mirror
descent of Balseiro, Lu and Mirrokni (Operations Research 71, 2023), started at the run's duals. Its state is what is
filled, so nothing has to be stored, and no price that was learnt wrong lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from matching.core.allocation.errors import NegativeNumber, NotAnInteger, UnknownKey, ValueOutOfRange
from matching.core.allocation.graph import salted_order
from matching.core.allocation.policy import PPM
from matching.core.allocation.problem import Problem
from matching.core.allocation.solution import Solution

# Typical values by which a price rises when all seats are filled before their time: of one opportunity, and, beside
# that, of all. Few seats fill by chance, many by reason; so the market's pace is kept to the per cent.
_STEEP, _STEEPER = 1, 100


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """A seat of an opportunity, by the last run: its `price`, in the unit of values. `seats` were open for those to
    come, of which `expected` would be filled until the next run; `left` are still open."""

    price: int
    seats: int
    expected: int
    left: int

    def __post_init__(self) -> None:
        _refuse_odd("seat", price=self.price, seats=self.seats, expected=self.expected, left=self.left)

    @property
    def filled(self) -> int:
        return self.seats - self.left


@dataclass(frozen=True, slots=True)
class Pace:
    """The market since the last run. `passed_ppm`: the part, in millionths, of those expected until the next
    run who have come, or of the time. `seats`, `expected`, `left`: sums over all opportunities. `typical`: what an
    assigned pair was worth on average."""

    passed_ppm: int
    seats: int
    expected: int
    left: int
    typical: int

    def __post_init__(self) -> None:
        _refuse_odd("pace", seats=self.seats, expected=self.expected, left=self.left, typical=self.typical)
        _refuse_odd("pace", passed_ppm=self.passed_ppm)
        if self.passed_ppm > PPM:
            raise ValueOutOfRange(field="pace.passed_ppm", limit=PPM)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a person goes: the opportunity, what the pair is worth, the price of a seat now, and what is left."""

    opportunity: int
    value: int
    price: int
    margin: int


def price_now(seat: SeatPrice, pace: Pace | None) -> int:
    """The run's price, corrected by how far what is filled is ahead of, or behind, what was expected by now; at least
    0. Without a pace it is the run's. Integers: the same on any machine."""
    if pace is None:
        return seat.price
    ahead = (seat.filled * PPM - seat.expected * pace.passed_ppm) * _STEEP // max(seat.seats, 1)
    all_ahead = ((pace.seats - pace.left) * PPM - pace.expected * pace.passed_ppm) * _STEEPER // max(pace.seats, 1)
    return max(0, seat.price + pace.typical * (ahead + all_ahead) // PPM)


def route(
    edges: Iterable[tuple[int, int]],
    seats: Mapping[int, SeatPrice],
    pace: Pace | None = None,
    *,
    salt: bytes = b"",
) -> Route | None:
    """The opportunity whose value exceeds its price most, of those with a seat left; None if none is worth its price.

    `edges` are the person's (opportunity key, value), `seats` what is known of each. Of equal margins the greater value
    wins, then the salted order of keys. Raises `UnknownKey`, `NotAnInteger`, `NegativeNumber`.
    """
    best: list[Route] = []
    for key, value in edges:
        if type(value) is not int:
            raise NotAnInteger(field="edges.value")
        if value < 0:
            raise NegativeNumber(field="edges.value", at=key)
        seat = seats.get(key)
        if seat is None:
            raise UnknownKey(field="edges.opportunity", key=key)
        if seat.left <= 0:
            continue
        price = price_now(seat, pace)
        found = Route(key, value, price, value - price)
        if not best or (found.margin, found.value) > (best[0].margin, best[0].value):
            best = [found]
        elif (found.margin, found.value) == (best[0].margin, best[0].value):
            best.append(found)
    if not best or best[0].margin < 0:
        return None
    keys = np.array([one.opportunity for one in best], dtype=np.int64)
    return best[int(salted_order(keys, salt)[0])]


def seat_prices(problem: Problem, solution: Solution) -> dict[int, SeatPrice]:
    """What a run says of people like those that it assigned: its prices, the seats it gave, and all open yet."""
    given = dict.fromkeys(problem.opportunity_keys().tolist(), 0)
    for key, _ in solution.assignment:
        given[key] += 1
    return {
        node.key: SeatPrice(
            price=-(-solution.seat_prices[node.key] // solution.scale),
            seats=node.seats,
            expected=given[node.key],
            left=node.seats,
        )
        for node in problem.opportunities
    }


def _refuse_odd(of: str, **numbers: int) -> None:
    for name, number in numbers.items():
        if type(number) is not int:
            raise NotAnInteger(field=f"{of}.{name}")
        if number < 0:
            raise NegativeNumber(field=f"{of}.{name}", at=number)
