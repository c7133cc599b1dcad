"""Timers fire once, after their moment, and outlast what breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actions import timers
from accounts.models import Timer

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
fired: list[int] = []


def note(subject_id: int, now: datetime) -> None:
    fired.append(subject_id)


def fail(subject_id: int, now: datetime) -> None:
    raise RuntimeError("stuck")


def again(subject_id: int, now: datetime) -> None:
    timers.set_timer("again", subject_id, now + timedelta(hours=1))


@pytest.fixture(autouse=True)
def kinds(settings, db):
    settings.TIMERS = {name: f"{__name__}.{name}" for name in ("note", "fail", "again")}
    fired.clear()


def test_timer_fires_once_after_its_moment():
    timers.set_timer("note", 7, NOW)
    assert timers.fire_due(NOW - timedelta(seconds=1)) == 0
    assert timers.fire_due(NOW) == 1
    assert timers.fire_due(NOW + timedelta(days=1)) == 0
    assert fired == [7]


def test_setting_a_timer_again_moves_it():
    timers.set_timer("note", 7, NOW)
    timers.set_timer("note", 7, NOW + timedelta(hours=1))
    assert timers.fire_due(NOW) == 0
    assert timers.fire_due(NOW + timedelta(hours=1)) == 1


def test_cancelled_timer_does_not_fire():
    timers.set_timer("note", 7, NOW)
    timers.cancel_timer("note", 7)
    assert timers.fire_due(NOW) == 0


def test_failing_timer_is_tried_again_later():
    timers.set_timer("fail", 7, NOW)
    timers.fire_due(NOW)
    timer = Timer.objects.get()
    assert (timer.fired_at, timer.attempts, timer.due_at) == (None, 1, NOW + timedelta(seconds=2))
    assert timer.last_error.startswith("RuntimeError at ")


def test_handler_may_set_its_timer_anew():
    timers.set_timer("again", 7, NOW)
    timers.fire_due(NOW)
    timer = Timer.objects.get()
    assert (timer.fired_at, timer.due_at) == (None, NOW + timedelta(hours=1))


def test_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        timers.set_timer("nonsense", 7, NOW)
