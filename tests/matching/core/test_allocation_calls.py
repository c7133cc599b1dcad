from fractions import Fraction
from itertools import product
from math import ceil, floor, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.allocation import CallSize, InvalidAllocation, call_size

PPM = 1_000_000
chances = st.lists(st.integers(0, PPM) | st.sampled_from([0, 100_000, 500_000, PPM]), max_size=6)


def by_hand(people: list[int], seats: int) -> tuple[Fraction, Fraction]:
    """The chance that more accept than there are seats, and the seats filled on average: over all possible answers."""
    overrun = filled = Fraction(0)
    for answers in product([0, 1], repeat=len(people)):
        chance = prod(Fraction(p if yes else PPM - p, PPM) for p, yes in zip(people, answers, strict=True))
        overrun += chance * (sum(answers) > seats)
        filled += chance * min(sum(answers), seats)
    return overrun, filled


@given(chances, st.integers(0, 5), st.integers(0, PPM) | st.sampled_from([0, 10_000, PPM]), chances)
def test_a_call_goes_to_as_many_as_keep_the_limit_and_to_no_more(people, seats, limit, outstanding):
    found = call_size(people, seats, limit_ppm=limit, outstanding_ppm=outstanding[:3])
    before = outstanding[:3]
    sizes = [0] + [
        size
        for size in range(1, len(people) + 1)
        if seats and by_hand([*before, *people[:size]], seats)[0] * PPM <= limit
    ]
    assert found.offers == max(sizes)
    overrun, filled = by_hand([*before, *people[: found.offers]], seats)
    near = Fraction(1, 10**11)  # of a whole number of millionths
    assert found == CallSize(found.offers, ceil(overrun * PPM * (1 - near)), floor(filled * PPM * (1 + near)))


@given(chances, st.integers(1, 5), st.integers(0, PPM - 1), st.data())
def test_more_seats_a_higher_limit_or_less_eager_people_never_make_a_call_smaller(people, seats, limit, data):
    size = call_size(people, seats, limit_ppm=limit).offers
    assert call_size(people, seats + 1, limit_ppm=limit).offers >= size
    assert call_size(people, seats, limit_ppm=limit + 1).offers >= size
    less_eager = [data.draw(st.integers(0, p)) for p in people]
    assert call_size(less_eager, seats, limit_ppm=limit).offers >= size
    assert call_size(people, seats, limit_ppm=limit, outstanding_ppm=[PPM]).offers <= size


def test_a_limit_that_is_met_to_the_millionth_is_kept():
    assert call_size([100_000] * 3, 1, limit_ppm=28_000).offers == 3  # 1 − 0.9³ − 3 · 0.1 · 0.9²
    assert call_size([100_000] * 3, 1, limit_ppm=27_999).offers == 2


def test_a_call_for_thousands_of_seats_is_sized_at_once():
    found = call_size(np.full(20_000, 500_000), 5_000, limit_ppm=10_000)
    assert 9_700 < found.offers < 10_000  # the normal approximation says 9,770
    assert 0.97 * 5_000 * PPM < found.expected_ppm <= 5_000 * PPM
    assert found.overrun_ppm <= 10_000


@pytest.mark.parametrize(
    ("people", "seats", "options", "code"),
    [
        ([-1], 1, {}, "VALUE_OUT_OF_RANGE"),
        ([PPM + 1], 1, {}, "VALUE_OUT_OF_RANGE"),
        ([0.5], 1, {}, "NOT_AN_INTEGER"),
        ([float("nan")], 1, {}, "NOT_AN_INTEGER"),
        ([1], -1, {}, "NEGATIVE_NUMBER"),
        ([1], 1.5, {}, "NOT_AN_INTEGER"),
        ([1], 1, {"limit_ppm": -1}, "NEGATIVE_NUMBER"),
        ([1], 1, {"limit_ppm": PPM + 1}, "VALUE_OUT_OF_RANGE"),
        ([1], 1, {"outstanding_ppm": [-3]}, "VALUE_OUT_OF_RANGE"),
    ],
)
def test_what_is_no_probability_or_number_of_seats_is_refused(people, seats, options, code):
    with pytest.raises(InvalidAllocation) as refusal:
        call_size(people, seats, **{"limit_ppm": 0, **options})
    assert refusal.value.code == code
