"""A worker that dies in the midst of a re-scoring of everything loses nothing, and repeats nothing that was done."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.chaos.bustle import Bustle
from tests.live import LiveMuster, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.xdist_group("live")]

KEEP = "CREATE TABLE kept_matches AS SELECT * FROM matching_match"
ONE_OF_THEM = "INSERT INTO matching_match SELECT * FROM kept_matches ORDER BY opportunity_id DESC, id DESC LIMIT 1"
DIFFERENT = """
    WITH now AS (SELECT opportunity_id, candidate_id, model_id, fit, outcome FROM matching_match),
        before AS (SELECT opportunity_id, candidate_id, model_id, fit, outcome FROM kept_matches)
    SELECT count(*) FROM ((TABLE now EXCEPT TABLE before) UNION ALL (TABLE before EXCEPT TABLE now)) AS differing
"""
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE %s
"""
MATCHES = "SELECT count(*) FROM matching_match"
DONE = "SELECT coalesce(sum(done), 0) FROM matching_rescorechunk WHERE phase = 3"
MARKS = "SELECT (SELECT count(*) FROM matching_mark) + (SELECT count(*) FROM matching_pairmark)"
MOVES = """
    SELECT action FROM accounts_transition WHERE subject_type = 'rescore' AND subject_id = %s ORDER BY id
"""


@contextmanager
def emptied(live: LiveMuster) -> Iterator[None]:
    """Nothing waits, no worker runs, and all matches are gone: what they were is kept to compare."""
    if not live.one(MATCHES):  # a market that was only loaded has published nothing that could be scored
        answer = live.run("-m", "config.evening", "--graphql", live.graphql, "--seed", "7")
        assert answer.returncode == 0, answer.stderr[-3000:]
    pending = "SELECT count(*) FROM accounts_delivery WHERE state = 'pending'"
    waiting = f"SELECT ({pending}) + ({MARKS})"
    assert eventually(lambda: live.one(waiting) == 0, seconds=180), (live.one(waiting), live.log("worker")[-3000:])
    live.kill_worker()
    with live.connect() as connection:
        connection.execute(KEEP)
        connection.execute("DELETE FROM matching_match")
    try:
        yield
    finally:
        with live.connect() as connection:
            connection.execute("DROP TABLE kept_matches")


def rescore(live: LiveMuster, *arguments: str) -> str:
    answer = live.run("manage.py", "rescore", "--skip-checks", *arguments)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return answer.stdout


def status(live: LiveMuster) -> dict:
    return json.loads(rescore(live, "status", "--json"))["rescorings"][0]


def kill_at(live: LiveMuster, statement: str) -> None:
    assert eventually(lambda: live.one(BLOCKED, statement), seconds=180), live.log("worker")[-9000:]
    live.kill_worker()


def kill_while_it_writes(live: LiveMuster) -> None:
    """Hold a chunk up in its INSERT, by one of its rows in a transaction of ours, and kill the worker there."""
    with live.connect() as connection:
        connection.execute(ONE_OF_THEM)
        live.start_worker()
        kill_at(live, 'INSERT INTO "matching_match"%')
        connection.rollback()


def kill_while_it_commits(live: LiveMuster) -> None:
    """Hold a chunk up in its COMMIT, where keys are checked, by a lock on all candidates, and kill the worker there: it
    never learns that the chunk was done."""
    with live.connect() as connection:
        connection.execute("SELECT id FROM marketplace_candidate FOR UPDATE")
        live.start_worker()
        kill_at(live, "COMMIT")


def assert_done_once(live: LiveMuster, job: int, *, seconds: float = 60) -> None:
    """Everything is as it was, each subject is counted once, and it was begun and ended once."""
    state = "SELECT state FROM matching_rescore WHERE id = %s"

    def is_done() -> bool:
        live.processes.check()
        return live.one(state, job) == "done"

    assert eventually(is_done, seconds=seconds), (status(live), live.log("worker")[-2000:])
    assert live.one(DIFFERENT) == 0
    [(done, total, failed)] = live.rows("SELECT done, total, failed FROM matching_rescore WHERE id = %s", job)
    assert (done, failed) == (total, 0)
    assert [action for (action,) in live.rows(MOVES, job)] == ["begin", "finish"]
    assert live.one("SELECT count(*) FROM matching_rescorechunk") == 0


@pytest.mark.soak
def test_killed_in_the_middle_of_a_chunk_and_of_its_commit_everything_is_done_once(live: LiveMuster) -> None:
    with emptied(live):
        rescore(live, "start")
        kill_while_it_writes(live)
        assert (live.one(MATCHES), live.one(DONE)) == (0, 0), "neither scores nor progress"
        kill_while_it_commits(live)
        # The server commits what it was asked to, and the chunk with it.
        assert eventually(lambda: live.one(DONE) > 0, seconds=10)
        assert live.one(MATCHES) > 0
        job = status(live)
        assert (job["state"], job["failed"]) == ("running", 0)
        live.start_worker()
        assert_done_once(live, job["id"])


@pytest.mark.soak
def test_killed_again_and_again_and_the_bell_emptied_everything_is_done_once(live: LiveMuster) -> None:
    draw = random.Random(1)
    for _ in range(5):
        with emptied(live):
            rescore(live, "start")
            for _ in range(4):
                live.start_worker()
                time.sleep(draw.uniform(2.5, 7.0))  # from before it is up to after it is done
                live.kill_worker()
                with redis.Redis.from_url(live.environment["REDIS_URL"]) as client:
                    client.flushall()
            job = status(live)["id"]
            live.start_worker()
            assert_done_once(live, job, seconds=120)


@pytest.mark.soak
def test_it_goes_on_while_people_are_at_work_and_valkey_dies(live: LiveMuster, bustle: Bustle) -> None:
    job_of = "SELECT max(id) FROM matching_rescore"
    rescore(live, "start")
    bustle.play(30, {10: live.kill_valkey, 20: live.start_valkey})
    job = live.one(job_of)

    def everything_is_scored() -> bool:
        live.processes.check()  # a worker that ended with its broker is started again
        return live.one("SELECT state FROM matching_rescore WHERE id = %s", job) == "done" and live.one(MARKS) == 0

    assert eventually(everything_is_scored, seconds=180), (status(live), live.rows(MARKS), live.log("worker")[-2000:])
