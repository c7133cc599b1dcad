"""Causes that need more than the edges of a plain market: restrictions, and what its maker knows."""

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings

from matching.core.allocation import (
    CandidateNode,
    Cause,
    Edges,
    EmptySeats,
    InvalidAllocation,
    KeptOut,
    Limit,
    Loosening,
    OpportunityNode,
    Problem,
    Share,
    diagnose,
    solve,
)
from tests.matching.core.allocations import market
from tests.matching.core.restrictions import kept, restricted

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

TITLES = {1: "Welder", 2: "Fitter"}


def could_take(problem: Problem) -> dict[int, dict[int, int]]:
    """Candidate → opportunity → hours, of all pairs that pins and exclusions leave open; without pinned ones."""
    edges, found = problem.edges, {node.key: {} for node in problem.candidates}
    for at in range(len(edges)):
        key = problem.opportunities[int(edges.opportunity[at])].key
        person = problem.candidates[int(edges.candidate[at])].key
        if (key, person) not in {*problem.excluded, *problem.pinned}:
            found[person][key] = 0 if edges.hours is None else int(edges.hours[at])
    return found


def most_together(problem: Problem, chosen: tuple[int, ...]) -> int:
    """How many seats of these opportunities people could take at best, each by count and hours alone."""
    total, edges = 0, problem.edges
    for node in problem.candidates:
        pinned = [key for key, person in problem.pinned if person == node.key]
        hours_of = {
            problem.opportunities[int(edges.opportunity[at])].key: 0 if edges.hours is None else int(edges.hours[at])
            for at in range(len(edges))
            if problem.candidates[int(edges.candidate[at])].key == node.key
        }
        room = None if node.hours is None else node.hours - sum(hours_of[key] for key in pinned)
        by_hours = sorted(could_take(problem)[node.key].values())
        fit = [n for n in range(len(by_hours) + 1) if room is None or sum(by_hours[:n]) <= room]
        here = [
            key
            for key, hours in could_take(problem)[node.key].items()
            if key in chosen and (room is None or hours <= room)
        ]
        total += min(len(here), max(fit), node.most - len(pinned))
    return total


@given(restricted())
@settings(max_examples=40)
def test_every_empty_seat_of_a_restricted_market_has_a_cause_that_holds(problem):
    solution = solve(problem)
    given_to = Counter(key for key, _ in solution.assignment)
    pinned = Counter(key for key, _ in problem.pinned)
    seats = {node.key: node.seats for node in problem.opportunities}
    explained: Counter[int] = Counter()
    unfillable: Counter[int] = Counter()
    for empty in diagnose(problem, solution):
        explained[empty.opportunity] += empty.empty
        assert empty.sentence({})
        match empty.cause:
            case Cause.NOBODY_PASSES:
                assert not np.isin(problem.opportunity_keys()[problem.edges.opportunity], empty.opportunity).any()
            case Cause.LIMIT:
                (limit,) = (one for one in problem.limits if one.key == empty.limit)
                assert empty.opportunity in limit.opportunities == empty.opportunities
                assert sum(given_to[key] for key in limit.opportunities) == limit.most == empty.seats
            case Cause.SHARE:
                (share,) = (one for one in problem.shares if one.opportunity == empty.opportunity)
                assert seats[empty.opportunity] - given_to[empty.opportunity] <= share.seats
            case Cause.COMPETITION if not problem.plain:
                unfillable[empty.opportunity] = empty.empty
                chosen = empty.opportunities
                assert empty.seats == sum(seats[key] - pinned[key] for key in chosen)
                assert empty.candidates == most_together(problem, chosen) < empty.seats
                assert empty.minimal
                others = [key for key in chosen if key != empty.opportunity]
                for size in range(len(others)):
                    for some in combinations(others, size):
                        smaller = (empty.opportunity, *some)
                        assert sum(seats[key] - pinned[key] for key in smaller) <= most_together(problem, smaller)
            case Cause.NOT_WORTH_IT:
                assert empty.loss is not None
    assert explained == Counter({key: seats[key] - given_to[key] for key in seats if seats[key] > given_to[key]})

    for taken in product((False, True), repeat=len(problem.edges)) if unfillable else ():
        chosen_edges = [at for at, takes in enumerate(taken) if takes]
        counts = Counter(problem.opportunities[int(problem.edges.opportunity[at])].key for at in chosen_edges)
        for key, never in unfillable.items():
            if all(counts[other] == given_to[other] for other in seats if other != key):
                assert counts[key] <= seats[key] - never or not kept(problem, chosen_edges)


def explained(problem: Problem, **more: object) -> EmptySeats:
    (empty,) = diagnose(problem, solve(problem), **more)  # type: ignore[arg-type]
    return empty


def test_a_limit_that_is_used_up_is_named_with_what_one_more_would_bring():
    empty = explained(market({1: 1, 2: 1}, [1, 2], {(1, 1): 5, (2, 2): 9}, limits=(Limit(7, (1, 2), 1),)))
    assert (empty.opportunity, empty.cause, empty.limit) == (1, Cause.LIMIT, 7)
    (loosened,) = empty.loosened
    assert (loosened.of, loosened.by, loosened.people) == (Cause.LIMIT, 1, 1)
    assert 5 <= loosened.value <= 9
    assert empty.sentence(TITLES) == (
        "1 seat of Welder stays empty: a limit of 1 seat over these and Fitter is used up."
        f" A limit higher by 1 would add up to {loosened.value} to the total value."
    )


