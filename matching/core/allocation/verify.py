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

_MOST_COUNTED = 20_000  # hours times layers of a person's knapsack; beyond, the price of an hour bounds it
_LARGEST_PRICE = 2**60  # four of them still add up within 64 bits


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

    if solution.relaxation == "knapsack":
        return _certificate(solution, infeasible, value, *_knapsack_bound(problem, solution, codes))
    if not problem.plain:
        reason = f"a problem with limits, shares or several seats a person has no relaxation {solution.relaxation!r}"
        return _certificate(solution, infeasible, value, None, [reason])

    free = problem.allowed()  # edges that the prices must cover: nobody is given one that they have no hours for
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

    return _certificate(solution, infeasible, value, bound, unproven)


def _certificate(
    solution: Solution, infeasible: list[str], value: int, bound: int | None, unproven: list[str]
) -> Certificate:
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


def _knapsack_bound(problem: Problem, solution: Solution, codes: NDArray[np.int64]) -> tuple[int | None, list[str]]:
    """The bound that prices of seats, shares and limits prove once everybody takes their best bundle beyond them, and
    what is wrong with the prices. A candidate's price must be no less than their best bundle is worth."""
    edges, width, unproven = problem.edges, max(len(problem.candidates), 1), list[str]()
    row_of = {node.key: row for row, node in enumerate(problem.opportunities)}
    person_of = {node.key: row for row, node in enumerate(problem.candidates)}
    seat = _prices("seat", row_of, solution.seat_prices, unproven)
    person = _prices("candidate", person_of, solution.candidate_prices, unproven)
    hour = _prices("hours", person_of, solution.hours_prices, unproven)
    shares = {share.opportunity: at for at, share in enumerate(problem.shares)}
    share_price = _prices("share", shares, solution.share_prices, unproven)
    limit_price = _prices("limit", {limit.key: 0 for limit in problem.limits}, solution.limit_prices, unproven)
    most_scaled = _LARGEST_PRICE // (int(edges.value.max(initial=0)) + 1)
    if type(solution.scale) is not int or not 1 <= solution.scale <= most_scaled:
        unproven.append("the scale of the prices is out of range")
    if seat is None or person is None or hour is None or share_price is None or limit_price is None or unproven:
        return None, unproven

    hours = np.zeros(len(edges), dtype=np.int64) if edges.hours is None else edges.hours
    room, most = (column.copy() for column in problem.rooms())
    seats = [node.seats for node in problem.opportunities]
    under = [limit.most for limit in problem.limits]
    outside = np.full(len(edges), -1)  # the share that an edge's candidate is not of
    keys = np.array([node.key for node in problem.candidates], dtype=np.int64)
    for at, share in enumerate(problem.shares):
        row = row_of[share.opportunity]
        span = slice(*np.searchsorted(edges.opportunity, [row, row + 1]).tolist())
        apart = ~np.isin(keys[edges.candidate[span]], np.array(share.candidates, dtype=np.int64))
        outside[span] = np.where(apart, at, -1)
    open_to_all = [seats[row_of[share.opportunity]] - share.seats for share in problem.shares]
    free, pinned_value = np.ones(len(edges), dtype=bool), 0
    for key, one in (*problem.pinned, *problem.excluded):
        edge = _edge_at(codes, row_of.get(key), person_of.get(one), width)
        if edge is not None:
            free[edge] = False
    for key, one in problem.pinned:
        edge = _edge_at(codes, row_of[key], person_of[one], width)
        if edge is None:
            continue
        pinned_value += int(edges.value[edge])
        seats[row_of[key]] -= 1
        most[person_of[one]] -= 1
        room[person_of[one]] -= hours[edge]
        if outside[edge] >= 0:
            open_to_all[outside[edge]] -= 1
        under = [left - (key in limit.opportunities) for left, limit in zip(under, problem.limits, strict=True)]

    asked = seat.copy()
    for limit, price in zip(problem.limits, limit_price.tolist(), strict=True):
        rows = [row_of[key] for key in limit.opportunities]
        asked[rows] = np.minimum(asked[rows] + price, _LARGEST_PRICE)  # less than it is proves no more than is true
    left = edges.value * solution.scale - asked[edges.opportunity]
    left -= np.where(outside >= 0, np.append(share_price, 0)[outside], 0)
    usable = free & (left > 0) & (hours <= room[edges.candidate])
    needed = _best_bundles(edges.candidate[usable], left[usable], hours[usable], room, most, hour)
    short = np.flatnonzero(needed > person)
    if short.size:
        first = problem.candidates[int(short[0])].key
        return None, [
            f"{short.size} candidates are worth more beyond the seats than their prices, the first is {first}"
        ]
    total = sum(person.tolist())
    for counts, prices in ((seats, seat), (open_to_all, share_price), (under, limit_price)):
        total += sum(count * price for count, price in zip(counts, prices.tolist(), strict=True))
    return pinned_value + total // solution.scale, []


