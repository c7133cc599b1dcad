import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.allocation import (
    Arrival,
    InvalidAllocation,
    Pace,
    Route,
    SeatPrice,
    price_now,
    route,
    seat_prices,
    solve,
)
from tests.matching.core.allocations import market, markets
from tests.matching.core.arriving import MILLION, shares

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process

numbers = st.integers(0, 50)
boards = st.dictionaries(st.integers(1, 9), st.builds(SeatPrice, numbers, numbers, numbers, st.integers(0, 2)))
paces = st.none() | st.builds(Pace, st.integers(0, MILLION), numbers, numbers, numbers, numbers)


@given(boards, paces, st.data())
def test_a_person_goes_where_their_value_exceeds_the_price_most(board, pace, data):
    values = {key: data.draw(st.integers(0, 60)) for key in board}
    found = route(values.items(), board, pace)
    margins = {key: value - price_now(board[key], pace) for key, value in values.items() if board[key].left}
    if found is None:
        assert max(margins.values(), default=-1) < 0
        return
    assert found.margin == margins[found.opportunity] == max(margins.values()) >= 0
    assert found == Route(found.opportunity, values[found.opportunity], found.value - found.margin, found.margin)
    assert route(reversed(values.items()), board, pace) == found


@given(boards, paces, st.binary(max_size=16), st.data())
def test_a_stored_arrival_is_routed_to_the_same_place_with_the_same_bytes(board, pace, salt, data):
    arrival = Arrival(tuple((key, data.draw(st.integers(0, 60))) for key in sorted(board)), board, pace, salt)
    again = Arrival.from_json(arrival.to_json())
    assert again == arrival
    assert again.to_json() == arrival.to_json()
    assert again.route() == arrival.route() == route(arrival.edges, board, pace, salt=salt)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"edges": [[1]]}, "MALFORMED_SNAPSHOT"),
        ({"edges": [[1, 2], [1, 3]]}, "DUPLICATE_KEY"),
        ({"edges": [[True, 2]]}, "NOT_AN_INTEGER"),
        ({"seats": [[1, 2, 3]]}, "MALFORMED_SNAPSHOT"),
        ({"seats": [[1, 2.5, 3, 0, 3]]}, "NOT_AN_INTEGER"),
        ({"seats": []}, "UNKNOWN_KEY"),
        ({"pace": {"passed_ppm": 1}}, "MALFORMED_SNAPSHOT"),
        ({"pace": []}, "MALFORMED_SNAPSHOT"),
        ({"salt": "xyz"}, "MALFORMED_SNAPSHOT"),
        ({"salt": None}, "MALFORMED_SNAPSHOT"),
    ],
)
def test_a_stored_arrival_that_makes_no_sense_is_refused(changed, code):
    sound = {"edges": [[1, 9]], "seats": [[1, 2, 3, 0, 3]], "pace": None, "salt": ""}
    assert Arrival.from_json(json.dumps(sound)).route() == Route(1, 9, 2, 7)
    with pytest.raises(InvalidAllocation) as refused:
        Arrival.from_json(json.dumps(sound | changed)).route()
    assert refused.value.code == code


@given(markets())
def test_whoever_a_run_assigned_is_sent_there_by_its_prices_or_where_they_are_worth_as_much(drawn):
    """At the prices of an optimal run everybody's own seat is among the best they could have."""
    _, _, edges = drawn
    problem = market(*drawn)
    solution = solve(problem)
    board = seat_prices(problem, solution)
    for key, person in solution.assignment:
        found = route([(at, value) for (at, one), value in edges.items() if one == person], board)
        assert found is not None
        assert found.margin == edges[key, person] - board[key].price == solution.candidate_prices[person]


def test_a_price_rises_with_seats_filled_ahead_of_time_and_falls_with_those_behind():
    seat = SeatPrice(price=100, seats=10, expected=10, left=5)
    half = Pace(passed_ppm=500_000, seats=100, expected=100, left=50, typical=40)
    assert price_now(seat, None) == price_now(seat, half) == 100
    assert price_now(SeatPrice(100, 10, 10, 0), half) == 120
    assert price_now(SeatPrice(100, 10, 10, 10), half) == 80
    assert price_now(SeatPrice(100, 10, 5, 5), half) == 110
    assert price_now(seat, Pace(500_000, 100, 100, 49, 40)) == 140
    assert price_now(seat, Pace(500_000, 100, 100, 60, 40)) == 0


def test_nobody_is_sent_where_no_seat_is_left_or_where_they_are_worth_less_than_it_costs():
    full, dear = SeatPrice(0, 3, 3, 0), SeatPrice(10, 3, 3, 3)
    assert route([(1, 99), (2, 9)], {1: full, 2: dear}) is None
    assert route([(1, 99), (2, 10)], {1: full, 2: dear}) == Route(2, 10, 10, 0)
    assert route([], {}) is None


def test_equals_fall_differently_under_another_salt():
    board = {key: SeatPrice(5, 1, 1, 1) for key in range(20)}
    chosen = {route([(key, 9) for key in board], board, salt=bytes([salt])).opportunity for salt in range(20)}
    assert len(chosen) > 5


@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_routing_beats_greedy_whether_or_not_people_come_as_expected(drift):
    routed, greedy = shares(60, 600, 12, filled=0.98, drift=drift)
    assert routed > greedy
    assert drift or routed >= 0.95


def test_where_seats_abound_routing_is_as_good_as_greedy():
    routed, greedy = shares(60, 600, 12, filled=1.5, drift=0.0)
    assert routed >= greedy > 0.9


@pytest.mark.soak
@pytest.mark.parametrize("drift", [0.0, 0.3, 1.0])
def test_a_thousand_opportunities_and_ten_thousand_arrivals(drift):
    routed, greedy = shares(1000, 10_000, 48, filled=0.98, drift=drift)
    print(drift, routed, greedy)
    assert routed > greedy
    assert drift or routed >= 0.95


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (lambda: SeatPrice(-1, 1, 1, 1), "NEGATIVE_NUMBER"),
        (lambda: SeatPrice(1, 1.5, 1, 1), "NOT_AN_INTEGER"),  # type: ignore[arg-type]
        (lambda: Pace(MILLION + 1, 1, 1, 1, 1), "VALUE_OUT_OF_RANGE"),
        (lambda: route([(1, 1)], {}), "UNKNOWN_KEY"),
        (lambda: route([(1, -1)], {1: SeatPrice(1, 1, 1, 1)}), "NEGATIVE_NUMBER"),
        (lambda: route([(1, float("nan"))], {1: SeatPrice(1, 1, 1, 1)}), "NOT_AN_INTEGER"),  # type: ignore[list-item]
    ],
)
def test_what_makes_no_sense_is_refused(asked, code):
    with pytest.raises(InvalidAllocation) as refusal:
        asked()
    assert refusal.value.code == code
