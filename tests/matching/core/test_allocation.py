import ast
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core import allocation
from matching.core.allocation import (
    CandidateNode,
    Edges,
    InvalidAllocation,
    OpportunityNode,
    Policy,
    Problem,
    edge_value,
    edge_values,
    solve,
    verify,
)
from matching.core.allocation.solution import Solution
from tests.matching.core.allocations import best, market, markets

# --- solving


@given(markets())
def test_the_assignment_has_the_greatest_value_and_proves_it(drawn):
    problem = market(*drawn)
    solution = solve(problem)
    certificate = verify(problem, solution)
    assert certificate.valid, certificate.problems
    assert certificate.optimal
    assert (solution.value, len(solution.assignment)) == best(*drawn)
    assert certificate.value == certificate.bound == solution.value


@given(markets(most_value=2), st.randoms())
def test_row_order_changes_nothing(drawn, shuffler):
    seats, people, edges = drawn
    problem = market(seats, people, edges)
    order = list(range(len(edges)))
    shuffler.shuffle(order)
    keys, others = list(seats), list(people)
    shuffler.shuffle(keys)
    shuffler.shuffle(others)
    again = market({key: seats[key] for key in keys}, others, edges, order=order)
    assert again.to_json() == problem.to_json()
    assert again.digest() == problem.digest()
    assert solve(again).to_json() == solve(problem).to_json()


@given(markets())
def test_a_seats_price_is_what_one_more_seat_would_add(drawn):
    seats, people, edges = drawn
    solution = solve(market(*drawn))
    for key, price in solution.seat_prices.items():
        assert best({**seats, key: seats[key] + 1}, people, edges)[0] - solution.value == price


@given(markets())
def test_snapshots_read_back_and_replay_byte_for_byte(drawn):
    problem = market(*drawn, salt=b"a salt")
    solution = solve(problem)
    again = Problem.from_json(problem.to_json())
    assert again == problem
    assert solve(again).to_json() == solution.to_json()
    assert Solution.from_json(solution.to_json()) == solution
    assert verify(again, Solution.from_json(solution.to_json())).optimal


def test_ties_fall_by_the_salt_and_not_by_low_keys():
    people = list(range(1, 11))
    edges = {(1, person): 5 for person in people}
    chosen = {solve(market({1: 1}, people, edges, salt=bytes([salt]))).assignment[0][1] for salt in range(40)}
    assert len(chosen) > 4


def test_a_large_market_is_proven_optimal_and_ties_included():
    rng = np.random.default_rng(7)
    for levels in (1_000_000, 10):
        problem = random_market(rng, 60, 1000, 12, seats=16, levels=levels)
        solution = solve(problem)
        assert verify(problem, solution).optimal
        assert len(solution.assignment) == 60 * 16


def random_market(
    rng: np.random.Generator, opportunities: int, people: int, degree: int, *, seats: int, levels: int
) -> Problem:
    columns = np.repeat(np.arange(people), degree)
    rows = np.concatenate([rng.choice(opportunities, degree, replace=False) for _ in range(people)])
    return Problem(
        opportunities=tuple(OpportunityNode(row, seats) for row in range(opportunities)),
        candidates=tuple(CandidateNode(column) for column in range(people)),
        edges=Edges(rows, columns, rng.integers(1, levels + 1, len(rows))),
    )


# --- odd but valid markets


@pytest.mark.parametrize(
    ("seats", "people", "edges", "value"),
    [
        ({}, [], {}, 0),
        ({1: 2}, [], {}, 0),
        ({}, [1], {}, 0),
        ({1: 2}, [1], {}, 0),
        ({1: 0}, [1], {(1, 1): 9}, 0),
        ({1: 10**15}, [1, 2], {(1, 1): 9, (1, 2): 4}, 13),
        ({1: 1, 2: 1}, [1, 2], {(1, 1): 3, (2, 2): 4}, 7),
        ({1: 1, 2: 1}, [1, 2], {(1, 1): 0, (2, 2): 0}, 0),
    ],
    ids=["nothing", "no people", "no seats", "no edges", "zero seats", "room for all", "two islands", "worthless"],
)
def test_odd_markets_are_solved(seats, people, edges, value):
    problem = market(seats, people, edges)
    solution = solve(problem)
    assert solution.value == value
    assert verify(problem, solution).optimal


