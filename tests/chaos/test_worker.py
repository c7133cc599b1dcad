"""A worker that dies takes nothing with it, and repeats nothing that it had finished."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.chaos.books import assert_settled
from tests.chaos.bustle import Bustle
from tests.live import LiveMuster, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.xdist_group("chaos")]

PEOPLE = 20
PENDING = "SELECT count(*) FROM accounts_delivery WHERE state = 'pending'"
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO "marketplace_notification"%%'
"""


@contextlib.contextmanager
def users_locked(live: LiveMuster) -> Iterator[None]:
    """Whoever writes a notification waits in the middle of it."""
    with live.connect() as connection:
        connection.execute("SELECT id FROM accounts_user FOR UPDATE")
        yield


def kill_in_the_middle(live: LiveMuster) -> None:
    """Hold the worker up between a delivery's first statement and its commit, and kill it there."""
    with users_locked(live):
        assert eventually(lambda: live.one(BLOCKED), seconds=60), "no delivery was under way"
        live.kill_worker()


def test_killed_in_the_middle_of_a_delivery_and_again_everything_is_done_once(live: LiveMuster, bustle: Bustle) -> None:
    live.kill_worker()
    bustle.play(PEOPLE)
    assert live.one(PENDING) > PEOPLE
    live.start_worker()
    kill_in_the_middle(live)
    left = live.one(PENDING)
    assert left > 0
    live.start_worker()
    kill_in_the_middle(live)

    live.start_worker()
    assert_settled(live, bustle, crashes=4)


@pytest.mark.soak
def test_killed_ten_times_while_people_are_at_work_everything_is_done_once(live: LiveMuster, bustle: Bustle) -> None:
    everybody = len(bustle.candidates)

    def die_and_return() -> None:
        live.kill_worker()
        live.start_worker()

    for _ in range(10):
        bustle.open_another(seats=60)
        bustle.play(everybody, {everybody // 3: die_and_return, 2 * everybody // 3: die_and_return})
        assert_settled(live, bustle, crashes=40, seconds=180)
