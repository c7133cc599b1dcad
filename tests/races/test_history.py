"""The judge of histories, judged: it rejects what cannot have been, and agrees with trying every order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.races.history import ACCEPTED, OVERTAKEN, Operation, faults, is_explained


def history(*operations: tuple[int, int, str]) -> list[Operation]:
    return [Operation(*one) for one in operations]


def test_acceptances_that_overlap_may_fall_either_way():
    assert not faults(history((0, 9, OVERTAKEN), (1, 8, ACCEPTED)), seats=1)
    assert not faults(history((0, 2, ACCEPTED), (3, 4, OVERTAKEN)), seats=1)
    assert not faults([], seats=1)


@pytest.mark.parametrize(
    ("seats", "operations"),
    [
        pytest.param(1, [(0, 1, ACCEPTED), (2, 3, ACCEPTED)], id="oversold"),
        pytest.param(2, [(0, 1, ACCEPTED), (2, 3, OVERTAKEN)], id="overtaken while a seat was free"),
        pytest.param(1, [(0, 1, OVERTAKEN), (2, 3, ACCEPTED)], id="overtaken by somebody who came after"),
        pytest.param(2, [(0, 9, ACCEPTED), (1, 2, OVERTAKEN), (3, 4, ACCEPTED)], id="the same among others"),
    ],
)
def test_what_no_clerk_would_have_answered_is_rejected(seats, operations):
    assert faults(history(*operations), seats=seats)
    assert not is_explained(history(*operations), seats=seats)


def test_what_is_no_answer_or_ends_before_it_begins_is_rejected():
    assert faults(history((0, 1, "Deadlock")), seats=1)
    assert faults(history((1, 0, ACCEPTED)), seats=1)


operations = st.builds(
    lambda called, lasts, answer: Operation(called, called + lasts, answer),
    st.integers(0, 12),
    st.integers(0, 8),
    st.sampled_from([ACCEPTED, OVERTAKEN]),
)


@given(st.lists(operations, max_size=5), st.integers(1, 3))
def test_the_judge_agrees_with_trying_every_order(drawn, seats):
    assert (faults(drawn, seats=seats) == []) == is_explained(drawn, seats=seats)
