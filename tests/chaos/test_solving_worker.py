"""A worker that is killed while it solves a run leaves it queued, and the next one solves it."""

from __future__ import annotations

import pytest

from tests.chaos.bustle import Bustle
from tests.chaos.test_mass_rescoring import kill_at
from tests.live import LiveMuster, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.soak, pytest.mark.xdist_group("live")]

NEWEST = "SELECT id, state FROM matching_allocationrun ORDER BY id DESC LIMIT 1"
MOVES = "SELECT action FROM accounts_transition WHERE subject_type = 'allocationrun' AND subject_id = %s ORDER BY id"
DELIVERY = """
    SELECT d.state, d.attempts FROM accounts_delivery d JOIN accounts_event e ON e.id = d.event_id
    WHERE d.consumer = 'allocation' AND e.name = 'AllocationQueued' AND e.aggregate_id = %s
"""


def test_a_run_left_in_solving_by_a_killed_worker_is_solved_by_the_next(live: LiveMuster, bustle: Bustle) -> None:
    bustle.apply(8)
    live.kill_worker()
    queued = bustle.market.act(
        bustle.recruiter, "planAllocation", "... on AllocationRun { state }", organisationId=bustle.organisation
    )
    assert isinstance(queued, dict), queued
    assert queued["state"] == "QUEUED"
    with live.connect() as connection:
        # The worker moves the run to `solving`, and waits to log that.
        connection.execute("LOCK TABLE accounts_transition IN SHARE MODE")
        live.start_worker()
        kill_at(live, '%WITH changed AS (UPDATE "matching_allocationrun" SET "state"%')
        connection.rollback()
    [(run, state)] = live.rows(NEWEST)
    assert state == "queued"
    assert live.rows(DELIVERY, run) == [("pending", 0)]
    live.start_worker()
    assert eventually(lambda: live.rows(NEWEST) == [(run, "planned")], seconds=120), live.log("worker")[-3000:]
    assert live.rows(MOVES, run) == [("solve",), ("plan",)]
    assert live.rows(DELIVERY, run) == [("done", 1)]
