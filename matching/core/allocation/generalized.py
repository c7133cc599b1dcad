"""Generalised assignment: people with hours take seats that cost hours, under limits and reserved shares.

The bound is Lagrangian: seats, limits and shares get prices, and then everybody takes the bundle of seats that is worth
most to them beyond these (a knapsack of their hours, solved exactly). Prices follow the subgradient with Polyak's step.
For generalised assignment this bound is at least as good as the linear programme's, and on hard instances within
a fraction of a per cent of the optimum. The assignment is what these prices suggest, repaired and then annealed over
exchanges of seats, in which hours may be overrun for a while at a penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation import chains, packing
from matching.core.allocation.packing import NONE, SCALE
from matching.core.allocation.problem import MOST_HOURS, Integers
from matching.core.allocation.reporting import Report, quietly

ASCENTS = 600  # steps of the subgradient
_PATIENCE = 15  # steps without a better bound before steps are halved
_BLOCKS = 240  # of annealing, each at one heat and penalty
MOVES = 40_000_000  # of annealing altogether, at most
_MOVES_AN_EDGE = 10_000
_HOTTEST, _COLDEST = 0.5, 0.1  # at first, in what likely edges differ by; and in the end, of the first heat
_LIKELY = 3  # edges a seat that annealing mostly tries


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """Edges sorted by person, then opportunity. `share[e]`: the share that the person of e is not of, or NONE.
    `limit_of`, by opportunity from `limit_start`: the limits that its seats count towards."""

    start: Integers
    target: NDArray[np.int32]
    value: Integers
    hours: Integers
    share: NDArray[np.int32]
    room: Integers
    most: Integers
    seats: Integers
    share_seats: Integers  # those that people outside the share may take
    limits: Integers
    limit_start: Integers
    limit_of: Integers

    @property
    def people(self) -> int:
        return len(self.room)


@dataclass(slots=True, eq=False)
class Prices:
    """In units of 1 / SCALE."""

    seat: Integers
    share: Integers
    limit: Integers
    hour: Integers
    beyond: Integers

    def copy(self) -> Prices:
        return Prices(*(getattr(self, name).copy() for name in ("seat", "share", "limit", "hour", "beyond")))


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """`chosen` edges; `bound` = what the prices prove, in units of 1 / SCALE."""

    chosen: NDArray[np.bool_]
    value: int
    prices: Prices
    bound: int
    work: int
    stopped: bool


class Packer:
    """One packing, solved once."""

    def __init__(
        self,
        packing_: Packing,
        *,
        limit: int | None = None,
        stop: Callable[[], bool] | None = None,
        report: Report = quietly,
    ) -> None:
        self.packing_ = p = packing_
        self._limit, self._stop, self._report = limit, stop, report
        self.work, self.stopped = 0, False
        self._owner = np.repeat(np.arange(p.people), np.diff(p.start)).astype(np.int32)

    def run(self) -> Packed:
        p = self.packing_
        self._prices = self._first_prices()
        self._best_prices, self._bound = self._prices, 2**62
        self._chosen = np.zeros(len(p.value), dtype=np.bool_)
        self._value = 0
        self._ascend()
        if self._value * SCALE < self._bound // SCALE * SCALE and not self.stopped:
            if self._may_chain():
                self._chain()
            else:
                self._anneal()
        return Packed(self._chosen, self._value, self._best_prices, self._bound, self.work, self.stopped)

    def _ended(self, work: int) -> bool:
        self.work += work
        self._report(self.work, self._value, self._bound // SCALE)
        if (self._limit is not None and self.work >= self._limit) or (self._stop is not None and self._stop()):
            self.stopped = True
        return self.stopped

    def _first_prices(self) -> Prices:
        """What the first person who gets none of an opportunity's seats would be worth there."""
        p = self.packing_
        order = np.lexsort((-p.value, p.target))
        first = np.searchsorted(p.target[order], np.arange(len(p.seats) + 1))
        marginal = first[:-1] + p.seats
        within = marginal < first[1:]
        seat = np.zeros(len(p.seats), dtype=np.int64)
        seat[within] = p.value[order[marginal[within]]] * SCALE
        zeros = [np.zeros(n, dtype=np.int64) for n in (len(p.share_seats), len(p.limits), p.people, p.people)]
        return Prices(seat, *zeros)

    def _unlike(self) -> int:
        """How much the best edge of an opportunity is worth more than the second best, on average, rounded up."""
        p = self.packing_
        order = np.lexsort((-p.value, p.target))
        first = np.searchsorted(p.target[order], np.arange(len(p.seats) + 1))
        several = first[:-1][np.diff(first) > 1]
        differences = p.value[order[several]] - p.value[order[several + 1]]
        return int(differences.sum()) // max(len(several), 1) + 1

    def _ascend(self) -> None:
        p, prices = self.packing_, self._prices
        uses = [np.zeros(len(rhs), dtype=np.int64) for rhs in (p.seats, p.share_seats, p.limits)]
        pace, since = 2.0, 0
        # How far the bound may have to fall, for a start: a value offset, that fills seats first, says nothing of it.
        far = self._unlike() * int(min(p.seats.sum(), p.most.sum(), len(p.value))) * SCALE
        for step in range(ASCENTS):
            total, work = packing.relax(
                p.start, p.target, p.value, p.hours, p.share, p.room, p.most, p.limit_start, p.limit_of,
                prices.seat, prices.share, prices.limit, *uses, prices.hour, prices.beyond,
            )  # fmt: skip
            parts = ((p.seats, prices.seat), (p.share_seats, prices.share), (p.limits, prices.limit))
            bound = int(total) + sum(int((rhs * price).sum()) for rhs, price in parts)
            since += 1
            if bound < self._bound:
                if bound < self._bound - far // 4000:
                    since = 0
                self._bound, self._best_prices = bound, prices.copy()
            if step % 10 == 0:
                self._suggest(prices)
            if self._ended(work) or self._value * SCALE >= self._bound // SCALE * SCALE:
                break
            if since >= _PATIENCE:
                pace, since = pace / 2, 0
                prices = self._best_prices.copy()
                if pace < 0.002:
                    break
                continue
            slopes = [
                np.where((use > rhs) | (price > 0), use - rhs, 0) for (rhs, price), use in zip(parts, uses, strict=True)
            ]
            norm = sum(int((slope * slope).sum()) for slope in slopes)
            if norm == 0:
                break
            length = pace * max(min(bound - self._value * SCALE, far), SCALE) / norm
            for (_, price), slope in zip(parts, slopes, strict=True):
                price[:] = np.maximum(0, price + np.rint(length * slope).astype(np.int64))
        self._suggest(self._best_prices)

    def _worths(self, prices: Prices) -> Integers:
        """What each edge is worth beyond all its prices, its hours' among them."""
        p = self.packing_
        row = prices.seat.copy()
        rows = np.repeat(np.arange(len(p.seats)), np.diff(p.limit_start))
        np.add.at(row, rows, prices.limit[p.limit_of])
        left = p.value * SCALE - row[p.target] - prices.hour[self._owner] * p.hours
        outside = p.share != NONE
        left[outside] -= prices.share[p.share[outside]]
        return left

    def _suggest(self, prices: Prices) -> None:
        """Take what is worth most beyond its prices as long as it fits; then what is worth most."""
        chosen, _ = self._inserted(np.argsort(-self._worths(prices), kind="stable"))
        value = int(self.packing_.value[chosen].sum())
        if value > self._value:
            self._value, self._chosen = value, chosen

    def _inserted(self, order: Integers) -> tuple[NDArray[np.bool_], list[Integers]]:
        p = self.packing_
        chosen = np.zeros(len(p.value), dtype=np.bool_)
        left = [p.room.copy(), p.most.copy(), p.seats.copy(), p.share_seats.copy(), p.limits.copy()]
        packing.insert(order, self._owner, p.target, p.hours, p.share, p.limit_start, p.limit_of, *left, chosen)
        self.work += len(order)
        return chosen, left

    def _may_chain(self) -> bool:
        """Whether it is generalised assignment pure: seats one by one, hours alone between people and them."""
        p = self.packing_
        one_each = bool((p.seats <= 1).all()) and not (len(p.share_seats) or len(p.limits))
        small = p.people * len(p.seats) <= chains.CELLS and int(p.value.max(initial=0)) < 2**40
        return one_each and small and bool((p.most >= np.diff(p.start)).all())

    def _chain(self) -> None:
        p = self.packing_
        rows = np.flatnonzero(p.seats > 0)
        column = np.full(len(p.seats), NONE)
        column[rows] = np.arange(len(rows))
        there = np.flatnonzero(column[p.target] != NONE)
        at = self._owner[there], column[p.target[there]]
        value, hours = np.zeros((p.people, len(rows)), dtype=np.int64), np.full((p.people, len(rows)), MOST_HOURS + 1)
        hours[:] = np.maximum(hours, p.room[:, None] + 1)
        value[at], hours[at] = p.value[there], p.hours[there]
        edge_of = np.full(value.shape, NONE, dtype=np.int64)
        edge_of[at] = there
        holder = np.full(len(rows), p.people, dtype=np.int64)
        chosen = np.flatnonzero(self._chosen)
        holder[column[p.target[chosen]]] = self._owner[chosen]

        def ended(work: int, best: int) -> bool:
            return self._ended(work) or best * SCALE >= self._bound // SCALE * SCALE

        best, holder = chains.improve(value, hours, p.room, self._best_prices.hour, holder, ended=ended)
        if best > self._value:
            placed = np.flatnonzero(holder < p.people)
            self._value = best
            self._chosen[:] = False
            self._chosen[edge_of[holder[placed], placed]] = True

    def _anneal(self) -> None:
        p = self.packing_
        edges = len(p.value)
        worths = self._worths(self._best_prices)
        chosen = self._chosen.copy()
        used, count = np.zeros(p.people, dtype=np.int64), np.zeros(p.people, dtype=np.int64)
        left = [p.seats.copy(), p.share_seats.copy(), p.limits.copy()]
        degrees = np.bincount(p.target, minlength=len(p.seats))
        seat_at, seat_slots = _slots(np.minimum(p.seats, degrees))
        bundle_at, bundle_slots = _slots(np.minimum(p.most, np.diff(p.start)))
        place_of, bundle_place = (np.full(edges, NONE, dtype=np.int64) for _ in range(2))
        for at in np.flatnonzero(chosen).tolist():
            packing.put(
                at, self._owner, p.target, p.hours, p.share, p.limit_start, p.limit_of, used, count, *left,
                seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, 1,
            )  # fmt: skip
        rows = np.repeat(np.arange(len(p.seats)), np.diff(p.limit_start))
        by_limit = np.argsort(p.limit_of, kind="stable")
        limit_row_start = np.searchsorted(p.limit_of[by_limit], np.arange(len(p.limits) + 1))
        limit_rows = rows[by_limit]
        fill = int(min(p.seats.sum(), p.most.sum(), edges))
        likely = np.sort(np.argsort(-worths, kind="stable")[: max(_LIKELY * fill, 64)])
        state = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
        current, best = np.array([self._value, 0]), np.array([self._value])
        moves = min(MOVES, _MOVES_AN_EDGE * edges)
        spread = int(np.median(np.abs(worths[likely]))) + 1  # in 1 / 1024, as heat is
        base = int(self._best_prices.hour.max(initial=0)) + 64
        penalty = base
        for block in range(_BLOCKS):
            heat = int(spread * _HOTTEST * (_COLDEST ** (block / _BLOCKS)))
            packing.anneal(
                p.start, self._owner, p.target, p.value, p.hours, p.share, p.room, p.most, p.limit_start, p.limit_of,
                limit_row_start, limit_rows, used, count, *left, seat_at, seat_slots, place_of, bundle_at,
                bundle_slots, bundle_place, likely, state, penalty, heat, moves // _BLOCKS, current, best,
                self._chosen,
            )  # fmt: skip
            if current[1] == 0 and current[0] > best[0]:
                best[0] = current[0]
                self._chosen[:] = place_of >= 0
            penalty = min(64 * base, penalty * 105 // 100 + 1) if current[1] else max(base // 2, penalty * 97 // 100)
            if self._ended(8 * (moves // _BLOCKS)) or best[0] * SCALE >= self._bound // SCALE * SCALE:
                break
        self._value = int(best[0])


def _slots(sizes: Integers) -> tuple[Integers, Integers]:
    """Room for one more than each size: where each begins and how many it holds, and the slots."""
    begins = np.concatenate([[0], np.cumsum(sizes + 1)]).astype(np.int64)
    at = np.zeros((len(sizes) + 1, 2), dtype=np.int64)
    at[:, 0] = begins
    return at, np.empty(int(begins[-1]), dtype=np.int64)
