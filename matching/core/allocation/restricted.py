"""Empty seats where people have hours for several, or where limits and shares restrict who takes which.

What a solution leaves of every constraint is read off. A limit or a share that is used up, and without which somebody
could come, is the cause; then too few people, counting each as often as their hours admit at best (which no
limit can mend); then hours that others' seats have used; and what remains would cost more than it adds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.emptiness import Cause, EmptySeats, Loosening, loosenings
from matching.core.allocation.graph import pair_mask
from matching.core.allocation.hall import HallSearch, Takers
from matching.core.allocation.problem import Integers, Limit, Problem, Share
from matching.core.allocation.shortage import nobody_to_take
from matching.core.allocation.solution import Solution


def diagnose_restricted(problem: Problem, solution: Solution, work_limit: int) -> list[EmptySeats]:
    """The causes of all seats that a solution leaves empty, sorted by opportunity key."""
    books = _Books(problem, solution)
    takers = books.takers()
    search, nobody_there = HallSearch(takers, work_limit), nobody_to_take(problem)
    found: list[EmptySeats] = []
    for row in np.flatnonzero(books.given < problem.seats()).tolist():
        key, seats = problem.opportunities[row].key, int(takers.seats[row])
        empty = problem.opportunities[row].seats - int(books.given[row])
        if not len(search.people_of(row)):
            found.append(nobody_there(key, empty, seats))
            continue
        used_up = books.limit_used_up(key) or books.share_used_up(row, empty)
        if used_up is not None:
            found.append(used_up)
            continue
        unfillable = search.unfillable(row) if search.work_left > 0 else 0
        if unfillable < empty:
            found.append(books.hours_or_loss(row, empty - unfillable, seats))
        if unfillable:
            rows, total, candidates, minimal = search.competition(row)
            keys = tuple(sorted(problem.opportunities[one].key for one in rows))
            lacking = Loosening(Cause.COMPETITION, total - candidates, total - candidates)
            found.append(
                EmptySeats(
                    key, unfillable, Cause.COMPETITION, keys, total, candidates, minimal=minimal, loosened=(lacking,)
                )
            )
    return found


@dataclass(slots=True)
class _Span:
    """An opportunity's edges, as positions, that somebody who does not have it could be given."""

    at: Integers
    value: Integers
    outside: NDArray[np.bool_]  # of those for whom seats are reserved


