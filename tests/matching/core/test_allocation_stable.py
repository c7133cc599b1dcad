from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.allocation import (
    CandidateNode,
    Cause,
    Edges,
    InvalidAllocation,
    Limit,
    OpportunityNode,
    Problem,
    Proposing,
    blocking_pairs,
    diagnose,
    solve,
    solve_stable,
    verify,
)
from tests.matching.core.allocations import Triples, market, markets

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

Assignment = tuple[tuple[int, int], ...]


def blocked(
    assignment: Assignment, seats: dict[int, int], suits: Triples, wants: Triples, *, but: Assignment = ()
) -> list[tuple[int, int]]:
    """The definition, pair by pair. `but`: pinned pairs, whose people and seats are out."""
    has = {person: key for key, person in assignment}
    settled = {person for _, person in but}
    found = []
    for key, person in sorted(suits):
        takes = [other for row, other in assignment if row == key and other not in settled]
        room = seats[key] - sum(row == key for row, _ in but)
        if person in settled or has.get(person) == key or room <= 0:
            continue
        rather = person not in has or wants[key, person] > wants[has[person], person]
        if rather and (len(takes) < room or any(suits[key, person] > suits[key, other] for other in takes)):
            found.append((key, person))
    return found


def all_assignments(seats: dict[int, int], people: list[int], edges: Triples) -> list[Assignment]:
    choices = [[None, *(key for key in seats if (key, person) in edges)] for person in people]
    found = []
    for chosen in product(*choices):
        pairs = tuple(sorted((key, person) for key, person in zip(chosen, people, strict=True) if key is not None))
        if all(sum(row == key for row, _ in pairs) <= count for key, count in seats.items()):
            found.append(pairs)
    return found


def in_order(problem: Problem, scores: Triples) -> np.ndarray:
    """Scores by keys as a column in the order of the problem's edges."""
    keys, people, edges = problem.opportunity_keys(), problem.candidate_keys(), problem.edges
    pairs = zip(keys[edges.opportunity].tolist(), people[edges.candidate].tolist(), strict=True)
    return np.array([scores[pair] for pair in pairs], dtype=np.int64)


def stable(drawn, chance, proposing):
    """Seats, problem, scores by keys of either side, drawn, and what is stable by these."""
    seats, _, edges = drawn
    suits, wants = ({pair: chance.randint(0, 3) for pair in edges} for _ in range(2))
    problem = market(*drawn, salt=b"x")
    solution = solve_stable(problem, in_order(problem, suits), in_order(problem, wants), proposing=proposing)
    return seats, problem, suits, wants, solution


@given(markets(), st.randoms(), st.sampled_from(Proposing))
def test_a_stable_assignment_has_no_blocking_pair_and_a_true_gap(drawn, chance, proposing):
    seats, problem, suits, wants, solution = stable(drawn, chance, proposing)
    assert blocked(solution.assignment, seats, suits, wants) == []
    assert blocking_pairs(problem, solution.assignment, in_order(problem, suits), in_order(problem, wants)) == ()
    certificate = verify(problem, solution)
    assert certificate.valid, certificate.problems
    assert certificate.bound == solve(problem).value


@given(markets(), st.randoms(), st.sampled_from(Proposing))
def test_why_a_stable_assignment_leaves_seats_empty_is_told_also_where_it_is_not_the_best(drawn, chance, proposing):
    seats, problem, _, _, solution = stable(drawn, chance, proposing)
    told = dict.fromkeys(seats, 0)
    for one in diagnose(problem, solution):
        told[one.opportunity] += one.empty
        assert one.sentence({})
    assert told == {key: count - sum(row == key for row, _ in solution.assignment) for key, count in seats.items()}


