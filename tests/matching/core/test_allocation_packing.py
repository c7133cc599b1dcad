from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.core.allocation import (
    CandidateNode,
    Edges,
    InvalidAllocation,
    Limit,
    OpportunityNode,
    Problem,
    Share,
    solve,
    solve_again,
    verify,
)
from matching.core.allocation.solution import Solution
from tests.matching.core.restrictions import kept, restricted

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process


def best_of_all(problem: Problem) -> int:
    best = -1
    for taken in product((False, True), repeat=len(problem.edges)):
        chosen = [at for at, takes in enumerate(taken) if takes]
        if kept(problem, chosen):
            best = max(best, sum(int(problem.edges.value[at]) for at in chosen))
    return best


@settings(max_examples=40)
@given(restricted())
def test_no_assignment_of_a_restricted_market_beats_the_bound_and_what_is_found_is_kept(problem):
    solution = solve(problem)
    certificate = verify(problem, solution)
    assert certificate.valid, certificate.problems
    best = best_of_all(problem)
    assert solution.value <= best <= solution.bound
    assert solution.value == best
    edges, at = problem.edges, {}
    for place in range(len(edges)):
        row, person = int(edges.opportunity[place]), int(edges.candidate[place])
        at[problem.opportunities[row].key, problem.candidates[person].key] = place
    assert kept(problem, [at[pair] for pair in solution.assignment])


@settings(max_examples=20)
@given(restricted())
def test_a_restricted_market_reads_back_and_replays_byte_for_byte(problem):
    again = Problem.from_json(problem.to_json())
    assert again == problem
    solution = solve(problem)
    read = Solution.from_json(solution.to_json())
    assert read == solution
    repeated = solve_again(again, read)
    assert repeated is not None
    assert repeated.to_json() == solution.to_json()


@settings(max_examples=25)
@given(restricted(), st.randoms(use_true_random=False))
def test_a_restricted_market_is_solved_the_same_in_whatever_order_its_rows_were_read(problem, random):
    def shuffled(count: int) -> list[int]:
        return random.sample(range(count), count)

    rows, people, order = (
        shuffled(len(each)) for each in (problem.opportunities, problem.candidates, problem.edges.value)
    )
    edges, row_at, person_at = problem.edges, np.argsort(rows), np.argsort(people)
    again = replace(
        problem,
        opportunities=tuple(problem.opportunities[row] for row in rows),
        candidates=tuple(problem.candidates[row] for row in people),
        edges=Edges(
            row_at[edges.opportunity[order]],
            person_at[edges.candidate[order]],
            edges.value[order],
            None if edges.hours is None else edges.hours[order],
        ),
        limits=problem.limits[::-1],
        shares=problem.shares[::-1],
    )
    assert solve(again).to_json() == solve(problem).to_json()


@settings(max_examples=25)
@given(restricted(), st.integers(1, 50))
def test_prices_that_are_too_low_prove_nothing(problem, less):
    solution = solve(problem)
    if solution.relaxation == "assignment":
        return
    for name in ("seat_prices", "share_prices", "limit_prices", "candidate_prices"):
        prices = getattr(solution, name)
        for key, price in prices.items():
            forged = replace(solution, **{name: {**prices, key: price - less}})
            certificate = verify(problem, forged)
            assert not certificate.valid or certificate.bound >= best_of_all(problem)
            assert not verify(problem, replace(solution, **{name: {**prices, key: -1}})).valid
    assert not verify(problem, replace(solution, relaxation="assignment")).valid
    assert not verify(problem, replace(solution, relaxation="wish")).valid
    assert not verify(problem, replace(solution, scale=0)).valid


def test_a_market_without_restrictions_keeps_its_first_snapshot():
    problem = Problem((OpportunityNode(1, 1),), (CandidateNode(1),), Edges.of([(0, 0, 5)]))
    assert b'"version":1' in problem.to_json()
    assert b"hours" not in problem.to_json()


