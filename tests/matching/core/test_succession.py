"""Which model a segment goes back to."""

from hypothesis import given
from hypothesis import strategies as st

from matching.core.succession import LoggedMove, model_before

A, B, C = 1, 2, 3


class Segment:
    """What the actions log, played without them."""

    def __init__(self, live: int | None = None) -> None:
        self.live, self.log = live, []

    def promote(self, model: int, action: str = "promote") -> None:
        self.retire()
        self.log.append(LoggedMove(model, "draft", "live", action))
        self.live = model

    def retire(self) -> None:
        if self.live is not None:
            self.log.append(LoggedMove(self.live, "live", "retired", "retire"))
        self.live = None

    def roll_back(self) -> int | None:
        before = model_before(self.log, self.live)
        if before is not None:
            self.promote(before, "restore")
        return before


def test_nothing_was_before_the_first():
    assert model_before([], None) is None
    assert model_before([], A) is None
    assert model_before([LoggedMove(A, "draft", "live", "promote")], A) is None


def test_the_first_model_of_a_database_is_found_though_no_log_tells_of_its_promotion():
    segment = Segment(live=A)
    segment.promote(B)
    assert segment.roll_back() == A
    assert segment.roll_back() is None


def test_going_back_again_leads_further_back_and_never_to_what_was_taken_back():
    segment = Segment(live=A)
    for model in (B, C):
        segment.promote(model)
    assert [segment.roll_back() for _ in range(3)] == [B, A, None]


def test_what_is_promoted_after_going_back_has_before_it_what_was_gone_back_to():
    segment = Segment(live=A)
    segment.promote(B)
    segment.roll_back()
    segment.promote(C)
    assert [segment.roll_back(), segment.roll_back()] == [A, None]


def test_where_nothing_is_live_the_last_that_was_comes_back():
    segment = Segment(live=A)
    segment.promote(B)
    segment.retire()
    assert [segment.roll_back(), segment.roll_back()] == [B, A]


def test_a_model_that_was_live_twice_is_gone_back_to_in_its_turn():
    segment = Segment(live=A)
    for model in (B, A):
        segment.promote(model)
    assert [segment.roll_back() for _ in range(3)] == [B, A, None]


@given(st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["retire", "back"])), max_size=20))
def test_going_back_never_leads_to_the_live_one_and_always_ends(steps):
    segment = Segment()
    for step in steps:
        if step == "retire":
            segment.retire()
        elif step == "back":
            segment.roll_back()
        elif step != segment.live:
            segment.promote(step)
    for _ in range(len(steps) + 1):
        live, before = segment.live, segment.roll_back()
        assert before is None or before != live
    assert before is None