def test_what_filling_a_seat_would_take_is_not_told_of_a_stable_assignment_that_exchanges_would_better():
    """Two hold each other's more valuable seat; one of them could have the third, and who is free theirs."""
    values = {(1, 1): 1, (1, 2): 9, (2, 1): 9, (2, 2): 1, (1, 3): 1, (3, 1): 5}
    problem = market({1: 1, 2: 1, 3: 1}, [1, 2, 3], values, salt=b"x")
    liking = {(1, 1): 10, (1, 2): 2, (2, 1): 2, (2, 2): 10, (1, 3): 1, (3, 1): 5}
    ordered = in_order(problem, liking)
    solution = solve_stable(problem, ordered, ordered, proposing=Proposing.CANDIDATES)
    assert set(solution.assignment) == {(1, 1), (2, 2)}
    (empty,) = diagnose(problem, solution, acceptance=np.full(len(problem.edges), 1))
    assert (empty.opportunity, empty.empty, empty.cause, empty.loss) == (3, 1, Cause.NOT_WORTH_IT, None)
    assert (
        empty.sentence({3: "Turner"})
        == "1 seat of Turner stays empty: filling it would move people from where they are."
    )


@given(markets(), st.randoms())
def test_blocking_pairs_are_those_of_the_definition(drawn, chance):
    seats, _, edges = drawn
    suits, wants = ({pair: chance.randint(0, 3) for pair in edges} for _ in range(2))
    pins: Assignment = ()
    if solve(market(*drawn)).assignment and chance.random() < 0.5:
        pins = solve(market(*drawn)).assignment[:1]
    problem = market(*drawn, pinned=pins)
    columns = in_order(problem, suits), in_order(problem, wants)
    solution = solve(problem)
    expected = blocked(solution.assignment, seats, suits, wants, but=pins)
    assert list(blocking_pairs(problem, solution.assignment, *columns)) == expected
    stable = solve_stable(problem, *columns)
    assert set(pins) <= set(stable.assignment)
    assert blocking_pairs(problem, stable.assignment, *columns) == ()


@given(markets(), st.randoms())
def test_whoever_proposes_gets_the_best_of_all_stable_assignments(drawn, chance):
    seats, people, edges = drawn
    if len(people) > 4:
        return
    order = list(range(len(edges)))
    suits, wants = (dict(zip(edges, chance.sample(order, len(order)), strict=True)) for _ in range(2))
    problem = market(*drawn)
    columns = in_order(problem, suits), in_order(problem, wants)
    stable = [one for one in all_assignments(seats, people, edges) if not blocked(one, seats, suits, wants)]
    for proposing, best in ((Proposing.CANDIDATES, max), (Proposing.OPPORTUNITIES, min)):
        given_ = {person: key for key, person in solve_stable(problem, *columns, proposing=proposing).assignment}
        for person in people:
            got = [wants[key, person] for one in stable for key, other in one if other == person]
            assert (wants[given_[person], person] if person in given_ else None) == (best(got) if got else None)


def test_row_order_does_not_decide_ties():
    edges = {(1, person): 5 for person in range(1, 9)}
    alike = np.zeros(len(edges), dtype=np.int64)
    chosen = {
        solve_stable(market({1: 1}, list(range(1, 9)), edges, salt=bytes([salt])), alike, alike).assignment
        for salt in range(30)
    }
    assert len(chosen) > 3


def test_a_restricted_market_and_scores_of_another_length_are_refused():
    problem = market({1: 1}, [1], {(1, 1): 1})
    with pytest.raises(InvalidAllocation):
        solve_stable(problem, np.array([1, 2]), np.array([1]))
    with pytest.raises(InvalidAllocation):
        blocking_pairs(problem, (), np.array([0.5]), np.array([1]))
    limited = Problem((OpportunityNode(1, 1),), (CandidateNode(1),), Edges.of([(0, 0, 1)]), limits=(Limit(1, (1,), 0),))
    with pytest.raises(InvalidAllocation, match="without limits"):
        solve_stable(limited, np.array([1]), np.array([1]))
