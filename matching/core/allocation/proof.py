"""What the auction's outcome proves: a solution, with the prices of its seats."""

from __future__ import annotations

import numpy as np

from matching.core.allocation import kernels
from matching.core.allocation.auction import Outcome
from matching.core.allocation.kernels import NOBODY
from matching.core.allocation.network import Laid, Network
from matching.core.allocation.problem import Integers, Problem, by_key
from matching.core.allocation.solution import Solution


def solution_of(problem: Problem, laid: Laid, outcome: Outcome, *, solver: str) -> Solution:
    """Where the auction put everybody, with the prices that prove it; the least that do, if it is optimal."""
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
        solver=solver,
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
