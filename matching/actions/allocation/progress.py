"""Telling how far the solving of a run has come, and hearing that it is to stop: beside its transaction.

Solving is one transaction, so that a worker that is killed leaves nothing half done; nobody sees into it. Progress goes
over a connection of its own, each note committed at once. It locks the run no more than reading it does. The
answer to a note says whether somebody has asked for the run to be discarded meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from accounts.core.actor import Actor, ActorKind
from matching.core.workflow import SolvingStage

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2  # between notes within a stage

# Nothing where the run cannot be seen from here: it was created in the very transaction that solves it.
_NOTE = """
    INSERT INTO matching_allocationprogress AS told
        (run_id, stage, done, total, value, bound, started_at, updated_at, stop_asked_as)
    SELECT id, %(stage)s, %(done)s, %(total)s, %(value)s, %(bound)s, %(started_at)s, %(now)s, ''
    FROM matching_allocationrun WHERE id = %(run)s
    ON CONFLICT (run_id) DO UPDATE SET
        (stage, done, total, value, bound, started_at, updated_at) = (excluded.stage, excluded.done, excluded.total,
            excluded.value, excluded.bound, excluded.started_at, excluded.updated_at)
    RETURNING stop_asked_as, stop_asked_by_id
"""
_STOP = """
    INSERT INTO matching_allocationprogress AS told
        (run_id, stage, done, updated_at, stop_asked_as, stop_asked_by_id)
    SELECT id, '', 0, %(now)s, %(as)s, %(by)s FROM matching_allocationrun WHERE id = %(run)s
    ON CONFLICT (run_id) DO UPDATE SET
        (stop_asked_as, stop_asked_by_id) = (excluded.stop_asked_as, excluded.stop_asked_by_id)
"""


class StopAsked(Exception):
    """Somebody who may has asked for the run to be discarded."""

    def __init__(self, actor: Actor, by: ActorKind) -> None:
        super().__init__("the run is to be discarded")
        self.actor, self.by = actor, by


class Telling:
    """Tells of one attempt at solving a run. Every way of telling raises StopAsked once somebody has asked for that.

    Where it cannot tell it says so in the log, once, and goes without: nobody's plan fails for that.
    """

    def __init__(self, run_pk: int, beside: BaseDatabaseWrapper) -> None:
        self._run_pk, self._beside = run_pk, beside
        self._started_at = timezone.now()
        self._stage = SolvingStage.GATHERING
        self._total: int | None = None
        self._told_at = 0.0
        self._mute = False

    def begin(self, stage: SolvingStage, total: int | None = None) -> None:
        """A stage begins, of so many steps; None if nobody knows."""
        self._stage, self._total = stage, total
        self._note(0, None, None)

    def done(self, number: int) -> None:
        """So many steps of the stage are done. May be called often: it tells now and then."""
        self.solved(number, None, None)

    def solved(self, work: int, value: int | None, bound: int | None) -> None:
        """As the solver reports."""
        if time.monotonic() - self._told_at >= PAUSE_SECONDS:
            self._note(work, value, bound)

    def _note(self, done: int, value: int | None, bound: int | None) -> None:
        if self._mute:
            return
        values = {
            "run": self._run_pk,
            "stage": self._stage.value,
            "done": done,
            "total": self._total,
            "value": value,
            "bound": bound,
            "started_at": self._started_at,
            "now": timezone.now(),
        }
        try:
            with self._beside.cursor() as cursor:
                cursor.execute(_NOTE, values)
                asked = cursor.fetchone()
        except DatabaseError:
            logger.exception("nothing more is told of allocation run %s", self._run_pk)
            self._mute = True
            return
        self._told_at = time.monotonic()
        if asked is not None and asked[0]:
            as_, user_id = asked
            by = ActorKind(as_)
            raise StopAsked(Actor(user_id=user_id, is_staff=by == ActorKind.STAFF), by)


@contextmanager
def telling(run_pk: int) -> Iterator[Telling]:
    with _beside() as other:
        yield Telling(run_pk, other)


def ask_to_stop(run_pk: int, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    """Committed at once, whatever transaction is under way here: the worker that solves the run is to see it."""
    values: dict[str, Any] = {"run": run_pk, "now": now, "as": by.value, "by": actor.user_id}
    with _beside() as other, other.cursor() as cursor:
        cursor.execute(_STOP, values)


@contextmanager
def _beside() -> Iterator[BaseDatabaseWrapper]:
    """A connection of the same database, from the same pool, that commits each statement. It connects when used."""
    other = connection.copy()
    try:
        yield other
    finally:
        with suppress(DatabaseError):
            other.close()