def test_seats_reserved_for_people_of_whom_none_is_left_are_told():
    empty = explained(market({1: 2}, [1, 2], {(1, 1): 5, (1, 2): 9}, shares=(Share(1, 1, ()),)))
    (loosened,) = empty.loosened
    assert (empty.cause, loosened.of, loosened.by, loosened.people) == (Cause.SHARE, Cause.SHARE, 1, 1)
    assert 5 <= loosened.value <= 9
    assert empty.sentence(TITLES).startswith("1 seat of Welder stays empty: it is reserved for people of whom none")


def with_hours(room: int | None, *asked: int) -> Problem:
    """One person who takes any number of seats, one of each opportunity, that ask for so many hours."""
    columns = np.arange(len(asked)), np.zeros(len(asked), np.int64), np.full(len(asked), 5), np.array(asked)
    rows = tuple(OpportunityNode(1 + row, 1) for row in range(len(asked)))
    return Problem(rows, (CandidateNode(1, room, len(asked)),), Edges(*columns))


def test_too_few_hours_from_the_start_and_beside_what_one_has():
    for problem in (with_hours(30, 35), with_hours(40, 30, 20, 12)):
        found = diagnose(problem, solve(problem))
        assert all(empty.cause in {Cause.HOURS, Cause.COMPETITION} for empty in found)
    (alone,) = diagnose(with_hours(30, 35), solve(with_hours(30, 35)))
    assert (alone.cause, alone.candidates) == (Cause.HOURS, 1)
    assert alone.loosened == (Loosening(Cause.HOURS, 5, 1),)
    assert alone.sentence(TITLES).endswith("Asking for 5 hours less would let 1 more person in.")


def test_what_keeps_people_out_is_the_cause_where_nobody_is_left_and_the_gain_of_loosening_everywhere():
    problem = market({1: 2}, [], {})
    kept_out = KeptOut(pay=(250, 900, 1200), hours=(3,), min_fit=(), elsewhere=2)
    empty = explained(problem, kept_out={1: kept_out})
    assert (empty.cause, empty.candidates) == (Cause.PAY, 3)
    assert empty.loosened == (
        Loosening(Cause.PAY, 250, 1),
        Loosening(Cause.PAY, 900, 2),
        Loosening(Cause.HOURS, 3, 1),
        Loosening(Cause.ACCEPT_ELSEWHERE, 1, 2),
    )
    assert empty.sentence(TITLES) == (
        "2 seats of Welder stay empty: 3 people pass, but all ask for more than it pays."
        " Paying 2.50 more an hour would let 1 more person in. Paying 9.00 more an hour would let 2 more people in."
        " Asking for 3 hours less would let 1 more person in. 2 people would pass if not engaged elsewhere."
    )
    assert empty.to_data()["loosened"][0] == {"of": "pay", "by": 250, "people": 1, "value": None}
    assert explained(problem, kept_out={1: KeptOut(elsewhere=1)}).cause is Cause.ACCEPT_ELSEWHERE
    assert explained(problem, kept_out={1: KeptOut(min_fit=(40_000,))}).cause is Cause.MIN_FIT
    assert explained(problem, kept_out={1: KeptOut()}).cause is Cause.NOBODY_PASSES
    scarce = explained(market({1: 2}, [1], {(1, 1): 5}), kept_out={1: KeptOut(hours=(4,))})
    assert scarce.cause is Cause.COMPETITION
    assert scarce.loosened == (Loosening(Cause.COMPETITION, 1, 1, 5), Loosening(Cause.HOURS, 4, 1))


@pytest.mark.parametrize(
    ("kept_out", "one", "two"),
    [
        ("pay", "1 person passes, but asks for more", "2 people pass, but all ask for more"),
        ("hours", "1 person passes, but has too few", "2 people pass, but have too few"),
        ("min_fit", "1 person passes, but suits less", "2 people pass, but all suit less"),
        ("elsewhere", "1 person passes, but is engaged", "2 people pass, but are engaged"),
    ],
)
def test_a_sentence_speaks_of_one_person_as_of_one(kept_out, one, two):
    for people, said in ((1, one), (2, two)):
        out = KeptOut(**{kept_out: people if kept_out == "elsewhere" else (5,) * people})
        assert said in explained(market({1: 2}, [], {}), kept_out={1: out}).sentence(TITLES)


def test_people_who_would_sooner_accept_where_they_are_proposed_are_told_from_those_who_are_merely_worth_more_there():
    problem = market({1: 1, 2: 1}, [1, 2], {(1, 1): 5, (2, 1): 100, (2, 2): 1})
    assert explained(problem, acceptance=np.array([3, 9, 9])).cause is Cause.ACCEPT_ELSEWHERE
    assert explained(problem, acceptance=np.array([9, 3, 9])).cause is Cause.NOT_WORTH_IT
    assert "94" in explained(problem, acceptance=np.array([3, 9, 9])).sentence(TITLES)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kept_out": {9: KeptOut()}}, "UNKNOWN_KEY"),
        ({"acceptance": np.array([1, 2])}, "RAGGED_EDGES"),
        ({"acceptance": np.array([0.5])}, "NOT_AN_INTEGER"),
    ],
)
def test_knowledge_that_does_not_belong_to_the_market_is_refused(more, code):
    with pytest.raises(InvalidAllocation) as refusal:
        explained(market({1: 2}, [1], {(1, 1): 5}), **more)
    assert refusal.value.code == code
