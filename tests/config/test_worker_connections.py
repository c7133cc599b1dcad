"""Tasks of one worker process share a connection, as requests of one web server do."""

import time
from types import SimpleNamespace

import pytest
from celery.signals import task_postrun
from celery.states import FAILURE, SUCCESS
from django.db import connection, connections

from accounts.tasks import heartbeat
from config.celery import app

LOCK = 0x7461736B


@pytest.fixture
def pooled(db, monkeypatch):
    """A connection with a pool, as workers have it."""
    own = connection.copy(alias="pooled")
    own.settings_dict["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 1}
    monkeypatch.setattr("config.celery.close_old_connections", own.close_if_unusable_or_obsolete)
    monkeypatch.setattr("config.celery.connections", SimpleNamespace(all=lambda **_: [own]))
    connections["pooled"] = own
    yield own
    own.close()
    own.close_pool()
    del connections["pooled"]


def _work(own):
    with own.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_try_advisory_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _is_free():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def test_a_task_finds_the_connection_of_the_last_one(pooled):
    before = _work(pooled)
    task_postrun.send(sender=heartbeat, state=SUCCESS)
    assert pooled.connection is None  # in the pool meanwhile, and looked at before it is used again
    assert _work(pooled) == before


def test_what_a_failed_task_held_on_its_connection_ends_with_it(pooled):
    before = _work(pooled)
    assert not _is_free()
    task_postrun.send(sender=heartbeat, state=FAILURE)
    until = time.monotonic() + 5  # the server hears of it a moment later
    while not _is_free():
        assert time.monotonic() < until
    assert _work(pooled) != before


def test_celery_itself_leaves_the_pool_alone():
    assert app.conf.get("CELERY_DB_REUSE_MAX") > 1_000  # as its worker reads it; without, it closes after every task