def test_of_equally_good_assignments_the_one_with_more_seats_filled_is_taken():
    solution = solve(market({1: 1, 2: 1}, [1, 2], {(1, 1): 5, (2, 1): 5, (2, 2): 0}))
    assert solution.assignment == ((1, 1), (2, 2))


def test_the_largest_values_a_problem_admits_are_solved_exactly():
    edges = {(1, 1): 0, (1, 2): 0, (2, 1): 0}
    with pytest.raises(InvalidAllocation) as refusal:
        market({1: 1, 2: 1}, [1, 2], {**edges, (1, 1): 2**62})
    limit = refusal.value.data["limit"]
    problem = market({1: 1, 2: 1}, [1, 2], {(1, 1): limit, (1, 2): limit - 1, (2, 1): limit})
    solution = solve(problem)
    assert solution.value == 2 * limit - 1
    assert verify(problem, solution).optimal


# --- refusals


def problem_of(**changes: object) -> Problem:
    parts = {
        "opportunities": (OpportunityNode(1, 1), OpportunityNode(2, 1)),
        "candidates": (CandidateNode(1), CandidateNode(2)),
        "edges": Edges.of([(0, 0, 5), (1, 1, 5)]),
    }
    return Problem(**{**parts, **changes})  # type: ignore[arg-type]


def columns(opportunity: object, candidate: object, value: object) -> Edges:
    return Edges(opportunity, candidate, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"opportunities": (OpportunityNode(1, -1), OpportunityNode(2, 1))}, "NEGATIVE_NUMBER"),
        ({"opportunities": (OpportunityNode(1, 1.5), OpportunityNode(2, 1))}, "NOT_AN_INTEGER"),
        ({"opportunities": (OpportunityNode(1, None), OpportunityNode(2, 1))}, "NOT_AN_INTEGER"),
        ({"opportunities": (OpportunityNode(1, 2**70), OpportunityNode(2, 1))}, "NOT_AN_INTEGER"),
        ({"opportunities": (OpportunityNode(1, True), OpportunityNode(2, 1))}, "NOT_AN_INTEGER"),
        ({"opportunities": (OpportunityNode(1, 1), OpportunityNode(1, 1))}, "DUPLICATE_KEY"),
        ({"candidates": (CandidateNode(1), CandidateNode(1))}, "DUPLICATE_KEY"),
        ({"candidates": (CandidateNode("x"), CandidateNode(1))}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [float("nan")])}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [1.0])}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [None])}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [True])}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [2**63])}, "NOT_AN_INTEGER"),
        ({"edges": columns([0], [0], [2**62])}, "VALUES_TOO_LARGE"),
        ({"edges": columns([0], [0], [-1])}, "NEGATIVE_NUMBER"),
        ({"edges": columns([0, 0], [1, 1], [1, 2])}, "DUPLICATE_EDGE"),
        ({"edges": columns([2], [0], [1])}, "UNKNOWN_INDEX"),
        ({"edges": columns([0], [-1], [1])}, "UNKNOWN_INDEX"),
        ({"edges": columns([0, 1], [0], [1])}, "RAGGED_EDGES"),
        ({"pinned": ((1, 2),)}, "INFEASIBLE_PIN"),
        ({"pinned": ((7, 1),)}, "INFEASIBLE_PIN"),
        ({"pinned": ((1, 1),), "excluded": ((1, 1),)}, "INFEASIBLE_PIN"),
        ({"pinned": ((1, 1), (2, 1)), "edges": Edges.of([(0, 0, 5), (1, 0, 5)])}, "INFEASIBLE_PIN"),
        ({"pinned": ((1, 1), (1, 2)), "edges": Edges.of([(0, 0, 5), (0, 1, 5)])}, "INFEASIBLE_PIN"),
        ({"pinned": ((1, "1"),)}, "NOT_AN_INTEGER"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(changes, code):
    with pytest.raises(InvalidAllocation) as refusal:
        problem_of(**changes)
    assert refusal.value.code == code


@pytest.mark.parametrize("weights", [(1000, 1, 0), (1001, -1, 0), (333, 333, 333), (1000.0, 0, 0), (True, 999, 0)])
def test_a_policy_off_the_simplex_is_refused(weights):
    with pytest.raises(InvalidAllocation):
        Policy(*weights)


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b"{", b'{"version": 2}', b"\xff", b"[" * 100_000])
def test_a_snapshot_that_is_none_is_refused(text):
    with pytest.raises(InvalidAllocation):
        Problem.from_json(text)
    with pytest.raises(InvalidAllocation):
        Solution.from_json(text)


