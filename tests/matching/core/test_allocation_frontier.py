from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.allocation import (
    Alternatives,
    CandidateNode,
    Chances,
    Edges,
    InvalidAllocation,
    OpportunityNode,
    Option,
    Policy,
    Problem,
    Share,
    alternatives,
    dial,
    frontier,
    solve,
)
from tests.matching.core.allocations import best, market, markets

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

MILLION = 1_000_000


def chances_market(seed: int = 3) -> tuple[Problem, Chances]:
    rng = np.random.default_rng(seed)
    rows, people = (each.ravel() for each in np.meshgrid(np.arange(8), np.arange(30), indexing="ij"))
    fit, acceptance = rng.integers(0, MILLION, rows.size), rng.integers(0, MILLION, rows.size)
    chances = Chances(fit, acceptance, rng.integers(0, 90, rows.size), np.zeros(rows.size, np.int64))
    problem = Problem(
        tuple(OpportunityNode(row, 3) for row in range(8)),
        tuple(CandidateNode(person) for person in range(30)),
        Edges(rows, people, chances.values(Policy())),
    )
    return problem, chances


def test_no_point_of_the_curve_is_beaten_under_its_own_policy():
    problem, chances = chances_market()
    points = frontier(problem, solve(problem), chances)
    assert [point.policy.quality for point in points] == [0, 180, 360, 540, 600, 720, 900]
    assert [point.chosen for point in points] == [False] * 4 + [True] + [False] * 2

    def worth(one, policy: Policy) -> int:
        weighed = policy.quality * one.fit_ppm + policy.fill * MILLION + policy.speed * one.prompt_ppm
        return one.placements_ppm * weighed // 10**9

    for one in points:
        assert worth(one, one.policy) >= max(worth(other, one.policy) for other in points) - 100  # of rounding
        assert one.value == one.bound
        assert one.to_data()["policy"]["speed"] == 100
    assert [one.fit_ppm for one in points] == sorted(one.fit_ppm for one in points)
    placements = [one.placements_ppm for one in points]
    assert placements == sorted(placements, reverse=True)


def test_the_curve_is_the_same_whatever_else_is_asked_for():
    problem, chances = chances_market()
    solution = solve(problem)
    alone = frontier(problem, solution, chances, policies=[Policy(0, 900, 100)])
    assert alone == frontier(problem, solution, chances)[:1]


def test_the_dial_keeps_the_speed_and_holds_the_chosen_policy_once():
    for policy in (Policy(), Policy(0, 0, 1000), Policy(333, 333, 334)):
        assert {one.speed for one in dial(policy)} == {policy.speed}
        assert sum(one == policy for one in dial(policy)) == 1


def test_chances_that_do_not_belong_to_the_market_are_refused():
    problem, chances = chances_market()
    columns = (chances.fit_ppm[1:], chances.acceptance_ppm, chances.days_to_start, chances.urgency)
    with pytest.raises(InvalidAllocation) as refusal:
        frontier(problem, solve(problem), Chances(*columns))
    assert refusal.value.code == "RAGGED_EDGES"


@given(markets(), st.data())
def test_an_alternative_costs_at_least_what_is_said_and_none_costs_less(drawn, data):
    seats, people, edges = drawn
    problem = market(*drawn)
    solution = solve(problem)
    found = alternatives(problem, solution)
    assert found.keys() == set(solution.assignment)
    for (key, person), one in found.items():
        others = [pair for pair in edges if pair[0] == key and pair not in solution.assignment]
        elsewhere = [pair for pair in edges if pair[1] == person and pair not in solution.assignment]
        assert (one.runner_up is not None, one.elsewhere is not None) == (bool(others), bool(elsewhere))
        for option, rivals in ((one.runner_up, others), (one.elsewhere, elsewhere)):
            if option is None:
                continue
            pair = option.opportunity, option.candidate
            assert pair in rivals
            assert option.less == edges[key, person] - edges[pair]
            missing = {
                rival: solution.seat_prices[rival[0]] + solution.candidate_prices[rival[1]] - edges[rival]
                for rival in rivals
            }
            assert option.loss == missing[pair] == min(missing.values())
            if seats[pair[0]]:
                forced = {one: value + 10_000 * (one == pair) for one, value in edges.items()}
                assert best(seats, people, forced)[0] - 10_000 <= solution.value - option.loss
        if one.runner_up is not None:
            placed = {candidate: at for at, candidate in solution.assignment}
            assert one.runner_up.at == placed.get(one.runner_up.candidate)


def test_why_an_alternative_lost_is_said_in_a_sentence():
    problem = market({1: 1, 2: 1}, [1, 2, 3], {(1, 1): 9, (1, 2): 6, (2, 2): 7, (2, 3): 1})
    found = alternatives(problem, solve(problem))
    assert found[1, 1] == Alternatives(Option(1, 2, less=3, loss=0, at=2), None)
    assert found[1, 1].sentence({2: "Fitter"}, {2: "Ada"}) == (
        "Next best for this seat: Ada, worth 3 less, but better placed at Fitter. The person could take no other."
    )
    assert found[2, 2].runner_up == Option(2, 3, less=6, loss=0)
    assert found[2, 2].to_data()["elsewhere"]["opportunity"] == 1
    pinned = replace(problem, pinned=((1, 2),), excluded=((2, 3),))
    assert alternatives(pinned, solve(pinned)) == {}


def test_alternatives_of_a_restricted_market_respect_it():
    problem = market({1: 2}, [1, 2, 3], {(1, 1): 5, (1, 2): 9, (1, 3): 7}, shares=(Share(1, 1, (1,)),))
    solution = solve(problem)
    assert set(solution.assignment) == {(1, 1), (1, 2)}
    for one in alternatives(problem, solution).values():
        assert one.runner_up is not None
        assert (one.runner_up.candidate, one.runner_up.at) == (3, None)