def _best_bundles(
    owner: NDArray[np.int64],
    worth: NDArray[np.int64],
    hours: NDArray[np.int64],
    room: NDArray[np.int64],
    most: NDArray[np.int64],
    hour_price: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each person the most that a bundle of these edges can be worth: exact, unless hours are too many to count;
    then what follows from the price of an hour."""
    best = np.zeros(len(room), dtype=np.int64)
    single = most[owner] == 1
    np.maximum.at(best, owner[single], worth[single])
    order = np.argsort(owner, kind="stable")
    begins = np.searchsorted(owner[order], np.arange(len(room) + 1))
    for one in np.flatnonzero((most > 1) & (np.diff(begins) > 0)).tolist():
        mine = order[begins[one] : begins[one + 1]]
        best[one] = _best_bundle(worth[mine], hours[mine], int(room[one]), int(most[one]), int(hour_price[one]))
    return best


def _best_bundle(worth: NDArray[np.int64], hours: NDArray[np.int64], room: int, most: int, hour_price: int) -> int:
    if int(hours.sum()) <= room:
        return int(np.sort(worth)[::-1][:most].sum())
    layers = most if most < len(worth) else 1
    if (room + 1) * layers > _MOST_COUNTED:
        beyond = np.sort(np.maximum(0, worth - hour_price * hours))[::-1][:most]
        return hour_price * room + int(beyond.sum())
    table = np.zeros((layers + 1, room + 1), dtype=np.int64)
    for one, takes in zip(worth.tolist(), hours.tolist(), strict=True):
        fewer = table[:-1] if layers == most and most < len(worth) else table[1:]
        table[1:, takes:] = np.maximum(table[1:, takes:], fewer[:, : room + 1 - takes] + one)
    return int(table[layers, room])


def _broken_limits(problem: Problem, solution: Solution) -> list[str]:
    broken = []
    seats = {node.key: node.seats for node in problem.opportunities}
    for key, count in sorted(Counter(key for key, _ in solution.assignment).items()):
        if count > seats.get(key, 0):
            broken.append(f"opportunity {key} is given {count} people for {seats.get(key, 0)} seats")
    people = {node.key: node for node in problem.candidates}
    for person, count in sorted(Counter(person for _, person in solution.assignment).items()):
        if count > (people[person].most if person in people else 0):
            broken.append(f"candidate {person} is given {count} seats")
    given = set(solution.assignment)
    if len(given) < len(solution.assignment):
        broken.append("a pair is given twice")
    broken += _broken_shares(problem, solution)
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


def _broken_shares(problem: Problem, solution: Solution) -> list[str]:
    """Hours, limits and shares that the assignment does not keep."""
    broken, edges, width = [], problem.edges, max(len(problem.candidates), 1)
    if edges.hours is not None:
        codes = edges.opportunity * width + edges.candidate
        row_of = {node.key: row for row, node in enumerate(problem.opportunities)}
        person_of = {node.key: row for row, node in enumerate(problem.candidates)}
        used: Counter[int] = Counter()
        for key, person in solution.assignment:
            at = _edge_at(codes, row_of.get(key), person_of.get(person), width)
            used[person] += int(edges.hours[at]) if at is not None else 0
        for node in problem.candidates:
            if node.hours is not None and used[node.key] > node.hours:
                broken.append(f"candidate {node.key} is given {used[node.key]} hours of {node.hours}")
    given = Counter(key for key, _ in solution.assignment)
    seats = {node.key: node.seats for node in problem.opportunities}
    for limit in problem.limits:
        count = sum(given[key] for key in limit.opportunities)
        if count > limit.most:
            broken.append(f"limit {limit.key} of {limit.most} is exceeded: {count}")
    for share in problem.shares:
        members = set(share.candidates)
        apart = sum(key == share.opportunity and person not in members for key, person in solution.assignment)
        if apart > seats[share.opportunity] - share.seats:
            broken.append(f"{apart} people outside the share of opportunity {share.opportunity} are given its seats")
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