def test_a_snapshot_is_checked_like_a_new_problem():
    snapshot = problem_of().to_json()
    for old, new in ((b'"value":[5,5]', b'"value":[5,NaN]'), (b"[1,1]", b"[1,-1]"), (b'"fill"', b'"luck"')):
        assert old in snapshot
        with pytest.raises(InvalidAllocation):
            Problem.from_json(snapshot.replace(old, new))


# --- pinned and excluded pairs


@given(markets(), st.randoms())
def test_pins_and_exclusions_are_kept_and_the_rest_is_the_best_around_them(drawn, chance):
    seats, people, edges = drawn
    pinned: list[tuple[int, int]] = []
    excluded: list[tuple[int, int]] = [(500, 500)]
    for key, person in sorted(edges):
        if chance.random() < 0.2:
            excluded.append((key, person))
        elif (
            chance.random() < 0.3
            and all(person != other for _, other in pinned)
            and sum(key == other for other, _ in pinned) < seats[key]
        ):
            pinned.append((key, person))
    problem = market(seats, people, edges, pinned=tuple(pinned), excluded=tuple(excluded))
    solution = solve(problem)
    certificate = verify(problem, solution)
    assert certificate.optimal, certificate.problems
    assert set(pinned) <= set(solution.assignment)
    assert not set(excluded) & set(solution.assignment)
    held = {person for _, person in pinned}
    left = {key: count - sum(key == other for other, _ in pinned) for key, count in seats.items()}
    open_edges = {pair: value for pair, value in edges.items() if pair not in excluded and pair[1] not in held}
    assert solution.value == best(left, people, open_edges)[0] + sum(edges[pair] for pair in pinned)
    assert Problem.from_json(problem.to_json()) == problem


# --- certificates


@given(markets(), st.randoms())
def test_a_tampered_solution_is_refused(drawn, chance):
    problem = market(*drawn)
    solution = solve(problem)
    forged = [
        replace(solution, value=solution.value + 1),
        replace(solution, bound=solution.bound + 1),
        replace(solution, gap=1),
        replace(solution, assignment=(*solution.assignment, (999, 999))),
    ]
    if solution.assignment:
        forged.append(replace(solution, assignment=solution.assignment[1:] + solution.assignment[:1] * 2))
        if dict.fromkeys(solution.assignment) and problem.edges.value.max() > 0 and solution.value:
            some = chance.choice([pair for pair in solution.assignment if drawn[2][pair]] or [None])
            forged.append(replace(solution, assignment=tuple(pair for pair in solution.assignment if pair != some)))
    for prices in ("seat_prices", "candidate_prices"):
        true = getattr(solution, prices)
        forged += [replace(solution, **{prices: {**true, 999: 0}})]
        for key, price in true.items():
            forged += [replace(solution, **{prices: {**true, key: wrong}}) for wrong in (-1, 2**80, 0.5)]
            # A price of a row without seats costs nothing: raising it proves as much as before.
            if prices == "candidate_prices" or dict(problem.opportunities)[key]:
                forged.append(replace(solution, **{prices: {**true, key: price + 1}}))
            if price:
                forged.append(replace(solution, **{prices: {**true, key: price - 1}}))
    for forgery in forged:
        certificate = verify(problem, forgery)
        assert not certificate.valid
        assert certificate.problems


