"""Marking what has changed, so that it is scored again. A thousand edits of one subject make one mark."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import connection, transaction

from matching.models import Mark
from matching.queries.scorable import SCORED_STATES

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.3  # a drain that is rung for starts this much later, with all that was marked meanwhile
QUIET_SECONDS = 5.0  # after a failed ring; beat drains every few seconds anyway
_rest_until = 0.0

_RAISE = """
    INSERT INTO matching_mark (subject_type, subject_id, generation, since)
    {subjects}
    ON CONFLICT ON CONSTRAINT one_mark_per_subject DO UPDATE
    SET generation = matching_mark.generation + 1, since = LEAST(matching_mark.since, excluded.since)
"""
# Always in order of ids, so that two who mark many do not wait for each other in a circle.
_NAMED = _RAISE.format(subjects="SELECT %s, id, 1, %s FROM unnest(%s::bigint[]) AS id ORDER BY id")
_CANDIDATES = _RAISE.format(subjects="SELECT 'candidate', id, 1, %s FROM marketplace_candidate ORDER BY id")
_OPPORTUNITIES = _RAISE.format(
    subjects="SELECT 'opportunity', id, 1, %s FROM marketplace_opportunity WHERE state = ANY(%s) ORDER BY id"
)


def mark_candidates(candidate_ids: Iterable[int], since: datetime) -> None:
    _mark(_NAMED, [Mark.Subject.CANDIDATE.value, since, sorted(set(candidate_ids))])


def mark_opportunities(opportunity_ids: Iterable[int], since: datetime) -> None:
    _mark(_NAMED, [Mark.Subject.OPPORTUNITY.value, since, sorted(set(opportunity_ids))])


def mark_all_candidates(since: datetime) -> None:
    _mark(_CANDIDATES, [since])


def mark_open_opportunities(since: datetime) -> None:
    """Every opportunity that has scores."""
    _mark(_OPPORTUNITIES, [since, list(SCORED_STATES)])


def mark_all(since: datetime) -> None:
    """Everything: after a bulk load, or when what all scores rest on has changed."""
    mark_all_candidates(since)
    mark_open_opportunities(since)


def _mark(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        marked = cursor.rowcount
    if marked:
        transaction.on_commit(ring, robust=True)


def ring() -> None:
    """Ask for a drain soon. Rings within the wait are one: the drain that it starts sees their marks too."""
    global _rest_until  # noqa: PLW0603 - one memory per process is what is wanted
    if time.monotonic() < _rest_until:
        return
    _rest_until = time.monotonic() + GATHER_SECONDS
    try:
        current_app.send_task("matching.tasks.drain_marks", countdown=GATHER_SECONDS, retry=False, expires=60)
    except Exception:
        _rest_until = time.monotonic() + QUIET_SECONDS
        logger.warning("the bell did not ring; beat will drain", exc_info=True)
