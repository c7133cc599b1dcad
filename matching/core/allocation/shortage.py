"""Empty seats where nobody takes more than one: too few people, or filling one would cost more than it adds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matching.core.allocation.emptiness import Cause, EmptySeats, Loosening, loosenings
from matching.core.allocation.graph import OpenGraph, open_graph
from matching.core.allocation.hall import HallSearch, Takers
from matching.core.allocation.prices import NOBODY, UNREACHABLE, NotOptimal, exchanges, gains, reached
from matching.core.allocation.problem import Integers, Problem
from matching.core.allocation.solution import Solution


def diagnose_plain(problem: Problem, solution: Solution, work_limit: int) -> list[EmptySeats]:
    """The causes of seats that a solution of a plain problem leaves empty, sorted by opportunity key. What filling one
    would take from the total is told of solutions that no exchange betters: a stable one may be none."""
    graph = open_graph(problem)
    holder = _holders(graph, solution)
    arcs = exchanges(graph, holder)
    taken = holder[graph.candidate] == graph.opportunity
    held = np.bincount(graph.opportunity[taken], minlength=len(graph.seats)).astype(np.int64)
    ones = np.ones(len(graph.candidate_keys), dtype=np.int64)
    search = HallSearch(
        Takers(graph.opportunity, graph.candidate, graph.seats, held, ones, arcs.taker, arcs.giver), work_limit
    )
    nobody_there = nobody_to_take(problem)
    filling: Integers | None
    try:
        filling, _ = gains(graph, holder, arcs, nothing=UNREACHABLE)
        fillable = filling > UNREACHABLE
    except NotOptimal:
        filling, fillable = None, reached(graph, holder, arcs)
    found: list[EmptySeats] = []
    empties = graph.seats - held
    for row in sorted(np.flatnonzero(empties > 0).tolist(), key=lambda row: int(graph.opportunity_keys[row])):
        key, empty, seats = int(graph.opportunity_keys[row]), int(empties[row]), int(graph.seats[row])
        people = len(search.people_of(row))
        if not people:
            found.append(nobody_there(key, empty, seats))
            continue
        unfillable = empty
        if fillable[row]:
            unfillable = search.unfillable(row) if empty > 1 and search.work_left > 0 else 0
        if unfillable < empty:
            loss = None if filling is None else -int(filling[row])
            exact = empty == 1 or search.work_left > 0
            found.append(
                EmptySeats(key, empty - unfillable, Cause.NOT_WORTH_IT, (key,), seats, people, loss=loss, minimal=exact)
            )
        if unfillable:
            rows, total, candidates, minimal = search.competition(row)
            keys = tuple(sorted(graph.opportunity_keys[list(rows)].tolist()))
            worth = max(
                solution.candidate_prices.get(int(graph.candidate_keys[one]), 0) for one in search.people_of(row)
            )
            lacking = Loosening(Cause.COMPETITION, total - candidates, total - candidates, worth // solution.scale)
            found.append(
                EmptySeats(
                    key, unfillable, Cause.COMPETITION, keys, total, candidates, minimal=minimal, loosened=(lacking,)
                )
            )
    return found


def nobody_to_take(problem: Problem) -> Callable[[int, int, int], EmptySeats]:
    """Explains the empty seats (key, empty, seats) of opportunities none of whose edges is open to be chosen."""
    edges, keys = problem.edges, problem.opportunity_keys()
    room, _ = problem.rooms()
    lacks = np.zeros(len(edges), dtype=np.int64) if edges.hours is None else edges.hours - room[edges.candidate]
    begins = np.searchsorted(edges.opportunity, np.arange(len(keys) + 1))

    def explained(key: int, empty: int, seats: int) -> EmptySeats:
        row = int(np.searchsorted(keys, key))
        mine = lacks[begins[row] : begins[row + 1]]
        lacking = np.sort(mine[mine > 0]).tolist()
        if not len(mine):
            return EmptySeats(key, empty, Cause.NOBODY_PASSES, (key,), seats, 0)
        if 2 * len(lacking) < len(mine):
            return EmptySeats(key, empty, Cause.SET_ASIDE, (key,), seats, 0)
        loosened = loosenings(Cause.HOURS, lacking, empty)
        return EmptySeats(key, empty, Cause.HOURS, (key,), seats, len(lacking), loosened=loosened)

    return explained


def _holders(graph: OpenGraph, solution: Solution) -> Integers:
    """For each candidate of the graph the row that the solution gives them, or NOBODY."""
    row_of = {key: row for row, key in enumerate(graph.opportunity_keys.tolist())}
    person_of = {key: row for row, key in enumerate(graph.candidate_keys.tolist())}
    holder = np.full(len(graph.candidate_keys), NOBODY, dtype=np.int64)
    for key, person in solution.assignment:
        holder[person_of[person]] = row_of[key]
    return holder
