"""Sending documents to Elasticsearch: the second stage of copying, after the projections.

A batch claims marks, reads the projections, sends their documents to every index that is to have them (while one is
being built there are two), has them found, and only then releases the marks. Whatever goes wrong on the way leaves the
marks as they were, and until they are gone searches do not trust the index about those subjects
(`matching.queries.lagging`). Marks and projections wait for nothing here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from elasticsearch import ApiError, TransportError
from elasticsearch.exceptions import NotFoundError

from matching.actions import locks
from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import indices, refresh
from matching.documents.writing import IndexOverloaded, Row, deletions, prepared, send
from matching.models import CopyMark
from matching.queries.copying import PROJECTIONS
from matching.retrieval.breaker import Breaker

logger = logging.getLogger(__name__)

BATCH = 500
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0

UNAVAILABLE = (TransportError, ApiError, IndexOverloaded)
"""What Elasticsearch's being away, slow or overloaded looks like."""


class IndexMissing(Exception):
    """There is no index that documents could be sent to."""


resting = Breaker(failures=1, pause=FIRST_PAUSE_SECONDS, longest_pause=LONGEST_PAUSE_SECONDS)
"""A worker that was not answered leaves Elasticsearch alone, each time for twice as long."""


def index_unless_resting(now: datetime) -> int:
    """`index`, where Elasticsearch may be asked: nothing while it rests, or where it does not answer."""
    if not settings.ELASTICSEARCH_URL or not resting.admits(time.monotonic()):
        return 0
    try:
        done = index(now)
    except UNAVAILABLE as problem:
        resting.failed(time.monotonic())
        logger.warning("documents wait: Elasticsearch does not take them: %s", type(problem).__name__)
        return 0
    resting.succeeded()
    return done


def index(now: datetime, limit: int = BATCH) -> int:
    """Send one batch of documents of each kind that is marked; how many marks were worked on. Several workers may at
    once. Raises `UNAVAILABLE`; marks of a subject without an index stay."""
    return sum(_index(subject, now, limit) for subject in Subject)


def index_all(now: datetime) -> int:
    """Until nothing is left to send; how many marks were worked on."""
    total = 0
    while done := index(now):
        total += done
    return total


def targets(subject: Subject) -> list[str]:
    """The names of the indices that are to have every document. Raises IndexMissing where there is none, or where the
    newest has documents that are made otherwise: then it is for other programs, newer or older ones, to fill."""
    found = indices(clients.for_indexing(), subject)
    if not found or not found[-1].is_ours:
        raise IndexMissing(subject.value)
    return [one.name for one in found if one.is_ours]


def is_missing(subject: Subject) -> bool:
    """Whether nothing is read, as on a server that is new, or has lost everything. Raises `UNAVAILABLE`."""
    return not any(one.is_live for one in indices(clients.for_indexing(), subject))


def _index(subject: Subject, now: datetime, limit: int) -> int:
    with transaction.atomic():
        locks.indexing(subject)
        claimed = locks.claim_copy_marks(CopyMark.Stage.INDEX, subject.value, limit)
        if not claimed:
            return 0
        try:
            refused = _send(subject, sorted(claimed), targets(subject))
        except (IndexMissing, NotFoundError):
            return 0
        _set_aside(claimed, refused)
        locks.release_copy_marks([claim for pk, claim in claimed.items() if pk not in refused])
        return len(claimed)


def _send(subject: Subject, ids: list[int], names: Collection[str]) -> dict[int, str]:
    """The documents of these, as they are now. Gives the refused."""
    rows: list[Row] = list(PROJECTIONS[subject]._default_manager.filter(pk__in=ids))
    documents = list(prepared(subject, rows))
    gone = set(ids) - {row.pk for row in rows}
    if gone:
        documents += deletions(*_departed(subject, gone))
    client = clients.for_indexing()
    refused: dict[int, str] = {}
    for name in names:
        refused |= send(client, name, documents).refused
    refresh(client, names)
    return refused


def _departed(subject: Subject, ids: Collection[int]) -> tuple[set[int], int]:
    """Those of the ids that have no projection, and a number higher than that of any which they had, and lower than
    that of any which they may get: our own transaction's, taken while nobody writes projections."""
    with transaction.atomic(), connection.cursor() as cursor:
        locks.projecting()
        present = set(PROJECTIONS[subject]._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        version: int = cursor.fetchone()[0]
        transaction.set_rollback(True)  # writers of projections must not wait for what comes: this lets the lock go
    return set(ids) - present, version


def _set_aside(claimed: Mapping[int, locks.CopyClaim], refused: Mapping[int, str]) -> None:
    """Note of marks that the index does not admit their documents. They would hold up the others for ever."""
    for pk, reason in refused.items():
        mark_id, generation = claimed[pk].mark
        CopyMark.objects.filter(pk=mark_id).update(urgent=True, refused_generation=generation, refusal=reason)
        logger.error("the index refuses the document of mark %s, which says why", mark_id)