class _Books:
    """What a solution has used of a problem's constraints."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self._problem, self._solution = problem, solution
        edges, count, people = problem.edges, len(problem.opportunities), len(problem.candidates)
        self._hours = np.zeros(len(edges), dtype=np.int64) if edges.hours is None else edges.hours
        room, most = problem.rooms()
        self._held = pair_mask(problem, solution.assignment)
        self._pinned = pair_mask(problem, problem.pinned)
        self.given = np.bincount(edges.opportunity[self._held], minlength=count)
        # What is left of each person once pins have their part, and once everything has.
        self._room, self._most = self._left(room, most, self._pinned, people)
        self._room_left, self._most_left = self._left(room, most, self._held, people)
        self._open = ~self._held & ~pair_mask(problem, problem.excluded) & problem.allowed()
        self._open &= (self._most[edges.candidate] > 0) & (self._hours <= self._room[edges.candidate])
        self._begins = np.searchsorted(edges.opportunity, np.arange(count + 1))
        self._given_by_key = dict(zip(problem.opportunity_keys().tolist(), self.given.tolist(), strict=True))

    def _left(
        self, room: Integers, most: Integers, chosen: NDArray[np.bool_], people: int
    ) -> tuple[Integers, Integers]:
        candidate = self._problem.edges.candidate[chosen]
        left = room.copy()
        np.subtract.at(left, candidate, self._hours[chosen])
        return left, most - np.bincount(candidate, minlength=people)

    def takers(self) -> Takers:
        """The market as a matter of numbers alone: each person as often as their hours admit, the shortest first."""
        edges = self._problem.edges
        could = self._open | (self._held & ~self._pinned)
        pinned = np.bincount(edges.opportunity[self._pinned], minlength=len(self.given))
        at = np.flatnonzero(could)
        by_person = at[np.lexsort((self._hours[at], edges.candidate[at]))]
        owner, needed = edges.candidate[by_person], np.cumsum(self._hours[by_person])
        first = np.searchsorted(owner, np.arange(len(self._room) + 1))
        before = np.append(0, needed)[first[:-1]]
        fit = np.bincount(owner[needed - before[owner] <= self._room[owner]], minlength=len(self._room))
        # From whom somebody could be taken over: each open pair, joined with all that its person has.
        has = np.flatnonzero(self._held & ~self._pinned)
        has = has[np.argsort(edges.candidate[has], kind="stable")]
        starts = np.searchsorted(edges.candidate[has], np.arange(len(self._room) + 1))
        asking = np.flatnonzero(self._open)
        many = np.diff(starts)[edges.candidate[asking]]
        begin = np.repeat(starts[edges.candidate[asking]] - np.cumsum(many) + many, many)
        giver = edges.opportunity[has[begin + np.arange(int(many.sum()))]]
        return Takers(
            opportunity=edges.opportunity[at],
            candidate=edges.candidate[at],
            seats=self._problem.seats() - pinned,
            held=self.given - pinned,
            takes=np.minimum(np.maximum(self._most, 0), fit),
            taker=np.repeat(edges.opportunity[asking], many),
            giver=giver,
        )

    def limit_used_up(self, key: int) -> EmptySeats | None:
        """Of the limits that leave an opportunity nothing the one that costs most."""
        prices, full = self._solution.limit_prices, list[Limit]()
        for limit in self._problem.limits:
            if key in limit.opportunities and sum(self._given_by_key[one] for one in limit.opportunities) >= limit.most:
                full.append(limit)
        if not full:
            return None
        limit = max(full, key=lambda one: (prices.get(one.key, 0), -one.key))
        row = int(np.searchsorted(self._problem.opportunity_keys(), key))
        empty = self._problem.opportunities[row].seats - int(self.given[row])
        loosened = Loosening(Cause.LIMIT, 1, 1, self._at_most(prices.get(limit.key, 0)))
        people = len(self._span(row).at)
        return EmptySeats(
            key, empty, Cause.LIMIT, limit.opportunities, limit.most, people, limit=limit.key, loosened=(loosened,)
        )

    def share_used_up(self, row: int, empty: int) -> EmptySeats | None:
        """If the seats that are left are for people of whom nobody is."""
        key, span = self._problem.opportunities[row].key, self._span(row)
        share = self._share(key)
        if share is None or not len(span.at) or not span.outside.all():
            return None
        mine = slice(self._begins[row], self._begins[row + 1])
        held = np.flatnonzero(self._held[mine]) + self._begins[row]
        apart = int(np.count_nonzero(self._outside(share, held)))
        if apart < self._problem.opportunities[row].seats - share.seats:
            return None
        price = self._solution.share_prices.get(key, 0)
        loosened = Loosening(Cause.SHARE, 1, 1, self._at_most(price))
        seats = self._problem.opportunities[row].seats
        return EmptySeats(key, empty, Cause.SHARE, (key,), seats, len(span.at), loosened=(loosened,))

    def hours_or_loss(self, row: int, empty: int, seats: int) -> EmptySeats:
        """Whether those who could come merely lack hours beside what they have; or what it would cost to move one."""
        edges, key, span = self._problem.edges, self._problem.opportunities[row].key, self._span(row)
        owner = edges.candidate[span.at]
        lacks = self._hours[span.at] - self._room_left[owner]
        if len(span.at) and bool(((lacks > 0) & (self._most_left[owner] > 0)).all()):
            loosened = loosenings(Cause.HOURS, np.sort(lacks).tolist(), empty)
            return EmptySeats(key, empty, Cause.HOURS, (key,), seats, len(span.at), loosened=loosened)
        losses = [self._loss(int(at), int(one)) for at, one in zip(span.at, owner, strict=True)]
        people = len(span.at) + int(self.given[row])
        return EmptySeats(key, empty, Cause.NOT_WORTH_IT, (key,), seats, people, loss=max(min(losses, default=0), 0))

    def _loss(self, at: int, person: int) -> int:
        """What the total loses if a person takes this seat and lets go of others, the least worth by the hour first,
        until they have room."""
        mine = self._of_person(person)
        hours, count = self._hours[at] - self._room_left[person], 1 - self._most_left[person]
        value = self._problem.edges.value
        lost = -int(value[at])
        for other in sorted(mine.tolist(), key=lambda one: (int(value[one]), one)):
            if hours <= 0 and count <= 0:
                break
            lost += int(value[other])
            hours -= self._hours[other]
            count -= 1
        return lost

    def _of_person(self, person: int) -> Integers:
        """What a person has and is not pinned to."""
        return np.flatnonzero(self._held & ~self._pinned & (self._problem.edges.candidate == person))

    def _span(self, row: int) -> _Span:
        at = np.flatnonzero(self._open[self._begins[row] : self._begins[row + 1]]) + self._begins[row]
        share = self._share(self._problem.opportunities[row].key)
        outside = np.zeros(len(at), dtype=np.bool_) if share is None else self._outside(share, at)
        return _Span(at, self._problem.edges.value[at], outside)

    def _share(self, key: int) -> Share | None:
        return next((share for share in self._problem.shares if share.opportunity == key), None)

    def _outside(self, share: Share, at: Integers) -> NDArray[np.bool_]:
        people = self._problem.candidate_keys()[self._problem.edges.candidate[at]]
        return np.asarray(~np.isin(people, np.array(share.candidates, dtype=np.int64)))

    def _at_most(self, price: int) -> int:
        """One more of what has a price adds no more than that and what the solution may lack anyway."""
        return self._solution.gap - (-price // self._solution.scale)
