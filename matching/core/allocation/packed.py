"""A problem with hours, limits or shares, laid out for packing; and a solution from what was packed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matching.core.allocation.generalized import Packer, Packing
from matching.core.allocation.graph import inverse, pair_mask, salted_order
from matching.core.allocation.layered import LAYERED, is_layered, solve_layers
from matching.core.allocation.packing import NONE, SCALE
from matching.core.allocation.problem import Integers, Problem, by_key
from matching.core.allocation.reporting import Report, quietly
from matching.core.allocation.solution import Solution

PACKER = "packer-2"


def solve_by_packing(
    problem: Problem,
    *,
    work_limit: int | None = None,
    stop: Callable[[], bool] | None = None,
    report: Report = quietly,
) -> Solution:
    """The best assignment found, and a bound on what any could be worth. Deterministic, as `solve` is."""
    people = problem.candidate_keys()
    packing_, edge, pinned_value = _laid(problem)
    packed, solver = None, LAYERED
    # Whoever may not look at each edge once is stopped by the packer, and gets the same again by the same limit.
    if is_layered(packing_) and (work_limit is None or work_limit > len(problem.edges)):
        packed = solve_layers(packing_)
    if packed is None:
        packed, solver = Packer(packing_, limit=work_limit, stop=stop, report=report).run(), PACKER
    chosen = edge[packed.chosen]
    keys = problem.opportunity_keys()
    pairs = zip(
        keys[problem.edges.opportunity[chosen]].tolist(), people[problem.edges.candidate[chosen]].tolist(), strict=True
    )
    value, bound = pinned_value + packed.value, pinned_value + packed.bound // SCALE
    order, person_order = salted_order(keys, problem.salt), salted_order(people, problem.salt)
    prices = packed.prices
    return Solution(
        assignment=tuple(sorted([*pairs, *problem.pinned])),
        value=value,
        seat_prices=by_key(keys[order], prices.seat),
        candidate_prices=by_key(people[person_order], prices.beyond),
        bound=bound,
        gap=bound - value,
        solver=solver,
        work=packed.work,
        stopped=packed.stopped,
        relaxation="knapsack",
        scale=SCALE,
        share_prices=_named([share.opportunity for share in problem.shares], prices.share),
        limit_prices=_named([limit.key for limit in problem.limits], prices.limit),
        hours_prices=by_key(people[person_order], prices.hour),
    )


def _named(keys: list[int], prices: Integers) -> dict[int, int]:
    return dict(zip(keys, prices.tolist(), strict=True))


def _laid(problem: Problem) -> tuple[Packing, Integers, int]:
    """The packing, the problem's edge for each of its edges, and what the pinned pairs are worth."""
    edges, keys, people = problem.edges, problem.opportunity_keys(), problem.candidate_keys()
    seats, (room, most), allowed = problem.seats(), problem.rooms(), problem.allowed()
    hours = np.zeros(len(edges), dtype=np.int64) if edges.hours is None else edges.hours
    pinned = pair_mask(problem, problem.pinned) if problem.pinned else np.zeros(len(edges), dtype=np.bool_)
    share = np.full(len(edges), NONE, dtype=np.int32)
    outside, limits = [], []
    rows_of_limits: list[tuple[int, int]] = []
    for number, one in enumerate(problem.shares):
        row = int(np.searchsorted(keys, one.opportunity))
        at = slice(*np.searchsorted(edges.opportunity, [row, row + 1]).tolist())
        apart = ~np.isin(people[edges.candidate[at]], np.array(one.candidates, dtype=np.int64))
        share[at] = np.where(apart, number, NONE)
        outside.append(int(seats[row]) - one.seats - int(np.count_nonzero(apart & pinned[at])))
    for number, limit in enumerate(problem.limits):
        rows = np.searchsorted(keys, np.array(limit.opportunities, dtype=np.int64))
        limits.append(limit.most - int(np.count_nonzero(pinned & np.isin(edges.opportunity, rows))))
        rows_of_limits += [(row, number) for row in rows.tolist()]
    seats = seats - np.bincount(edges.opportunity[pinned], minlength=len(seats))
    most = most - np.bincount(edges.candidate[pinned], minlength=len(people))
    room = room.copy()
    np.subtract.at(room, edges.candidate[pinned], hours[pinned])
    allowed &= ~pinned
    allowed &= (most[edges.candidate] > 0) & (hours <= room[edges.candidate])
    if problem.excluded:
        allowed &= ~pair_mask(problem, problem.excluded)
    order, person_order = salted_order(keys, problem.salt), salted_order(people, problem.salt)
    rank, person_rank = inverse(order), inverse(person_order)
    edge = np.flatnonzero(allowed)
    edge = edge[np.lexsort((rank[edges.opportunity[edge]], person_rank[edges.candidate[edge]]))]
    limited = sorted((int(rank[row]), number) for row, number in rows_of_limits)
    owners = person_rank[edges.candidate[edge]]
    return (
        Packing(
            start=np.searchsorted(owners, np.arange(len(people) + 1)).astype(np.int64),
            target=rank[edges.opportunity[edge]].astype(np.int32),
            value=edges.value[edge],
            hours=hours[edge],
            share=share[edge],
            room=room[person_order],
            most=most[person_order],
            # More than all edges is no different, and keeps sums small: whatever is not short has no price.
            seats=np.minimum(seats[order], len(edge) + 1),
            share_seats=np.minimum(np.array(outside, dtype=np.int64), len(edge) + 1),
            limits=np.minimum(np.array(limits, dtype=np.int64), len(edge) + 1),
            limit_start=np.searchsorted([row for row, _ in limited], np.arange(len(keys) + 1)).astype(np.int64),
            limit_of=np.array([number for _, number in limited], dtype=np.int64),
        ),
        edge,
        int(sum(edges.value[pinned].tolist())),
    )
