"""The mechanism `stable`: deferred acceptance (Gale and Shapley 1962), and the pairs that block any assignment.

A pair blocks if both would rather have each other than what they have. Without blocking pairs nobody has a reason to
settle something beside the plan; an assignment of the greatest value may have some, which is what it costs to be told.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.errors import RaggedEdges, RestrictedMarket
from matching.core.allocation.graph import inverse, pair_mask, salted_order
from matching.core.allocation.problem import Integers, Pair, Problem, integers
from matching.core.allocation.reporting import Report, quietly
from matching.core.allocation.solution import Solution
from matching.core.allocation.solve import solve

MECHANISM = "deferred-acceptance-1"


class Proposing(StrEnum):
    """Who proposes gets the best that any stable assignment has for them, the other side the worst."""

    CANDIDATES = "candidates"
    OPPORTUNITIES = "opportunities"


def solve_stable(
    problem: Problem,
    suits: Integers,
    wants: Integers,
    *,
    proposing: Proposing = Proposing.CANDIDATES,
    work_limit: int | None = None,
    stop: Callable[[], bool] | None = None,
    report: Report = quietly,
) -> Solution:
    """An assignment without blocking pairs, around what is pinned.

    `suits` and `wants` go with `problem.edges`, in its order: how much the opportunity prefers the candidate to others,
    and the candidate the opportunity; integers, of which only the order counts. Equals are ordered by the salted keys.
    Everybody prefers any edge to none. Value, bound and gap are in the problem's own values: prices are those that
    `solve` finds, so the gap says what stability costs. Raises `RestrictedMarket` for problems that are not plain.
    """
    suits, wants = _scores(problem, suits, wants)
    best = solve(problem, work_limit=work_limit, stop=stop, report=report)
    keys, people, edges = problem.opportunity_keys(), problem.candidate_keys(), problem.edges
    free, seats = _open(problem)
    edge = np.flatnonzero(free)
    row_rank = inverse(salted_order(keys, problem.salt))[edges.opportunity[edge]]
    person_rank = inverse(salted_order(people, problem.salt))[edges.candidate[edge]]
    # One number an edge and side, in which more is better and no two of one chooser are equal.
    suit_order, want_order = np.lexsort((-person_rank, suits[edge])), np.lexsort((-row_rank, wants[edge]))
    suit, want = inverse(suit_order), inverse(want_order)
    row, person = edges.opportunity[edge], edges.candidate[edge]
    ones = np.ones(len(people), dtype=np.int64)
    if proposing is Proposing.CANDIDATES:
        kept, work = _deferred(person, row, want, suit, ones, seats)
    else:
        kept, work = _deferred(row, person, suit, want, seats, ones)
    chosen = edge[kept]
    pairs = zip(keys[edges.opportunity[chosen]].tolist(), people[edges.candidate[chosen]].tolist(), strict=True)
    pinned = pair_mask(problem, problem.pinned) if problem.pinned else np.zeros(len(edges), dtype=np.bool_)
    value = sum(edges.value[chosen].tolist()) + sum(edges.value[pinned].tolist())
    return replace(
        best,
        assignment=tuple(sorted([*pairs, *problem.pinned])),
        value=value,
        gap=best.bound - value,
        solver=f"{MECHANISM}/{proposing.value}+{best.solver}",
        work=best.work + work,
    )


def solve_stable_again(problem: Problem, suits: Integers, wants: Integers, solution: Solution) -> Solution | None:
    """What a stored stable solution was made by makes of the problem, stopping where it stopped; None if that solver is
    not at hand."""
    mechanism, _, rest = solution.solver.partition("/")
    proposing = rest.partition("+")[0]
    if mechanism != MECHANISM or proposing not in set(Proposing):
        return None
    side, limit = Proposing(proposing), None
    if solution.stopped:
        # Proposals count as work besides the edges looked at for the prices, and are as many wherever that stops.
        at_least = solve_stable(problem, suits, wants, proposing=side, work_limit=0)
        limit = solution.work - (at_least.work - solve(problem, work_limit=0).work)
    again = solve_stable(problem, suits, wants, proposing=side, work_limit=limit)
    return again if again.solver == solution.solver else None


def blocking_pairs(
    problem: Problem, assignment: tuple[Pair, ...], suits: Integers, wants: Integers
) -> tuple[Pair, ...]:
    """Pairs by keys, sorted, that both would rather have than what the assignment gives them: the candidate wants the
    opportunity more, and it has an empty seat, or suits the candidate better than somebody it takes. Equals do not
    block; nor do excluded pairs, pinned people, or seats that are pinned to others. Raises `RestrictedMarket`."""
    suits, wants = _scores(problem, suits, wants)
    edges, keys, people = problem.edges, problem.opportunity_keys(), problem.candidate_keys()
    free, seats = _open(problem)
    given = pair_mask(problem, assignment) & free if assignment else np.zeros(len(edges), dtype=np.bool_)
    lowest = np.iinfo(np.int64).min
    wanted = np.full(len(people), lowest)
    wanted[edges.candidate[given]] = wants[given]
    placed = np.zeros(len(people), dtype=np.bool_)
    placed[edges.candidate[given]] = True
    worst = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(worst, edges.opportunity[given], suits[given])
    empty = np.bincount(edges.opportunity[given], minlength=len(keys)) < seats
    rather = ~placed[edges.candidate] | (wants > wanted[edges.candidate])
    takes = empty[edges.opportunity] | ((suits > worst[edges.opportunity]) & (seats[edges.opportunity] > 0))
    blocking = np.flatnonzero(free & ~given & rather & takes)
    pairs = zip(keys[edges.opportunity[blocking]].tolist(), people[edges.candidate[blocking]].tolist(), strict=True)
    return tuple(sorted(pairs))


def _deferred(
    proposer: Integers, receiver: Integers, wish: Integers, esteem: Integers, asks: Integers, accepts: Integers
) -> tuple[list[int], int]:
    """Each proposer asks for `asks` receivers, the next best whenever one lets them go; each receiver keeps the best
    `accepts` of those who ask. Returns the edges kept and the number of proposals, whose order changes nothing."""
    order = np.lexsort((-wish, proposer))
    begins = np.searchsorted(proposer[order], np.arange(len(asks) + 1)).tolist()
    ranked, to, held_as = order.tolist(), receiver.tolist(), esteem.tolist()
    nexts, left = begins[:-1], asks.tolist()
    kept: list[list[tuple[int, int]]] = [[] for _ in range(len(accepts))]
    room, of, work = accepts.tolist(), proposer.tolist(), 0
    waiting = list(range(len(left)))
    while waiting:
        one = waiting.pop()
        while left[one] > 0 and nexts[one] < begins[one + 1]:
            edge = ranked[nexts[one]]
            nexts[one] += 1
            work += 1
            heap, item = kept[to[edge]], (held_as[edge], edge)
            if len(heap) < room[to[edge]]:
                heapq.heappush(heap, item)
                left[one] -= 1
            elif heap and heap[0] < item:
                _, gone = heapq.heapreplace(heap, item)
                left[one] -= 1
                left[of[gone]] += 1
                waiting.append(of[gone])
    return [edge for heap in kept for _, edge in heap], work


def _open(problem: Problem) -> tuple[NDArray[np.bool_], Integers]:
    """Edges that are open to be chosen, and seats that are not pinned."""
    edges, seats, free = problem.edges, problem.seats(), problem.allowed()
    if problem.pinned:
        pinned = pair_mask(problem, problem.pinned)
        seats = seats - np.bincount(edges.opportunity[pinned], minlength=len(seats))
        held = np.zeros(len(problem.candidates), dtype=np.bool_)
        held[edges.candidate[pinned]] = True
        free &= ~held[edges.candidate]
    if problem.excluded:
        free &= ~pair_mask(problem, problem.excluded)
    return free, seats


def _scores(problem: Problem, suits: Integers, wants: Integers) -> tuple[Integers, Integers]:
    if not problem.plain:
        raise RestrictedMarket
    suits, wants = integers("suits", suits), integers("wants", wants)
    if not len(suits) == len(wants) == len(problem.edges):
        raise RaggedEdges(lengths=[len(problem.edges), len(suits), len(wants)])
    return suits, wants
