"""Keeping copies fresh: the projections that Postgres searches, and from them the documents that Elasticsearch does.

Whoever changes something marks it (`mark`), once per subject however often it changes. A copier claims marks, writes
projections and marks those that came out otherwise for the index; the next stage sends their documents.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from matching.actions import locks, openings, projection
from matching.actions.bells import Bell
from matching.core.attributes import Subject
from matching.models import CopyMark

BATCH = 500
ATTEMPTS = 3
bells = {
    CopyMark.Stage.PROJECTION: Bell("matching.tasks.copy_marked", gather_seconds=0.1),
    CopyMark.Stage.INDEX: Bell("matching.tasks.index_marked", gather_seconds=0.5),
}

_MARK = """
    INSERT INTO matching_copymark (stage, subject_type, subject_id, urgent, generation, since)
    SELECT %s, %s, id, %s, 1, %s FROM {subjects} ORDER BY id
    ON CONFLICT (stage, subject_type, subject_id) DO UPDATE
    SET generation = matching_copymark.generation + 1, since = LEAST(matching_copymark.since, excluded.since),
        urgent = matching_copymark.urgent OR excluded.urgent
"""
_NAMED = _MARK.format(subjects="unnest(%s::bigint[]) AS id")
_ALL = {subject: _MARK.format(subjects=f"marketplace_{subject.value}") for subject in Subject}


def mark(subject: Subject, ids: Iterable[int], since: datetime) -> None:
    """These (inner ids) have changed."""
    _mark(_NAMED, CopyMark.Stage.PROJECTION, subject, True, since, sorted(set(ids)))


def renew(subject: Subject, ids: Iterable[int], since: datetime) -> None:
    """What these were copied from has changed, and nothing that decides who may find them."""
    _mark(_NAMED, CopyMark.Stage.PROJECTION, subject, False, since, sorted(set(ids)))


def renew_all(subject: Subject, since: datetime) -> None:
    """The same of all: new rates, another taxonomy, a bulk load."""
    _mark(_ALL[subject], CopyMark.Stage.PROJECTION, subject, False, since)


def index_anew(subject: Subject, ids: Iterable[int], since: datetime) -> None:
    """The documents of these do not say what their projections do, or there should be none."""
    _mark(_NAMED, CopyMark.Stage.INDEX, subject, True, since, sorted(set(ids)))


def _mark(statement: str, stage: CopyMark.Stage, subject: Subject, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [stage.value, subject.value, *values])
        marked = cursor.rowcount
    if marked:
        transaction.on_commit(bells[stage].ring, robust=True)


# The projections


def project(now: datetime, limit: int = BATCH) -> int:
    """Write one batch of projections of each kind that is marked; how many marks were worked off.

    A batch and the end of its marks are one transaction. Several workers may copy at once.
    """
    return sum(_project_if_there(subject, now, limit) for subject in Subject)


def project_all(now: datetime) -> int:
    """Until nothing is left to project; how many marks were worked off."""
    total = 0
    while done := project(now):
        total += done
    return total


def _project_if_there(subject: Subject, now: datetime, limit: int) -> int:
    """Somebody may be deleted while they are copied, which ends the batch; at the next attempt they are not there."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(IntegrityError):
            return _project(subject, now, limit)
    return _project(subject, now, limit)


def _project(subject: Subject, now: datetime, limit: int) -> int:
    with transaction.atomic():
        claimed = locks.claim_copy_marks(CopyMark.Stage.PROJECTION, subject.value, limit)
        if not claimed:
            return 0
        write = projection.refresh if subject is Subject.CANDIDATE else openings.refresh
        changed = frozenset(write(sorted(claimed), now))
        urgent = {pk for pk, claim in claimed.items() if claim.urgent}
        _pass_on(subject, urgent, now, urgent=True)
        _pass_on(subject, changed - urgent, now, urgent=False)
        return locks.release_copy_marks(claimed.values())


def _pass_on(subject: Subject, ids: Collection[int], now: datetime, *, urgent: bool) -> None:
    """Have documents made. Of what is urgent all: until its document stands, the index may not be trusted about it."""
    if ids and settings.ELASTICSEARCH_URL:
        _mark(_NAMED, CopyMark.Stage.INDEX, subject, urgent, now, sorted(ids))


def pass_on_renewed(subject: Subject, ids: Collection[int], now: datetime) -> None:
    """Whoever else writes projections says so."""
    _pass_on(subject, ids, now, urgent=False)
