"""A solved problem as it is handed out: whoever has it can verify the solution, and learns nothing about people.

Rows are numbered anew from 0 in the order of their keys, so that keys stay inside; all else is as it was solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from matching.core.allocation import CandidateNode, Limit, OpportunityNode, Problem, Share, Solution


@dataclass(frozen=True)
class Published:
    """The renumbered problem and solution; by number the keys of opportunities, and of limits."""

    problem: Problem
    solution: Solution
    opportunities: tuple[int, ...]
    limits: tuple[int, ...]


def published(problem: Problem, solution: Solution) -> Published:
    """Without the salt: with other keys it would order rows differently anyway. `verify` says the same of both."""
    keys = tuple(node.key for node in problem.opportunities)
    limits = tuple(limit.key for limit in problem.limits)
    row, person, limit_row = (
        {key: number for number, key in enumerate(some)}
        for some in (keys, (node.key for node in problem.candidates), limits)
    )

    def pairs(some: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """Those of rows that exist: an excluded pair need not."""
        return tuple((row[key], person[who]) for key, who in some if key in row and who in person)

    def renamed(prices: Mapping[int, int], numbers: Mapping[int, int]) -> dict[int, int]:
        return {numbers[key]: price for key, price in prices.items()}

    return Published(
        problem=Problem(
            opportunities=tuple(OpportunityNode(row[node.key], node.seats) for node in problem.opportunities),
            candidates=tuple(CandidateNode(person[node.key], node.hours, node.most) for node in problem.candidates),
            edges=problem.edges,
            policy=problem.policy,
            pinned=pairs(problem.pinned),
            excluded=pairs(problem.excluded),
            limits=tuple(
                Limit(limit_row[limit.key], tuple(row[key] for key in limit.opportunities), limit.most)
                for limit in problem.limits
            ),
            shares=tuple(
                Share(row[share.opportunity], share.seats, tuple(person[who] for who in share.candidates))
                for share in problem.shares
            ),
        ),
        solution=replace(
            solution,
            assignment=pairs(solution.assignment),
            seat_prices=renamed(solution.seat_prices, row),
            candidate_prices=renamed(solution.candidate_prices, person),
            share_prices=renamed(solution.share_prices, row),
            limit_prices=renamed(solution.limit_prices, limit_row),
            hours_prices=renamed(solution.hours_prices, person),
        ),
        opportunities=keys,
        limits=limits,
    )