def test_a_worse_assignment_with_true_prices_is_valid_but_not_optimal():
    problem = market({1: 1}, [1, 2], {(1, 1): 9, (1, 2): 4})
    solution = solve(problem)
    worse = replace(solution, assignment=((1, 2),), value=4, gap=5)
    certificate = verify(problem, worse)
    assert (certificate.valid, certificate.optimal, certificate.gap) == (True, False, 5)


def test_a_certificate_says_what_is_wrong():
    problem = market({1: 1, 2: 1}, [1, 2], {(1, 1): 9, (1, 2): 4, (2, 1): 1}, pinned=((2, 1),), excluded=((1, 2),))
    solution = solve(problem)
    words = "\n".join(verify(problem, replace(solution, assignment=((1, 1), (1, 2)))).problems)
    assert "opportunity 1 is given 2 people for 1 seats" in words
    assert "candidate 1 is pinned to 2 but not given it" in words
    assert "candidate 2 is excluded from 1 but given it" in words


def test_verifying_needs_none_of_the_solvers_code():
    source = Path(allocation.__file__).with_name("verify.py").read_text()
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    ours = {module for module in imported if module and module.startswith("matching")}
    assert ours == {"matching.core.allocation.problem", "matching.core.allocation.solution"}


# --- what an edge is worth


def test_an_edge_is_worth_the_probability_of_acceptance_times_what_acceptance_brings():
    even = Policy(quality=600, fill=300, speed=100)
    assert edge_value(even, 1_000_000, 1_000_000, 0, 0) == 1_000_000
    assert edge_value(even, 0, 1_000_000, 0, 0) == 400_000
    assert edge_value(even, 0, 500_000, 0, 0) == 200_000
    assert edge_value(even, 0, 1_000_000, 30, 0) == 350_000
    assert edge_value(even, 0, 1_000_000, 30, 1000) == 700_000
    assert edge_value(even, 0, 1_000_000, -5, 0) == edge_value(even, 0, 1_000_000, 0, 0)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    quality = draw(st.integers(0, 1000))
    fill = draw(st.integers(0, 1000 - quality))
    return Policy(quality, fill, 1000 - quality - fill)


ppm = st.integers(0, 1_000_000)


@given(policies(), st.lists(st.tuples(ppm, ppm, st.integers(-10, 10**6), st.integers(0, 1000)), min_size=1))
def test_values_of_many_edges_are_the_same_integers(policy, rows):
    fit, acceptance, days, urgency = (np.array(column) for column in zip(*rows, strict=True))
    assert edge_values(policy, fit, acceptance, days, urgency).tolist() == [edge_value(policy, *row) for row in rows]


@given(policies(), ppm, ppm, st.integers(0, 3650), st.integers(0, 1000), st.integers(0, 1000))
def test_more_of_anything_good_is_never_worth_less(policy, fit, acceptance, days, urgency, more):
    value = edge_value(policy, fit, acceptance, days, urgency)
    assert 0 <= value <= 2_000_000
    assert edge_value(policy, min(fit + more, 1_000_000), acceptance, days, urgency) >= value
    assert edge_value(policy, fit, min(acceptance + more, 1_000_000), days, urgency) >= value
    assert edge_value(policy, fit, acceptance, days + more, urgency) <= value


@pytest.mark.parametrize("values", [(-1, 0, 0, 0), (0, 10**7, 0, 0), (0.5, 0, 0, 0), (0, 0, 0, 1001), (0, 0, 1.5, 0)])
def test_probabilities_out_of_range_are_refused(values):
    with pytest.raises(InvalidAllocation):
        edge_value(Policy(), *values)
    with pytest.raises(InvalidAllocation):
        edge_values(Policy(), *([value] for value in values))


def test_random_is_seeded_by_the_caller_only():
    random.seed(1)
    problem = random_market(np.random.default_rng(3), 5, 50, 3, seats=4, levels=3)
    first = solve(problem).to_json()
    random.seed(2)
    np.random.seed(5)
    assert solve(problem).to_json() == first
