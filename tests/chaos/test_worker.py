"""A worker that dies takes nothing with it, and repeats nothing that it had finished."""

from __future__ import annotations

import pytest

from tests.chaos.books import assert_settled
from tests.chaos.bustle import Bustle
from tests.live import LiveMuster, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.xdist_group("live")]

PEOPLE = 8
PENDING = "SELECT count(*) FROM accounts_delivery WHERE state = 'pending'"
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE %s
"""
LAST_UNTOLD = """
    SELECT d.event_id, m.user_id
    FROM accounts_delivery d
    JOIN accounts_event e ON e.id = d.event_id AND e.name = 'ApplicationSubmitted'
    JOIN marketplace_application a ON a.id = e.aggregate_id
    JOIN marketplace_opportunity o ON o.id = a.opportunity_id
    JOIN accounts_membership m ON m.organisation_id = o.posting_organisation_id AND m.role = 'owner'
    WHERE d.state = 'pending' AND d.consumer = 'notifications'
    ORDER BY d.id DESC LIMIT 1
"""
THE_SAME = """
    INSERT INTO marketplace_notification (public_id, user_id, event_id, kind, subject_type, subject_id, text,
                                          created_at, mail_state, mail_attempts, mail_due_at, mail_error)
    VALUES (gen_random_uuid(), %s, %s, '', '', 0, '', now(), 'none', 0, now(), '')
"""


def kill_while_it_writes(live: LiveMuster) -> None:
    """Hold a delivery up in its INSERT, by the same row in a transaction of ours, and kill the worker there."""
    with live.connect() as connection:
        event_id, user_id = live.rows(LAST_UNTOLD)[0]
        connection.execute(THE_SAME, [user_id, event_id])
        live.start_worker()
        _kill_at(live, 'INSERT INTO "marketplace_notification"%')
        connection.rollback()


def kill_while_it_commits(live: LiveMuster) -> None:
    """Hold deliveries up in their COMMIT, where keys are checked, by a lock on all users, and kill the worker there: it
    never learns that they were done."""
    with live.connect() as connection:
        connection.execute("SELECT id FROM accounts_user FOR UPDATE")
        live.start_worker()
        _kill_at(live, "COMMIT")


def _kill_at(live: LiveMuster, statement: str) -> None:
    assert eventually(lambda: live.one(BLOCKED, statement), seconds=60), live.log("worker")[-2000:]
    live.kill_worker()


def test_killed_in_the_middle_of_a_delivery_everything_is_done_once(live: LiveMuster, bustle: Bustle) -> None:
    live.kill_worker()
    bustle.play(PEOPLE)
    assert live.one(PENDING) > PEOPLE
    kill_while_it_writes(live)
    assert live.one(PENDING) > 0

    live.start_worker()
    assert_settled(live, bustle, crashes=2)


@pytest.mark.soak
def test_killed_in_the_middle_of_a_delivery_and_again_everything_is_done_once(live: LiveMuster, bustle: Bustle) -> None:
    live.kill_worker()
    bustle.play(PEOPLE)
    assert live.one(PENDING) > PEOPLE
    kill_while_it_commits(live)
    kill_while_it_writes(live)
    assert live.one(PENDING) > 0

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
