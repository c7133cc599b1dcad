"""Solving: our own auction finds the assignment and prices that prove it; where it crawls, min-cost flow does.

The solvers are imported by whoever solves, since numba takes a second: most processes never do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matching.core.allocation.reporting import Report, quietly

if TYPE_CHECKING:
    from matching.core.allocation.problem import Problem
    from matching.core.allocation.solution import Solution

SOLVER = "auction-1"
CRAWLING = 2_000  # looks at each edge, on average, after which the auction is no longer expected to end soon


def solve(
    problem: Problem,
    *,
    work_limit: int | None = None,
    stop: Callable[[], bool] | None = None,
    report: Report = quietly,
) -> Solution:
    """The assignment of the greatest value and, among those, one that fills the most seats; with its proof.

    Deterministic: a function of the problem's canonical form, the solver's version and `work_limit`, the edges it may
    look at. It ends then, or soon after `stop` says so (asked a few times a second), with the best found and its
    proven gap, and `work` says what to give as the limit for the same result. Without either the result is optimal, but
    for problems with hours for several seats, limits or shares: these get the best found, mostly within 1 % of a bound.
    `report` is told how far it has come.
    """
    if not problem.plain:
        from matching.core.allocation.packed import solve_by_packing

        return solve_by_packing(problem, work_limit=work_limit, stop=stop, report=report)
    from matching.core.allocation.auction import Auction
    from matching.core.allocation.flow import solve_by_flow
    from matching.core.allocation.network import lay_out
    from matching.core.allocation.proof import solution_of

    laid = lay_out(problem)
    crawling = 100_000 + CRAWLING * len(laid.network.value)
    limit = crawling if work_limit is None else min(work_limit, crawling)
    outcome = Auction(laid.network).run(limit=limit, stop=stop, report=report)
    if outcome.stopped and limit == crawling and outcome.looked >= crawling:
        return solve_by_flow(problem)
    return solution_of(problem, laid, outcome, solver=SOLVER)


def solve_again(problem: Problem, solution: Solution) -> Solution | None:
    """What the solver that a stored solution names makes of the problem, stopping where it stopped; None if that
    solver is not at hand."""
    from matching.core.allocation.flow import FLOW, solve_by_flow
    from matching.core.allocation.layered import LAYERED
    from matching.core.allocation.packed import PACKER

    if solution.solver == FLOW:
        return solve_by_flow(problem)
    if solution.solver not in (SOLVER, PACKER, LAYERED):
        return None
    return solve(problem, work_limit=solution.work if solution.stopped else None)
