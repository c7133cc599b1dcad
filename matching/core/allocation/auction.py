"""An auction of seats, after D. P. Bertsekas: people bid for seats, seats bid for people, in ever finer steps.

Forward: whoever has no seat bids for the opportunity that leaves them most (`kernels.bid`). Reverse: seats that stay
empty at a price left over from a coarser round come down (`kernels.underbid`). After both, no person would gain more
than a step by moving, and empty seats cost nothing; so the assignment is within (people placed) · step of the best, and
the prices prove a bound. "Similar objects" (the seats of one opportunity, Bertsekas and Castañon 1989) share a heap of
bids, whose least is their price: no war among equals.

Steps are divided by `FINER` from round to round. Values are scaled by `scale`, so that one more person placed counts
below any value, and a step of one is finer than what 1 / (opportunities + 1) of that could be: then prices can be
rounded to integers that prove the assignment exactly optimal. Mostly a far coarser step suffices, which is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matching.core.allocation import kernels
from matching.core.allocation.kernels import BARRED, NOBODY
from matching.core.allocation.network import Network
from matching.core.allocation.problem import Integers
from matching.core.allocation.reporting import Report, quietly

FINER = 8
SLICE = 20_000_000  # edges looked at between two looks at the clock: a fraction of a second
_SAMPLED = 16  # one person in so many, at most, finds the first prices
_CALM, _LEAP = 2, 64  # a round that looks at each edge less often than this shows that far finer steps will do


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """`holder[i]`: the opportunity that person i gets, or NOBODY. `prices` of seats and `beyond` of people prove that
    no assignment is worth more than `bound`. `most_filled`: of the assignments of the greatest value, none fills more
    seats. `looked`: edges looked at. `stopped`: a limit or the clock ended it."""

    holder: Integers
    prices: Integers
    beyond: Integers
    value: int
    bound: int
    most_filled: bool
    looked: int
    stopped: bool

    @property
    def optimal(self) -> bool:
        return self.value == self.bound and self.most_filled


class Auction:
    """One network, auctioned once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        people, rows = network.people, len(network.seats)
        # One seat more than could be asked for never fills, and so stays free of charge.
        self._capacity: Integers = np.minimum(network.seats, network.degrees() + 1)
        interested = int(np.count_nonzero(np.diff(network.start)))
        self._fillable = min(int(self._capacity.sum()), interested)
        self._bonus = 2 * min(rows, self._fillable) + 4
        self._scale = (self._fillable + 1) * self._bonus
        self._heap_start = np.concatenate([[0], np.cumsum(self._capacity)]).astype(np.int64)
        self._heap_bid = np.empty(self._heap_start[-1], dtype=np.int64)
        self._heap_person = np.empty(self._heap_start[-1], dtype=np.int32)
        self._count = np.zeros(rows, dtype=np.int64)
        self._price = np.where(self._capacity > 0, 0, BARRED).astype(np.int64)
        self._holder = np.full(people, NOBODY, dtype=np.int32)
        self._held = np.zeros(people, dtype=np.int64)
        self._people = np.empty(people, dtype=np.int64)  # the queue of bidders
        self._rows = np.empty(rows, dtype=np.int64)  # the ring of those who underbid
        self._queued = np.zeros(rows, dtype=np.bool_)
        widest = int(network.degrees().max(initial=0)) + 1
        self._level, self._edge_of = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
        self._looked = 0
        self._limit: int | None = None
        self._stop: Callable[[], bool] | None = None
        self._report: Report = quietly
        self._best: Outcome | None = None
        self._beyond = np.empty(people, dtype=np.int64)

    def run(
        self, *, limit: int | None = None, stop: Callable[[], bool] | None = None, report: Report = quietly
    ) -> Outcome:
        """Auction until the optimum is proven; or until so many edges were looked at, or `stop` says so, which is
        asked now and then: then the best assignment and the best bound so far, which are of one run but may be of two
        rounds."""
        self._limit, self._stop, self._report = limit, stop, report
        most = int(self.network.value.max(initial=0))
        step = max(1, most * self._scale // FINER)
        finished = self._sample(step)
        while finished:
            before = self._looked
            finished = self._round(step)
            self._best = best = self._better(self._best, self._outcome(step, stopped=not finished))
            if best.optimal or step == 1:
                return best
            calm = self._looked - before < _CALM * len(self.network.value)
            step = max(1, step // (_LEAP if calm else FINER))
        return self._best if self._best is not None else self._outcome(step, stopped=True)

    def _sample(self, step: int) -> bool:
        """First prices, from a few people who bid for as few seats: most of the way at a fraction of the cost."""
        people, capacity = self.network.people, self._capacity
        sampled = _SAMPLED
        while sampled > 1 and (people < 64 * sampled or int(capacity.sum()) < 2 * sampled * len(capacity)):
            sampled //= 2
        if sampled == 1:
            return True
        sample = np.arange(0, people, sampled)
        self._people[: len(sample)] = sample
        return self._bid(step, len(sample), np.where(capacity > 0, np.maximum(capacity // sampled, 1), 0))

    def _round(self, step: int) -> bool:
        """Forward, then reverse. False if a limit ended it."""
        people = self.network.people
        self._count[:] = 0
        self._holder[:] = NOBODY
        self._people[:] = np.arange(people)[::-1]
        return self._bid(step, people, self._capacity) and self._underbid(step)

    def _bid(self, step: int, waiting: int, capacity: Integers) -> bool:
        network = self.network
        while waiting:
            waiting, looked = kernels.bid(
                network.start, network.target, network.value, self._scale, self._bonus, self._heap_start, capacity,
                self._price, step, self._holder, self._held, self._heap_bid, self._heap_person, self._count,
                self._people, waiting, SLICE,
            )  # fmt: skip
            if self._ended(looked) and waiting:
                return False
        return True

    def _underbid(self, step: int) -> bool:
        network = self.network
        waiting = np.flatnonzero((self._count < self._capacity) & (self._price > 0))
        self._rows[: len(waiting)] = waiting
        self._queued[:] = False
        self._queued[waiting] = True
        ends = np.array([0, len(waiting)], dtype=np.int64)
        while ends[1]:
            looked = kernels.underbid(
                network.offset, network.person, network.worth, self._scale, self._bonus, self._capacity, self._price,
                step, self._holder, self._held, self._count, self._rows, self._queued, ends, self._level,
                self._edge_of, SLICE,
            )  # fmt: skip
            if self._ended(looked) and ends[1]:
                return False
        return True

    def _ended(self, looked: int) -> bool:
        self._looked += looked
        best = self._best
        self._report(self._looked, best.value if best else None, best.bound if best else None)
        if self._limit is not None and self._looked >= self._limit:
            return True
        return self._stop is not None and self._stop()

    def _outcome(self, step: int, *, stopped: bool) -> Outcome:
        if stopped:
            network = self.network
            kernels.place_rest(
                network.start, network.target, network.value, self._capacity, self._holder, self._held, self._count
            )
        placed = self._holder != NOBODY
        filled = int(np.count_nonzero(placed))
        value = int(self._held[placed].sum())
        prices, bound = self._proof(self._scale, step)
        most_filled = filled == self._fillable
        if bound == value and not most_filled:
            # The same proof in finer units, in which a person placed counts as well.
            _, finer = self._proof(self._bonus, step)
            most_filled = finer == value * (self._fillable + 1) + filled
        return Outcome(
            holder=self._holder.astype(np.int64),
            prices=prices,
            beyond=self._beyond.copy(),
            value=value,
            bound=bound,
            most_filled=most_filled or step == 1,
            looked=self._looked,
            stopped=stopped,
        )

    def _proof(self, unit: int, step: int) -> tuple[Integers, int]:
        """Prices in multiples of a unit, and the bound that they prove. `_beyond` is theirs, in the finest unit that
        was asked for last."""
        network = self.network
        open_ = self._capacity > 0
        prices = np.zeros(len(self._price), dtype=np.int64)
        prices[open_] = rounded(self._price[open_], unit, step + (self._bonus if unit == self._scale else 0))
        asked = np.where(open_, prices, BARRED)
        scale, bonus = (1, 0) if unit == self._scale else (self._fillable + 1, 1)
        beyond = self._beyond if unit == self._scale else np.empty_like(self._beyond)
        total = kernels.worths_beyond(network.start, network.target, network.value, scale, bonus, asked, beyond)
        seats = zip(network.seats.tolist(), prices.tolist(), strict=True)
        return prices, int(total) + sum(count * price for count, price in seats if price)

    @staticmethod
    def _better(one: Outcome | None, other: Outcome) -> Outcome:
        """The better assignment with the better bound; of two equals the later one."""
        if one is None:
            return other
        top, proof = (one if one.value > other.value else other), (one if one.bound < other.bound else other)
        return Outcome(
            holder=top.holder,
            prices=proof.prices,
            beyond=proof.beyond,
            value=top.value,
            bound=proof.bound,
            most_filled=top.most_filled,
            looked=other.looked,
            stopped=other.stopped,
        )


def rounded(prices: Integers, unit: int, slack: int) -> Integers:
    """Scaled prices in whole units, all rounded at the same point: the end of the widest gap between their remainders.

    If no price is within a step above that point, whoever was content within a step stays so exactly: an exchange
    that gains less than a step in scaled prices gains nothing in whole ones. A price up to `slack` above a whole number
    may be of a seat that is worth that number to somebody, and so is not rounded up.
    """
    remainders = prices % unit
    points = np.unique(np.append(remainders[remainders > slack], slack))
    below = int(points[int(np.argmax(np.diff(points, append=unit)))])
    return (prices + max(unit - 1 - below, 0)) // unit
