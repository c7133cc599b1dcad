"""Building an index anew while it is read and written: nobody waits, nothing that is written meanwhile is lost.

The new index is created while nobody sends documents. Whoever sends afterwards sends to both; whatever was sent before
had been committed, so the new index gets it with everything else that is read from the projections. Where the two
cross, the version decides: the later writing or deletion wins. It is put to use in one step; the old one is dropped
when those who were reading it are through. A build that is killed leaves an index that nobody reads; the next one drops
it first.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from elasticsearch import Elasticsearch

from matching.actions import copies, indexing, locks
from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import PLURALS, create, drop, indices, put_to_use, refresh
from matching.documents.writing import CHUNK, Row, prepared, send
from matching.models import CopyMark
from matching.queries.copying import PROJECTIONS, TABLES
from matching.retrieval.breaker import Breaker

logger = logging.getLogger(__name__)

MOST_REFUSED = 1000
LAST_READERS_SECONDS = 2.0  # more than a search may take
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 20.0, 3600.0

Progress = Callable[[str, int], None]
"""Told what is being done, and how much of it is."""


resting = Breaker(failures=1, pause=FIRST_PAUSE_SECONDS, longest_pause=LONGEST_PAUSE_SECONDS)


class RebuildRunning(Exception):
    """Somebody else is building that index."""


class DocumentsRefused(Exception):
    """So many documents are not admitted that something is wrong with the index; the old one stays in use."""


class Built(NamedTuple):
    name: str
    documents: int
    refused: int


def quietly(what: str, count: int) -> None:
    """Nobody is told."""


def rebuild(subject: Subject, now: datetime, progress: Progress = quietly) -> Built:
    """Build an index of all projections, and have it read from then on.

    Projections that are missing are written first. Raises RebuildRunning, DocumentsRefused and what
    `indexing.UNAVAILABLE` lists; then whatever was read before still is.
    """
    with _alone(subject):
        project_missing(subject, now, progress)
        client = clients.for_building()
        with transaction.atomic():
            locks.switching_indices(subject)
            name = create(client, subject)
            _drop_unread(client, subject, but=name)
        try:
            documents, refused = _fill(subject, name, now, progress)
            refresh(client, [name])
            with transaction.atomic():
                locks.switching_indices(subject)
                put_to_use(client, subject, name)
        except BaseException:
            with contextlib.suppress(Exception):  # what cannot be cleared away now the next build does
                _clear_away(clients.for_indexing(), subject)
            raise
        time.sleep(LAST_READERS_SECONDS)
        _clear_away(client, subject)
        _try_refused_again(subject)
        return Built(name, documents, refused)


def rebuild_missing(now: datetime) -> list[Built]:
    """Build what there is no index of. Nothing happens where Elasticsearch is not in use or does not answer, or where
    somebody builds already; what fails is tried again after growing pauses."""
    built: list[Built] = []
    if not settings.ELASTICSEARCH_URL or not resting.admits(time.monotonic()):
        return built
    try:
        built += [rebuild(subject, now) for subject in Subject if indexing.is_missing(subject)]
    except RebuildRunning:
        pass
    except (*indexing.UNAVAILABLE, DocumentsRefused) as problem:
        resting.failed(time.monotonic())
        logger.warning("No index was built: %s", type(problem).__name__)
        return built
    resting.succeeded()
    return built


def _fill(subject: Subject, name: str, now: datetime, progress: Progress) -> tuple[int, int]:
    client, what = clients.for_building(), f"index of {PLURALS[subject]}"
    documents = refused = 0
    for rows in _blocks(subject):
        sent = send(client, name, prepared(subject, rows))
        documents, refused = documents + len(rows), refused + len(sent.refused)
        progress(what, documents)
        if refused > MOST_REFUSED:
            raise DocumentsRefused(f"{refused} of {documents}, such as {next(iter(sent.refused.values()))}")
        if sent.refused:  # the indexer will be refused, too, and note of each that searches must not rely on it
            copies.index_anew(subject, sent.refused, now)
    return documents - refused, refused


def _blocks(subject: Subject) -> Iterator[list[Row]]:
    """All projections by id, each as it is when its block is read."""
    rows = PROJECTIONS[subject]._default_manager.order_by("pk")
    after, block = 0, list[Row]()
    while block := [*rows.filter(pk__gt=after)[:CHUNK]]:
        yield block
        after = block[-1].pk


def _clear_away(client: Elasticsearch, subject: Subject) -> None:
    with transaction.atomic():
        locks.switching_indices(subject)
        _drop_unread(client, subject)


def _drop_unread(client: Elasticsearch, subject: Subject, *, but: str = "") -> None:
    drop(client, [index.name for index in indices(client, subject) if not index.is_live and index.name != but])


def _try_refused_again(subject: Subject) -> None:
    """Another index may admit them."""
    marks = CopyMark.objects.filter(stage=CopyMark.Stage.INDEX, subject_type=subject.value)
    marks.exclude(refused_generation=None).update(refused_generation=None, refusal="")
    copies.bells[CopyMark.Stage.INDEX].ring()


@contextlib.contextmanager
def _alone(subject: Subject) -> Iterator[None]:
    if not locks.may_rebuild(subject):
        raise RebuildRunning(f"the index of {PLURALS[subject]} is being built already")
    try:
        yield
    finally:
        locks.rebuilt(subject)


# Projections


def project_missing(subject: Subject, now: datetime, progress: Progress = quietly) -> int:
    """Write the projections of those who have none, and whatever else is marked; how many there were none of."""
    missing = list(TABLES[subject]._default_manager.filter(projection=None).values_list("pk", flat=True))
    if missing:
        copies.renew(subject, missing, now)
        _project(progress)
    return len(missing)


def project_anew(subject: Subject, now: datetime, progress: Progress = quietly) -> int:
    """Write all projections anew; how many there are."""
    copies.renew_all(subject, now)
    _project(progress)
    return PROJECTIONS[subject]._default_manager.count()


def _project(progress: Progress) -> None:
    total = 0
    while done := copies.project(timezone.now()):
        total += done
        progress("projections", total)