def test_whoever_lacks_the_hours_is_given_nothing_though_hours_alone_need_no_packing():
    problem = Problem(
        (OpportunityNode(1, 2),),
        (CandidateNode(1, hours=10), CandidateNode(2, hours=30), CandidateNode(3, most=0)),
        Edges(*(np.array(column) for column in ([0, 0, 0], [0, 1, 2], [9, 4, 8], [20, 20, 20]))),
    )
    solution = solve(problem)
    assert problem.plain
    assert solution.assignment == ((1, 2),)
    assert verify(problem, solution).optimal


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"candidates": (CandidateNode(1, -1), CandidateNode(2))}, "NEGATIVE_NUMBER"),
        ({"candidates": (CandidateNode(1, None, -1), CandidateNode(2))}, "NEGATIVE_NUMBER"),
        ({"candidates": (CandidateNode(1, 1.5), CandidateNode(2))}, "NOT_AN_INTEGER"),  # type: ignore[arg-type]
        ({"limits": (Limit(1, (1,), -1),)}, "NEGATIVE_NUMBER"),
        ({"limits": (Limit(1, (9,), 1),)}, "UNKNOWN_KEY"),
        ({"limits": (Limit(1, (1,), 1), Limit(1, (2,), 1))}, "DUPLICATE_KEY"),
        ({"shares": (Share(9, 1, ()),)}, "UNKNOWN_KEY"),
        ({"shares": (Share(1, 1, (9,)),)}, "UNKNOWN_KEY"),
        ({"shares": (Share(1, 2, (1,)),)}, "SHARE_TOO_LARGE"),
        ({"shares": (Share(1, -1, (1,)),)}, "NEGATIVE_NUMBER"),
        ({"shares": (Share(1, 1, ()), Share(1, 0, ()))}, "DUPLICATE_KEY"),
        ({"limits": (Limit(1, (1,), 0),), "pinned": ((1, 1),)}, "INFEASIBLE_PIN"),
        ({"shares": (Share(1, 1, (2,)),), "pinned": ((1, 1),)}, "INFEASIBLE_PIN"),
        ({"candidates": (CandidateNode(1, 3), CandidateNode(2)), "pinned": ((1, 1),)}, "INFEASIBLE_PIN"),
        ({"edges": Edges(np.array([0]), np.array([0]), np.array([1]), np.array([-1]))}, "NEGATIVE_NUMBER"),
        ({"edges": Edges(np.array([0]), np.array([0]), np.array([1]), np.array([10**12]))}, "VALUE_OUT_OF_RANGE"),
        ({"edges": Edges(np.array([0]), np.array([0]), np.array([1]), np.array([float("nan")]))}, "NOT_AN_INTEGER"),
        ({"edges": Edges(np.array([0]), np.array([0]), np.array([1]), np.array([1, 2]))}, "RAGGED_EDGES"),
    ],
)
def test_restrictions_that_make_no_sense_are_refused(changes, code):
    parts = {
        "opportunities": (OpportunityNode(1, 1), OpportunityNode(2, 1)),
        "candidates": (CandidateNode(1), CandidateNode(2)),
        "edges": Edges(*(np.array(column) for column in ([0, 1], [0, 1], [5, 5], [4, 4]))),
    }
    with pytest.raises(InvalidAllocation) as refusal:
        Problem(**{**parts, **changes})  # type: ignore[arg-type]
    assert refusal.value.code == code


def test_limits_and_shares_over_people_of_one_seat_are_solved_to_the_optimum():
    """They are a flow, which no heuristic need approach."""
    rng = np.random.default_rng(2)
    rows, people = (each.ravel() for each in np.meshgrid(np.arange(12), np.arange(60), indexing="ij"))
    problem = Problem(
        tuple(OpportunityNode(row, 5) for row in range(12)),
        tuple(CandidateNode(person) for person in range(60)),
        Edges(rows, people, rng.integers(1, 1000, rows.size)),
        limits=tuple(Limit(key, tuple(range(3 * key, 3 * key + 3)), 11) for key in range(4)),
        shares=tuple(Share(row, 2, tuple(range(row, 60, 5))) for row in range(0, 12, 2)),
    )
    solution = solve(problem)
    assert len(solution.assignment) == 44
    assert verify(problem, solution).optimal
    assert solve_again(problem, solution) == solution
    stopped = solve(problem, work_limit=1)
    assert stopped.stopped
    assert verify(problem, stopped).valid
    assert stopped.value <= solution.value <= stopped.bound


def test_an_opportunity_without_seats_stops_no_packing():
    columns = [[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 0, 2], [0, 0, 0, 1, 0, 2]]
    problem = Problem(
        (OpportunityNode(0, 0), OpportunityNode(1, 1), OpportunityNode(2, 1)),
        (CandidateNode(10, None, 0), CandidateNode(11, 2, 2)),
        Edges(*(np.array(column) for column in columns)),
    )
    assert solve(problem).assignment == ((2, 11),)


def test_more_seats_than_numbers_can_count_are_no_trouble():
    problem = Problem(
        tuple(OpportunityNode(key, 2**62) for key in range(3)),
        (CandidateNode(1, most=2), CandidateNode(2)),
        Edges.of([(0, 0, 5), (1, 0, 4), (2, 0, 3), (0, 1, 2)]),
    )
    solution = solve(problem)
    assert solution.value == 11
    assert verify(problem, solution).optimal
