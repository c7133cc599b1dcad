"""Solving: our own auction finds the assignment and prices that prove it; where it crawls, min-cost flow does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matching.core.allocation import kernels
from matching.core.allocation.auction import Auction, Outcome
from matching.core.allocation.flow import FLOW, solve_by_flow
from matching.core.allocation.kernels import NOBODY
from matching.core.allocation.layered import LAYERED
from matching.core.allocation.network import Laid, Network, lay_out
from matching.core.allocation.packed import PACKER, solve_by_packing
from matching.core.allocation.problem import Integers, Problem, by_key
from matching.core.allocation.reporting import Report, quietly
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
        return solve_by_packing(problem, work_limit=work_limit, stop=stop, report=report)
    laid = lay_out(problem)
    crawling = 100_000 + CRAWLING * len(laid.network.value)
    limit = crawling if work_limit is None else min(work_limit, crawling)
    outcome = Auction(laid.network).run(limit=limit, stop=stop, report=report)
    if outcome.stopped and limit == crawling and outcome.looked >= crawling:
        return solve_by_flow(problem)
    return _solution(problem, laid, outcome)


def solve_again(problem: Problem, solution: Solution) -> Solution | None:
    """What the solver that a stored solution names makes of the problem, stopping where it stopped; None if that
    solver is not at hand."""
    if solution.solver == FLOW:
        return solve_by_flow(problem)
    if solution.solver not in (SOLVER, PACKER, LAYERED):
        return None
    return solve(problem, work_limit=solution.work if solution.stopped else None)


def _solution(problem: Problem, laid: Laid, outcome: Outcome) -> Solution:
    network, prices, beyond = laid.network, outcome.prices, outcome.beyond
    if outcome.value == outcome.bound:
        prices, beyond = least_proof(network, outcome)
    placed = np.flatnonzero(outcome.holder != NOBODY)
    keys, people = laid.opportunity_keys[outcome.holder[placed]], laid.candidate_keys[placed]
    return Solution(
        assignment=tuple(sorted([*zip(keys.tolist(), people.tolist(), strict=True), *problem.pinned])),
        value=laid.pinned_value + outcome.value,
        seat_prices=by_key(laid.opportunity_keys, prices),
        candidate_prices=by_key(laid.candidate_keys, beyond),
        bound=laid.pinned_value + outcome.bound,
        gap=outcome.bound - outcome.value,
        solver=SOLVER,
        work=outcome.looked,
        stopped=outcome.stopped,
    )


def least_proof(network: Network, outcome: Outcome) -> tuple[Integers, Integers]:
    """The least prices of seats that prove an optimal outcome, and what they leave people. They are the same for every
    optimal assignment: a seat's price is exactly what one more seat there would add to the total."""
    holder, prices = outcome.holder, outcome.prices.copy()
    # A seat that does not exist costs as much as keeps everybody content without it.
    for row in np.flatnonzero(network.seats <= 0).tolist():
        edges = slice(network.offset[row], network.offset[row + 1])
        prices[row] = (network.worth[edges] - outcome.beyond[network.person[edges]]).max(initial=0)
    members = np.argsort(holder, kind="stable")
    member_start = np.searchsorted(holder[members], np.arange(len(prices) + 1))
    held = np.zeros(network.people, dtype=np.int64)
    kernels.values_held(network.start, network.target, network.value, holder, held)
    least = kernels.least_prices(
        network.start, network.target, network.value, prices, holder, held, members, member_start
    )
    beyond = np.empty(network.people, dtype=np.int64)
    kernels.worths_beyond(network.start, network.target, network.value, 1, 0, least, beyond)
    return least, beyond
