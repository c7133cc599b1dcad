from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from matching.core.allocation import CandidateNode, Cause, Edges, OpportunityNode, Problem, diagnose, solve
from tests.matching.core.allocations import market, markets, outcomes, proper_subsets_with, too_few_people

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

TITLES = {1: "Welder", 2: "Fitter", 3: "Driver"}


def diagnosed(*drawn, **more):
    problem = market(*drawn, **more)
    return diagnose(problem, solve(problem))


@given(markets())
@settings(max_examples=80)
def test_every_empty_seat_has_a_cause_that_holds_by_exhaustion(drawn):
    seats, _, edges = drawn
    problem = market(*drawn)
    solution = solve(problem)
    given_to = Counter(key for key, _ in solution.assignment)
    found = diagnose(problem, solution)
    ways = outcomes(*drawn)
    keys = sorted(seats)

    explained: Counter[int] = Counter()
    fillable: Counter[int] = Counter()
    for empty in found:
        explained[empty.opportunity] += empty.empty
        chosen = empty.opportunities
        if empty.cause is Cause.NOBODY_PASSES:
            assert not any(key == empty.opportunity for key, _ in edges)
        elif empty.cause is Cause.COMPETITION:
            assert empty.minimal
            assert empty.opportunity in chosen
            assert too_few_people(chosen, seats, edges)
            assert empty.seats == sum(seats[key] for key in chosen)
            assert empty.candidates == len({person for key, person in edges if key in chosen})
            assert not any(
                too_few_people(some, seats, edges) for some in proper_subsets_with(empty.opportunity, chosen)
            )
        elif empty.cause is Cause.NOT_WORTH_IT:
            fillable[empty.opportunity] = empty.empty
            filled = tuple(given_to[key] + (key == empty.opportunity) for key in keys)
            assert empty.loss == solution.value - ways[filled]
            assert empty.loss > 0
    assert explained == Counter({key: seats[key] - given_to[key] for key in keys if seats[key] > given_to[key]})

    for key in keys:  # no more seats can be filled than the diagnosis says, all others keeping what they have
        filled = {other: given_to[other] for other in keys}
        most = max(
            more for more in range(7) if tuple((filled | {key: filled[key] + more})[one] for one in keys) in ways
        )
        assert most == fillable[key]


def test_nobody_passes():
    (empty,) = diagnosed({1: 2}, [1], {})
    assert (empty.cause, empty.empty) == (Cause.NOBODY_PASSES, 2)
    assert empty.sentence(TITLES) == "2 seats of Welder stay empty: nobody who is available passes its rule."


def test_everybody_was_set_aside():
    (empty,) = diagnosed({1: 1}, [1], {(1, 1): 5}, excluded=((1, 1),))
    assert empty.cause is Cause.SET_ASIDE


def test_competition_names_the_opportunities_that_share_too_few_people():
    edges = {(1, 1): 5, (2, 1): 9, (3, 2): 1}
    (empty,) = diagnosed({1: 1, 2: 1, 3: 1}, [1, 2], edges)
    assert (empty.cause, empty.opportunities, empty.seats, empty.candidates) == (Cause.COMPETITION, (1, 2), 2, 1)
    assert empty.sentence(TITLES) == (
        "1 seat of Welder stays empty: together with Fitter it has 2 open seats, which only 1 person could take."
        " 1 more person who could take them would be needed, the first of them worth up to 9."
    )
    assert empty.to_data()["cause"] == "competition"


def test_many_seats_of_one_opportunity_do_not_hide_a_smaller_set():
    seats = {1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 3}
    edges = {(1, 1): 3, (1, 2): 0, (1, 3): 6, (2, 2): 1, (2, 3): 7, (4, 2): 8}
    edges |= {(4, 3): 2, (5, 3): 9, (6, 1): 5, (6, 2): 5, (6, 3): 6}
    for empty in diagnosed(seats, [1, 2, 3], edges):
        assert too_few_people(empty.opportunities, seats, edges) or not empty.candidates
        assert not any(
            too_few_people(some, seats, edges) for some in proper_subsets_with(empty.opportunity, empty.opportunities)
        )


def test_a_long_chain_of_exchanges_is_one_set():
    length = 300
    edges = {(row, row): 10 for row in range(1, length)} | {(row + 1, row): 11 for row in range(1, length)}
    (empty,) = diagnosed(dict.fromkeys(range(1, length + 1), 1), list(range(1, length)), edges)
    assert (empty.cause, len(empty.opportunities), empty.minimal) == (Cause.COMPETITION, length, True)


def test_a_seat_that_would_cost_more_than_it_adds():
    edges = {(1, 1): 5, (2, 1): 100, (2, 2): 1}
    (empty,) = diagnosed({1: 1, 2: 1}, [1, 2], edges)
    assert (empty.cause, empty.loss) == (Cause.NOT_WORTH_IT, 94)
    assert "94" in empty.sentence(TITLES)


def test_pinned_people_and_their_seats_count_on_neither_side():
    edges = {(1, 1): 5, (1, 2): 5, (2, 1): 9}
    (empty,) = diagnosed({1: 2, 2: 1}, [1, 2], edges, pinned=((2, 1),))
    assert (empty.opportunities, empty.seats, empty.candidates, empty.empty) == ((1,), 2, 1, 1)


def test_the_work_limit_ends_the_search_with_a_set_that_still_holds():
    rng = np.random.default_rng(11)
    rows, people = np.meshgrid(np.arange(20), np.arange(60))
    some = rng.random(rows.size) < 0.3
    problem = Problem(
        opportunities=tuple(OpportunityNode(row, 4) for row in range(20)),
        candidates=tuple(CandidateNode(person) for person in range(60)),
        edges=Edges(rows.ravel()[some], people.ravel()[some], rng.integers(1, 100, some.sum())),
    )
    solution = solve(problem)
    for empty in diagnose(problem, solution, work_limit=0):
        assert not empty.minimal
        assert empty.seats > empty.candidates
    assert all(empty.minimal for empty in diagnose(problem, solution))
