from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Problem, solve, solve_again, verify
from matching.core.allocation.auction import Auction, rounded
from matching.core.allocation.flow import FLOW, solve_by_flow
from matching.core.allocation.network import network_of
from matching.core.allocation.solution import Solution
from matching.core.allocation.solve import SOLVER
from tests.matching.core.allocations import market, markets

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

KINDS = ["loose", "tight", "tied", "all alike", "by person", "by opportunity", "far apart", "square"]


def drawn(kind: str, *, opportunities: int = 30, people: int = 400, degree: int = 8, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    if kind == "square":
        opportunities = people = 60
        degree = 60
    columns = np.repeat(np.arange(people), degree)
    rows = np.concatenate([rng.choice(opportunities, degree, replace=False) for _ in range(people)])
    values = {
        "tied": rng.integers(1, 4, len(rows)),
        "square": rng.integers(0, 3, len(rows)),
        "all alike": np.full(len(rows), 7),
        "by person": columns * 13 % 50,
        "by opportunity": rows * 13 % 50,
        "far apart": np.where(rng.random(len(rows)) < 0.5, 1, 10**9),
    }.get(kind, rng.integers(0, 10**6, len(rows)))
    seats = people * (150 if kind == "loose" else 100 if kind == "square" else 98) // 100 // opportunities
    return Problem(
        tuple(OpportunityNode(row, seats) for row in range(opportunities)),
        tuple(CandidateNode(person) for person in range(people)),
        Edges(rows, columns, values),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_auction_agrees_with_min_cost_flow_down_to_the_prices(kind):
    for seed in range(3):
        problem = drawn(kind, seed=seed)
        ours, oracle = solve(problem), solve_by_flow(problem)
        assert verify(problem, ours).optimal
        assert (ours.solver, oracle.solver) == (SOLVER, FLOW)
        assert (ours.value, len(ours.assignment)) == (oracle.value, len(oracle.assignment))
        assert (ours.seat_prices, ours.candidate_prices) == (oracle.seat_prices, oracle.candidate_prices)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_the_auction_agrees_with_min_cost_flow_on_many_and_large_markets(kind):
    for seed in range(40):
        problem = drawn(kind, seed=seed, opportunities=100 + seed, people=5000, degree=20)
        ours, oracle = solve(problem), solve_by_flow(problem)
        assert (ours.value, ours.gap, len(ours.assignment)) == (oracle.value, 0, len(oracle.assignment))
        assert ours.seat_prices == oracle.seat_prices


@given(markets(most_value=3))
def test_whoever_gives_up_the_auction_early_has_a_true_bound(drawn_market):
    problem = market(*drawn_market)
    best = solve(problem)
    for limit in (0, 1, 5, 20):
        early = solve(problem, work_limit=limit)
        certificate = verify(problem, early)
        assert certificate.valid, certificate.problems
        assert early.value <= best.value <= early.bound
        assert early.stopped or early.gap == 0


def test_a_solution_that_was_stopped_by_the_clock_is_repeated_from_its_work(monkeypatch):
    monkeypatch.setattr("matching.core.allocation.auction.SLICE", 500)
    problem = drawn("tight")
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= 20

    stopped = solve(problem, stop=stop)
    assert stopped.stopped
    assert 0 < stopped.work < solve(problem).work
    assert stopped.gap > 0
    assert verify(problem, stopped).valid
    assert stopped.value > solve(problem).value * 0.9
    read = Solution.from_json(stopped.to_json())
    assert read == stopped
    again = solve_again(problem, read)
    assert again is not None
    assert again.to_json() == stopped.to_json()


def test_slices_of_the_work_change_nothing(monkeypatch):
    whole = solve(drawn("tied")).to_json()
    monkeypatch.setattr("matching.core.allocation.auction.SLICE", 100)
    assert solve(drawn("tied")).to_json() == whole


def test_min_cost_flow_takes_over_where_the_auction_crawls(monkeypatch):
    monkeypatch.setattr(import_module("matching.core.allocation.solve"), "CRAWLING", -1000)
    monkeypatch.setattr("matching.core.allocation.auction.SLICE", 500)
    problem = drawn("tight")
    solution = solve(problem)
    assert solution.solver == FLOW
    assert verify(problem, solution).optimal
    assert solve_again(problem, solution) == solution


def test_a_run_of_the_former_solver_replays_byte_for_byte():
    problem = drawn("tied")
    former = solve_by_flow(problem).to_json()
    assert b'"stopped"' not in former
    again = solve_again(problem, Solution.from_json(former))
    assert again is not None
    assert again.to_json() == former
    assert solve_again(problem, Solution.from_json(former.replace(FLOW.encode(), b"abacus"))) is None


def test_values_beyond_32_bits_are_auctioned_alike():
    small = drawn("tight", opportunities=5, people=40, degree=4)
    scaled = 2**31 // max(1, int(small.edges.value.max())) + 1
    edges = small.edges
    large = Problem(
        small.opportunities, small.candidates, Edges(edges.opportunity, edges.candidate, edges.value * scaled)
    )
    assert int(large.edges.value.max()) > 2**31
    assert solve(large).value == solve(small).value * scaled
    assert solve(large).assignment == solve(small).assignment


def test_more_people_placed_break_ties_of_value():
    # One person in the only seat that is worth something, or two of half its worth.
    problem = market({1: 1, 2: 1}, [1, 2], {(1, 1): 10, (1, 2): 5, (2, 1): 5})
    assert len(solve(problem).assignment) == 2


@given(st.lists(st.integers(0, 10_000), max_size=8), st.integers(1, 500), st.integers(0, 40))
def test_rounding_keeps_order_and_zero(prices, unit, slack):
    whole = rounded(np.array([0, *sorted(prices)], dtype=np.int64), unit, slack)
    assert whole[0] == 0
    assert (np.diff(whole) >= 0).all()
    assert (np.abs(whole * unit - np.array([0, *sorted(prices)])) <= unit).all()


def test_a_network_holds_each_edge_twice_and_alike():
    problem = drawn("tied")
    edges = problem.edges
    network = network_of(problem.seats(), len(problem.candidates), (edges.opportunity, edges.candidate, edges.value))
    by_person = np.repeat(np.arange(network.people), np.diff(network.start))
    by_row = np.repeat(np.arange(len(network.seats)), network.degrees())
    one = sorted(zip(network.target.tolist(), by_person.tolist(), network.value.tolist(), strict=True))
    other = sorted(zip(by_row.tolist(), network.person.tolist(), network.worth.tolist(), strict=True))
    given_ = zip(edges.opportunity.tolist(), edges.candidate.tolist(), edges.value.tolist(), strict=True)
    assert one == other == sorted(given_)
    assert Auction(network).run().optimal


def test_whoever_waits_hears_how_far_it_is_and_may_end_it():
    problem, told = drawn("tight"), []
    solution = solve(problem, report=lambda *told_: told.append(told_))
    works = [work for work, _, _ in told]
    assert works == sorted(works)
    assert works[-1] == solution.work
    found = [(value, bound) for _, value, bound in told if value is not None]
    assert all(value <= solution.value <= bound for value, bound in found)
    values, bounds = zip(*found, strict=True)
    assert list(values) == sorted(values)
    assert list(bounds) == sorted(bounds, reverse=True)
    assert solve(problem) == solution, "telling changes nothing"

    def enough(work, value, bound):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        solve(problem, report=enough)
