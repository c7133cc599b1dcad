"""OR-tools' min-cost flow on the same market: the oracle, and what is used where the auction crawls."""

from __future__ import annotations

import numpy as np
import ortools
from ortools.graph.python import min_cost_flow

from matching.core.allocation.graph import OpenGraph, open_graph
from matching.core.allocation.prices import NOBODY, NotOptimal, candidate_prices, exchanges, gains
from matching.core.allocation.problem import Integers, Problem, by_key
from matching.core.allocation.solution import Solution

FLOW = f"ortools-{ortools.__version__}/min-cost-flow"


def solve_by_flow(problem: Problem) -> Solution:
    """The assignment of the greatest value and, among those, one that fills the most seats; with its proof.

    Deterministic: a function of the problem's canonical form and the solver's version. Raises `NotOptimal` if the
    solver's answer does not prove itself, which would be a bug.
    """
    graph = open_graph(problem)
    holder = _assign(graph)
    arcs = exchanges(graph, holder)
    seat_prices, relaxed = gains(graph, holder, arcs, nothing=0)
    people_prices = candidate_prices(graph, seat_prices)

    held = holder[graph.candidate] == graph.opportunity
    value = graph.pinned_value + sum(graph.value[held].tolist())
    bound = graph.pinned_value + sum(people_prices.tolist())
    bound += sum(seats * price for seats, price in zip(graph.seats.tolist(), seat_prices.tolist(), strict=True))
    if bound != value:
        raise NotOptimal(f"the prices bound the value by {bound}, the solver reached {value}")
    keys, people = graph.opportunity_keys[graph.opportunity[held]], graph.candidate_keys[graph.candidate[held]]
    return Solution(
        assignment=tuple(sorted([*zip(keys.tolist(), people.tolist(), strict=True), *problem.pinned])),
        value=value,
        seat_prices=by_key(graph.opportunity_keys, seat_prices),
        candidate_prices=by_key(graph.candidate_keys, people_prices),
        bound=bound,
        gap=bound - value,
        solver=FLOW,
        work=len(graph.value) + relaxed,
    )


def _assign(graph: OpenGraph) -> Integers:
    """The holder of each candidate (NOBODY: none), by min-cost flow as a transportation problem.

    Opportunities supply their seats, candidates take one unit each, and a node "nobody" takes the seats that stay
    empty and supplies the candidates who stay out, so that leaving a seat empty is allowed and costs nothing.
    """
    holder = np.full(len(graph.candidate_keys), NOBODY, dtype=np.int64)
    opportunities, opportunity = np.unique(graph.opportunity, return_inverse=True)
    people, candidate = np.unique(graph.candidate, return_inverse=True)
    if not len(graph.value):
        return holder
    degrees = np.bincount(opportunity)
    seats = np.minimum(graph.seats[opportunities], degrees)
    nobody = len(opportunities) + len(people)
    people_nodes = len(opportunities) + np.arange(len(people))
    # A filled seat counts for one more than its value, where only values scaled beyond any count of seats compete
    # with it: the greatest value first, the most seats second. `ValuesTooLarge` keeps the product within 64 bits.
    scale = min(int(seats.sum()), len(people)) + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        opportunity, len(opportunities) + candidate, np.ones_like(opportunity), -(graph.value * scale + 1)
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        np.arange(len(opportunities)), np.full(len(opportunities), nobody), seats, np.zeros_like(seats)
    )
    ones = np.ones(len(people), dtype=np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(np.full(len(people), nobody), people_nodes, ones, np.zeros_like(ones))
    flow.set_nodes_supplies(
        np.concatenate([np.arange(len(opportunities)), people_nodes, [nobody]]),
        np.concatenate([seats, -ones, [len(people) - int(seats.sum())]]),
    )
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise NotOptimal(f"min-cost flow ended with {status}")
    chosen = flow.flows(arcs) > 0
    holder[people[candidate[chosen]]] = opportunities[opportunity[chosen]]
    return holder
