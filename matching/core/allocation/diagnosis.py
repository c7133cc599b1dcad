"""Why a seat stays empty: nobody passes, too few people for too many seats, or filling it would cost more than it adds.

By Hall's theorem a seat that no exchange of people can fill belongs to a set of opportunities that together have
more seats than there are people who could take them. That set is shown as small as it gets: leave any one of the
others out, and the rest no longer explains the empty seat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from matching.core.allocation.errors import RestrictedMarket
from matching.core.allocation.graph import OpenGraph, open_graph
from matching.core.allocation.prices import NOBODY, UNREACHABLE, Exchanges, exchanges, gains
from matching.core.allocation.problem import Integers, Problem
from matching.core.allocation.solution import Solution

WORK_LIMIT = 8_000_000  # edges looked at, and as much for building flows: about two seconds over all empty seats


class Cause(StrEnum):
    NOBODY_PASSES = "nobody_passes"  # no edge at all
    SET_ASIDE = "set_aside"  # everybody who passes is pinned elsewhere or excluded
    COMPETITION = "competition"  # a set of opportunities has more seats than people
    NOT_WORTH_IT = "not_worth_it"  # people could be moved to fill it, at a loss in total value


@dataclass(frozen=True, slots=True)
class EmptySeats:
    """Seats of one opportunity that stay empty for one cause.

    `opportunities` (keys, sorted, this one's among them) have `seats` open seats for `candidates` distinct people;
    seats and people of pinned pairs are counted on neither side. For COMPETITION the set is inclusion-minimal among
    those that contain this opportunity, unless the work limit stopped the search: `minimal` is false then, and of
    several empty seats some may be filed under NOT_WORTH_IT that cannot be filled at all.
    `loss`: for NOT_WORTH_IT, what filling the first of the seats would take from the total value.
    """

    opportunity: int
    empty: int
    cause: Cause
    opportunities: tuple[int, ...]
    seats: int
    candidates: int
    loss: int | None = None
    minimal: bool = True

    def to_data(self) -> dict[str, Any]:
        return {
            "opportunity": self.opportunity,
            "empty": self.empty,
            "cause": self.cause.value,
            "opportunities": list(self.opportunities),
            "seats": self.seats,
            "candidates": self.candidates,
            "loss": self.loss,
            "minimal": self.minimal,
        }

    def sentence(self, names: Mapping[int, str]) -> str:
        """For staff. `names` maps opportunity keys to titles; a missing one is shown by its key."""
        title = names.get(self.opportunity, f"opportunity {self.opportunity}")
        stays = f"{_count(self.empty, 'seat')} of {title} {'stays' if self.empty == 1 else 'stay'} empty: "
        match self.cause:
            case Cause.NOBODY_PASSES:
                return stays + "nobody who is available passes its rule."
            case Cause.SET_ASIDE:
                return stays + "everybody who passes is pinned elsewhere or excluded."
            case Cause.NOT_WORTH_IT:
                moved = "by moving people who suit better where they are"
                return stays + f"filling it would take {self.loss} from the total value, {moved}."
            case Cause.COMPETITION:
                return stays + self._competition(names, title)

    def _competition(self, names: Mapping[int, str], title: str) -> str:
        people = f"only {_count(self.candidates, 'person', 'people')}"
        others = [names.get(key, f"opportunity {key}") for key in self.opportunities if key != self.opportunity]
        if not others:
            return f"its {_count(self.seats, 'open seat')} can be taken by {people}."
        shown = others[:5]
        if len(others) > len(shown):
            shown.append(f"{len(others) - len(shown)} others")
        listed = shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
        return f"together with {listed} it has {_count(self.seats, 'open seat')}, which {people} could take."


def diagnose(problem: Problem, solution: Solution, *, work_limit: int = WORK_LIMIT) -> tuple[EmptySeats, ...]:
    """The causes of all seats that an optimal solution leaves empty, sorted by opportunity key.

    Empty seats of one opportunity may have two causes: so many could be filled at a loss, the rest not at all. Each
    opportunity is looked at on its own, all others keeping what they have. Raises `RestrictedMarket` for problems that
    are not plain.
    """
    if not problem.plain:
        raise RestrictedMarket
    graph = open_graph(problem)
    holder = _holders(graph, solution)
    search = _Search(graph, holder, work_limit)
    passing = np.bincount(problem.edges.opportunity, minlength=len(problem.opportunities))
    ever_passed = {node.key for node, count in zip(problem.opportunities, passing.tolist(), strict=True) if count}
    filling, _ = gains(graph, holder, search.arcs, nothing=UNREACHABLE)
    found: list[EmptySeats] = []
    empties = graph.seats - search.held
    for row in sorted(np.flatnonzero(empties > 0).tolist(), key=lambda row: int(graph.opportunity_keys[row])):
        key, empty, seats = int(graph.opportunity_keys[row]), int(empties[row]), int(graph.seats[row])
        people = len(search.people_of(row))
        if not people:
            cause = Cause.SET_ASIDE if key in ever_passed else Cause.NOBODY_PASSES
            found.append(EmptySeats(key, empty, cause, (key,), seats, 0))
            continue
        unfillable = empty
        if filling[row] > UNREACHABLE:
            unfillable = search.unfillable(row) if empty > 1 and search.work_left > 0 else 0
        if unfillable < empty:
            loss = -int(filling[row])
            known = empty == 1 or search.work_left > 0
            found.append(
                EmptySeats(key, empty - unfillable, Cause.NOT_WORTH_IT, (key,), seats, people, loss=loss, minimal=known)
            )
        if unfillable:
            rows, total, candidates, minimal = search.competition(row)
            keys = tuple(sorted(graph.opportunity_keys[list(rows)].tolist()))
            found.append(EmptySeats(key, unfillable, Cause.COMPETITION, keys, total, candidates, minimal=minimal))
    return tuple(found)


class _Search:
    """Questions about one assignment: which sets of opportunities have more seats than people."""

    def __init__(self, graph: OpenGraph, holder: Integers, work_limit: int) -> None:
        self.graph = graph
        self.arcs: Exchanges = exchanges(graph, holder)
        self.work_left = work_limit
        self._minimal: list[tuple[int, list[int]]] = []  # sets proven minimal, with the row they were sought for
        self._components: Integers | None = None
        self._whole: dict[int, tuple[tuple[int, ...], int, int]] = {}
        rows = np.arange(len(graph.seats) + 1)
        self._edges_from = np.searchsorted(graph.opportunity, rows)
        self._arcs_from = np.searchsorted(self.arcs.taker, rows)
        taken = holder[graph.candidate] == graph.opportunity
        self.held: Integers = np.bincount(graph.opportunity[taken], minlength=len(graph.seats)).astype(np.int64)
        # More seats than there are people at all are no different from one more: keeps flows within 32 bits.
        self._seats: Integers = np.minimum(graph.seats, len(graph.candidate_keys) + 1)

    def people_of(self, row: int) -> Integers:
        return self.graph.candidate[self._edges_from[row] : self._edges_from[row + 1]]

    def unfillable(self, row: int) -> int:
        """How many of a row's empty seats no exchange can fill, if all others keep as many people as they have."""
        seats = self.held.copy()
        seats[row] = self.graph.seats[row]
        excess, _ = self._most_excess(row, self._reachable(row), seats)
        return max(excess, 0)

    def competition(self, row: int) -> tuple[tuple[int, ...], int, int, bool]:
        """A set of rows with `row` that has more seats than people: the rows, their seats, their people, whether the
        set is proven minimal."""
        if self.work_left <= 0:
            return (*self._all_reachable(row), False)
        rows, minimal = self._fewest(row)
        return tuple(rows), sum(self.graph.seats[rows].tolist()), self._people(rows), minimal

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
        return int(self.held[rows].sum()) == people and sum(self.graph.seats[rows].tolist()) == people + 1

    def _shed(self, row: int, others: list[int]) -> list[int]:
        """What is left of a set with too few people after dropping, farthest first, every row without which the rest
        still has too few: no proof of minimality, but quick."""
        rows = [row, *others]
        takers = np.zeros(len(self.graph.candidate_keys), dtype=np.int64)
        for one in rows:
            takers[self.people_of(one)] += 1
        excess = sum(self._seats[rows].tolist()) - int(np.count_nonzero(takers))
        kept = []
        for one in reversed(others):
            people = self.people_of(one)
            self.work_left -= len(people)
            without = excess - int(self._seats[one]) + int(np.count_nonzero(takers[people] == 1))
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

            size = len(self.graph.seats)
            ones = np.ones(len(self.arcs.taker), dtype=np.int8)
            network = csr_array((ones, (self.arcs.taker, self.arcs.giver)), shape=(size, size))
            self._components = connected_components(network, connection="strong")[1]
        component = int(self._components[row])
        if component not in self._whole:
            rows = [row, *self._reachable(row)]
            self._whole[component] = (tuple(rows), sum(self.graph.seats[rows].tolist()), self._people(rows))
        return self._whole[component]

    def _people(self, rows: list[int]) -> int:
        return len(np.unique(np.concatenate([self.people_of(one) for one in rows])))

    def _reachable(self, row: int) -> list[int]:
        """Rows other than `row` whose people it could take over, directly or through others; nearest first."""
        seen = np.zeros(len(self.graph.seats), dtype=bool)
        seen[row] = True
        order: list[int] = []
        level = np.array([row])
        while level.size:
            spans = [self.arcs.giver[self._arcs_from[one] : self._arcs_from[one + 1]] for one in level.tolist()]
            givers = np.unique(np.concatenate(spans))
            self.work_left -= sum(len(span) for span in spans)
            level = givers[~seen[givers]]
            seen[level] = True
            order += level.tolist()
        return order

    def _most_excess(self, row: int, others: list[int], seats: Integers) -> tuple[int, list[int]]:
        """The greatest (seats − people) of a set that holds `row` and some of `others`, and which others.

        Holding `row` costs its people once; what the others add is their seats less the people who are left for
        them, at best the part of their seats that a maximum flow cannot fill, and a minimum cut names them.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        own = self.people_of(row)
        surplus = int(seats[row]) - len(own)
        if not others:
            return surplus, []
        mine = np.zeros(len(self.graph.candidate_keys), dtype=bool)
        mine[own] = True
        spans = [self.people_of(one) for one in others]
        left = np.concatenate(spans)
        at = np.repeat(np.arange(len(others)), [len(span) for span in spans])
        at, left = at[~mine[left]], left[~mine[left]]
        self.work_left -= len(left) + 4 * len(others) + 2000  # a flow has its price however small
        people, person = np.unique(left, return_inverse=True)
        sink = 1 + len(others) + len(people)
        tails = np.concatenate(
            [np.zeros(len(others), dtype=np.int64), 1 + at, 1 + len(others) + np.arange(len(people))]
        )
        heads = np.concatenate([1 + np.arange(len(others)), 1 + len(others) + person, np.full(len(people), sink)])
        supply = seats[others]
        capacity = np.concatenate([supply, np.ones(len(at) + len(people), dtype=np.int64)]).astype(np.int32)
        network = csr_array((capacity, (tails, heads)), shape=(sink + 1, sink + 1))
        flow = maximum_flow(network, 0, sink)
        residual = csr_array(network - flow.flow)
        residual.eliminate_zeros()
        reached = breadth_first_order(residual, 0, return_predecessors=False)
        chosen = np.sort(reached[(reached >= 1) & (reached <= len(others))]) - 1
        return surplus + int(supply.sum()) - int(flow.flow_value), [others[one] for one in chosen.tolist()]


def _holders(graph: OpenGraph, solution: Solution) -> Integers:
    """For each candidate of the graph the row that the solution gives them, or NOBODY."""
    row_of = {key: row for row, key in enumerate(graph.opportunity_keys.tolist())}
    person_of = {key: row for row, key in enumerate(graph.candidate_keys.tolist())}
    holder = np.full(len(graph.candidate_keys), NOBODY, dtype=np.int64)
    for key, person in solution.assignment:
        holder[person_of[person]] = row_of[key]
    return holder


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
