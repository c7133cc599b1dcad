"""Sets of opportunities with more seats than people who could take them: P. Hall's theorem, made to point at somebody.

Each person counts for as many seats of a set as they could take of it: at most `takes`, at most one of an opportunity.
Of the sets that contain an opportunity with an empty seat, one is shown that is as small as it gets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matching.core.allocation.problem import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Takers:
    """Who could take which seats, and who does.

    `opportunity`, `candidate`: pairs that could be, as positions, sorted by both. `seats` of each opportunity, of which
    `held` are taken; `takes`: how many each person may take. `taker` → `giver`: from which opportunities another could
    take a person over, sorted by taker.
    """

    opportunity: Integers
    candidate: Integers
    seats: Integers
    held: Integers
    takes: Integers
    taker: Integers
    giver: Integers


class HallSearch:
    """Questions about one assignment: which sets of opportunities have more seats than people."""

    def __init__(self, takers: Takers, work_limit: int) -> None:
        self._of = takers
        self.work_left = work_limit
        self._single = bool((takers.takes <= 1).all())
        self._minimal: list[tuple[int, list[int]]] = []  # sets proven minimal, with the row they were sought for
        self._components: Integers | None = None
        self._whole: dict[int, tuple[tuple[int, ...], int, int]] = {}
        rows = np.arange(len(takers.seats) + 1)
        self._edges_from = np.searchsorted(takers.opportunity, rows)
        self._arcs_from = np.searchsorted(takers.taker, rows)
        # More seats than there are people at all are no different from one more: keeps flows within 32 bits.
        self._seats: Integers = np.minimum(takers.seats, len(takers.takes) + 1)

    def people_of(self, row: int) -> Integers:
        return self._of.candidate[self._edges_from[row] : self._edges_from[row + 1]]

    def unfillable(self, row: int) -> int:
        """How many of a row's empty seats no exchange can fill, if all others keep as many people as they have."""
        seats = self._of.held.copy()
        seats[row] = self._of.seats[row]
        excess, _ = self._most_excess(row, self._reachable(row), seats)
        return max(excess, 0)

    def competition(self, row: int) -> tuple[tuple[int, ...], int, int, bool]:
        """A set of rows with `row` that has more seats than people: the rows, their seats, their people, whether the
        set is proven minimal."""
        if self.work_left <= 0:
            return (*self._all_reachable(row), False)
        rows, minimal = self._fewest(row)
        return tuple(rows), sum(self._of.seats[rows].tolist()), self._people(rows), minimal

    def _fewest(self, row: int) -> tuple[list[int], bool]:
        """Leave out row after row, farthest first, as long as what remains still holds such a set.

        "Some such set lies within A" is monotone in A, so a row that was needed once stays needed.
        """
        for seed, known in self._minimal:
            if row in known:  # any smaller set with `row` would have to do without `seed`
                excess, within = self._most_excess(row, [one for one in known if one not in (row, seed)], self._seats)
                if excess <= 0:
                    return known, True
                break
        else:
            within = self._reachable(row)
            if self._is_closed(row, within):
                return [row, *within], True
            excess, within = self._most_excess(row, within, self._seats)
            if excess <= 0:
                raise AssertionError("a seat that cannot be filled lies in a set with too few people")
        within = self._shed(row, within)
        tried: set[int] = set()
        while untried := [one for one in within if one not in tried]:
            if self.work_left <= 0:
                return [row, *within], False
            tried.add(untried[-1])
            excess, inner = self._most_excess(row, [one for one in within if one != untried[-1]], self._seats)
            if excess > 0:
                within = self._shed(row, inner)
        self._minimal.append((row, [row, *within]))
        return [row, *within], True

    def _is_closed(self, row: int, others: list[int]) -> bool:
        """Whether these rows hold all their people and have but one empty seat, `row`'s. Then a part of them with too
        few people must hold all of its people too, so it has everything `row` reaches: the set is minimal."""
        rows = [row, *others]
        people = self._people(rows)
        held = int(self._of.held[rows].sum())
        return self._single and held == people and sum(self._of.seats[rows].tolist()) == people + 1

    def _shed(self, row: int, others: list[int]) -> list[int]:
        """What is left of a set with too few people after dropping, farthest first, every row without which the rest
        still has too few: no proof of minimality, but quick."""
        rows, takes = [row, *others], self._of.takes
        takers = np.zeros(len(takes), dtype=np.int64)
        for one in rows:
            takers[self.people_of(one)] += 1
        excess = sum(self._seats[rows].tolist()) - int(np.minimum(takers, takes).sum())
        kept = []
        for one in reversed(others):
            people = self.people_of(one)
            self.work_left -= len(people)
            without = excess - int(self._seats[one]) + int(np.count_nonzero(takers[people] <= takes[people]))
            if without > 0:
                excess = without
                takers[people] -= 1
            else:
                kept.append(one)
        return kept[::-1]

    def _all_reachable(self, row: int) -> tuple[tuple[int, ...], int, int]:
        """The set of everything `row` could take people from, the same for all rows that reach each other."""
        if self._components is None:
            from scipy.sparse import csr_array  # half a second, which only those who diagnose should wait for
            from scipy.sparse.csgraph import connected_components

            size = len(self._of.seats)
            ones = np.ones(len(self._of.taker), dtype=np.int8)
            network = csr_array((ones, (self._of.taker, self._of.giver)), shape=(size, size))
            self._components = connected_components(network, connection="strong")[1]
        component = int(self._components[row])
        if component not in self._whole:
            rows = [row, *self._reachable(row)]
            self._whole[component] = (tuple(rows), sum(self._of.seats[rows].tolist()), self._people(rows))
        return self._whole[component]

    def _people(self, rows: list[int]) -> int:
        people, times = np.unique(np.concatenate([self.people_of(one) for one in rows]), return_counts=True)
        return int(np.minimum(times, self._of.takes[people]).sum())

    def _reachable(self, row: int) -> list[int]:
        """Rows other than `row` whose people it could take over, directly or through others; nearest first."""
        seen = np.zeros(len(self._of.seats), dtype=bool)
        seen[row] = True
        order: list[int] = []
        level = np.array([row])
        while level.size:
            spans = [self._of.giver[self._arcs_from[one] : self._arcs_from[one + 1]] for one in level.tolist()]
            givers = np.unique(np.concatenate(spans))
            self.work_left -= sum(len(span) for span in spans)
            level = givers[~seen[givers]]
            seen[level] = True
            order += level.tolist()
        return order

    def _most_excess(self, row: int, others: list[int], seats: Integers) -> tuple[int, list[int]]:
        """The greatest (seats − people) of a set that holds `row` and some of `others`, and which others.

        What a set adds is its seats less the people for them, at best the part of its seats that a maximum flow cannot
        fill, and a minimum cut names it. `row` belongs to every set: to its flow more seats are offered than it has
        people.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        own = self.people_of(row)
        if not others:
            return int(seats[row]) - int(np.minimum(1, self._of.takes[own]).sum()), []
        rows = [row, *others]
        spans = [self.people_of(one) for one in rows]
        at = np.repeat(np.arange(len(rows)), [len(span) for span in spans])
        self.work_left -= len(at) + 4 * len(rows) + 2000  # a flow has its price however small
        people, person = np.unique(np.concatenate(spans), return_inverse=True)
        sink = 1 + len(rows) + len(people)
        tails = np.concatenate([np.zeros(len(rows), dtype=np.int64), 1 + at, 1 + len(rows) + np.arange(len(people))])
        heads = np.concatenate([1 + np.arange(len(rows)), 1 + len(rows) + person, np.full(len(people), sink)])
        supply = seats[rows]
        supply[0] = len(own) + 1
        takes = np.minimum(self._of.takes[people], len(rows))
        capacity = np.concatenate([supply, np.ones(len(at), dtype=np.int64), takes]).astype(np.int32)
        network = csr_array((capacity, (tails, heads)), shape=(sink + 1, sink + 1))
        flow = maximum_flow(network, 0, sink)
        residual = csr_array(network - flow.flow)
        residual.eliminate_zeros()
        reached = breadth_first_order(residual, 0, return_predecessors=False)
        chosen = np.sort(reached[(reached >= 2) & (reached <= len(rows))]) - 2
        return int(seats[rows].sum()) - int(flow.flow_value), [others[one] for one in chosen.tolist()]
