"""Checking a solution against its problem in one pass over the edges, with none of the solver's code.

Weak duality: if prices are non-negative and every edge is covered, value ≤ seat price + candidate price, then no
assignment is worth more than Σ seats · seat price + Σ candidate prices. That bound is all that needs believing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.problem import Problem
from matching.core.allocation.solution import Solution

_LARGEST_PRICE = 2**61  # two of them still add up within 64 bits


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a solution proves of itself.

    `feasible`: the assignment keeps every limit, pin and exclusion. `bound`: no assignment is worth more; None where
    the prices prove nothing. `gap` = bound − value. `valid`: feasible, proven, and every number as claimed.
    `problems` says in words what is wrong, empty if valid.
    """

    feasible: bool
    value: int
    bound: int | None
    gap: int | None
    valid: bool
    problems: tuple[str, ...]

    @property
    def optimal(self) -> bool:
        return self.valid and self.gap == 0


def verify(problem: Problem, solution: Solution) -> Certificate:
    """Judge a solution. Never raises over a wrong one: the certificate says what is wrong with it."""
    edges, width = problem.edges, max(len(problem.candidates), 1)
    row_of = {node.key: row for row, node in enumerate(problem.opportunities)}
    person_of = {node.key: row for row, node in enumerate(problem.candidates)}
    codes = edges.opportunity * width + edges.candidate  # a problem's edges are sorted by this code

    infeasible = _broken_limits(problem, solution)
    value = 0
    for key, person in solution.assignment:
        at = _edge_at(codes, row_of.get(key), person_of.get(person), width)
        if at is None:
            infeasible.append(f"opportunity {key} and candidate {person} are not joined by an edge")
        else:
            value += int(edges.value[at])

    free = np.ones(len(edges), dtype=bool)  # edges that the prices must cover
    seats = [node.seats for node in problem.opportunities]
    pinned_value, pinned_people = 0, np.zeros(width, dtype=bool)
    for key, person in problem.pinned:
        at = _edge_at(codes, row_of[key], person_of[person], width)
        pinned_value += int(edges.value[at]) if at is not None else 0
        seats[row_of[key]] -= 1
        pinned_people[person_of[person]] = True
    free &= ~pinned_people[edges.candidate]
    for key, person in problem.excluded:
        at = _edge_at(codes, row_of.get(key), person_of.get(person), width)
        if at is not None:
            free[at] = False

    unproven: list[str] = []
    seat_prices = _prices("seat", row_of, solution.seat_prices, unproven)
    people_prices = _prices("candidate", person_of, solution.candidate_prices, unproven)
    bound = None
    if seat_prices is not None and people_prices is not None:
        short = free & (seat_prices[edges.opportunity] + people_prices[edges.candidate] < edges.value)
        if short.any():
            at = int(np.argmax(short))
            opportunity = problem.opportunities[int(edges.opportunity[at])].key
            candidate = problem.candidates[int(edges.candidate[at])].key
            unproven.append(
                f"{int(short.sum())} edges are worth more than their prices, the first joins opportunity"
                f" {opportunity} and candidate {candidate}"
            )
        else:
            bound = pinned_value + sum(people_prices.tolist())
            bound += sum(count * price for count, price in zip(seats, seat_prices.tolist(), strict=True))

    wrong = [
        f"{name} is claimed to be {claimed}, but is {found}"
        for name, claimed, found in (
            ("the value", solution.value, value),
            ("the bound", solution.bound, bound),
            ("the gap", solution.gap, None if bound is None else bound - value),
        )
        if found is not None and claimed != found
    ]
    problems = (*infeasible, *unproven, *wrong)
    return Certificate(
        feasible=not infeasible,
        value=value,
        bound=bound,
        gap=None if bound is None else bound - value,
        valid=not problems,
        problems=problems,
    )


def _broken_limits(problem: Problem, solution: Solution) -> list[str]:
    broken = []
    seats = {node.key: node.seats for node in problem.opportunities}
    for key, count in sorted(Counter(key for key, _ in solution.assignment).items()):
        if count > seats.get(key, 0):
            broken.append(f"opportunity {key} is given {count} people for {seats.get(key, 0)} seats")
    for person, count in sorted(Counter(person for _, person in solution.assignment).items()):
        if count > 1:
            broken.append(f"candidate {person} is given {count} seats")
    given = set(solution.assignment)
    broken += [
        f"candidate {person} is pinned to {key} but not given it"
        for key, person in problem.pinned
        if (key, person) not in given
    ]
    broken += [
        f"candidate {person} is excluded from {key} but given it"
        for key, person in problem.excluded
        if (key, person) in given
    ]
    return broken


def _edge_at(codes: NDArray[np.int64], row: int | None, person: int | None, width: int) -> int | None:
    if row is None or person is None:
        return None
    code = row * width + person
    at = int(np.searchsorted(codes, code))
    return at if at < len(codes) and codes[at] == code else None


def _prices(
    kind: str, row_of: Mapping[int, int], prices: Mapping[int, int], unproven: list[str]
) -> NDArray[np.int64] | None:
    """Prices in the order of rows, or None with the reason appended to `unproven`."""
    if prices.keys() != row_of.keys():
        unproven.append(f"the {kind} prices do not name exactly the problem's rows")
        return None
    outside = [key for key, price in prices.items() if type(price) is not int or not 0 <= price <= _LARGEST_PRICE]
    if outside:
        unproven.append(f"the {kind} price of {min(outside)} is negative or out of range")
        return None
    return np.array([prices[key] for key in row_of], dtype=np.int64)
