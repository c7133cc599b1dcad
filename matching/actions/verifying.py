"""Comparing the copies with what they are copied from: projections with the tables, documents with the projections.

Both sides are read in order of ids, a block at a time. While people write, what looks different is mostly on its way:
it is looked at again, and what is marked to be copied is no difference. What remains differs for good, and can be
marked (`repair`).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import groupby, islice
from typing import NamedTuple, TypeAlias

from django.db import transaction

from accounts.models import Delivery
from matching.actions import copies, locks, openings, projection
from matching.actions.rebuilding import Progress, quietly
from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import PLURALS, alias, refresh, versions
from matching.models import CopyMark
from matching.queries.copying import PROJECTIONS, TABLES, marked
from matching.queries.lagging import CONSUMER

BLOCK = 1000
LOOKS, PAUSE_SECONDS = 4, 0.5


class Difference(StrEnum):
    PROJECTION = "projection"  # absent, or not what the tables say
    MISSING = "missing"  # there is a projection, and no document of it
    SURPLUS = "surplus"  # there is a document, and no projection
    OLDER = "older"  # the document was made from an older row
    NEWER = "newer"  # … from a row newer than there is: the index is of another database, and has to be built anew


Differing: TypeAlias = dict[int, Difference]
"""What differs, by inner id, and how."""


class Found(NamedTuple):
    """How many were compared, and some of those that differ; `differences` counts all, by kind."""

    compared: int
    differences: dict[Difference, int]
    samples: Differing


SAMPLES = 20


def verify_projections(subject: Subject, now: datetime, *, repair: bool = False, progress: Progress = quietly) -> Found:
    """Compare the projections with the tables, as they are at that moment."""
    ids = TABLES[subject]._default_manager.order_by("pk").values_list("pk", flat=True).iterator(BLOCK)

    def look(suspects: Collection[int]) -> Differing:
        return dict.fromkeys(_unlike_the_tables(subject, suspects, now), Difference.PROJECTION)

    def mend(differing: Differing) -> None:
        copies.mark(subject, differing, now)

    tally = _Tally(subject, CopyMark.Stage.PROJECTION, look, mend if repair else None)
    for block in _blocks(ids):
        tally.take(block, len(block))
        progress(f"projections of {PLURALS[subject]}", tally.compared)
    return tally.found()


def verify_index(subject: Subject, now: datetime, *, repair: bool = False, progress: Progress = quietly) -> Found:
    """Compare ids and versions of the documents with those of the projections. Raises the client's errors, such as
    NotFoundError where there is no index."""
    client = clients.for_building()
    refresh(client, [alias(subject)])

    def look(suspects: Collection[int]) -> Differing:
        return _unlike_the_projections(subject, suspects)

    def mend(differing: Differing) -> None:
        _write_again(subject, differing, now)
        copies.index_anew(subject, differing, now)

    tally = _Tally(subject, CopyMark.Stage.INDEX, look, mend if repair else None)
    rows = PROJECTIONS[subject]._default_manager.order_by("pk").values_list("pk", "changed_xid").iterator(BLOCK)
    compared = _compared(rows, versions(client, alias(subject)))
    while block := list(islice(compared, BLOCK)):
        tally.take([pk for pk, is_alike in block if not is_alike], len(block))
        progress(f"documents of {PLURALS[subject]}", tally.compared)
    return tally.found()


class _Tally:
    """Counts what differs for good."""

    def __init__(
        self,
        subject: Subject,
        stage: CopyMark.Stage,
        look: Callable[[Collection[int]], Differing],
        mend: Callable[[Differing], None] | None,
    ) -> None:
        self._subject, self._stage, self._look, self._mend = subject, stage, look, mend
        self._suspects: set[int] = set()
        self.compared = 0
        self._differences: dict[Difference, int] = {}
        self._samples: Differing = {}

    def take(self, suspects: Iterable[int], compared: int) -> None:
        self.compared += compared
        self._suspects.update(suspects)
        if len(self._suspects) >= BLOCK:
            self._settle()

    def found(self) -> Found:
        self._settle()
        return Found(self.compared, self._differences, self._samples)

    def _settle(self) -> None:
        differing = self._for_good()
        self._suspects = set()
        if differing and self._mend is not None:
            self._mend(differing)
        for pk, how in sorted(differing.items()):
            self._differences[how] = self._differences.get(how, 0) + 1
            if len(self._samples) < SAMPLES:
                self._samples[pk] = how

    def _for_good(self) -> Differing:
        """What differs each time, without being marked to be copied. Somebody may always be in between the two."""
        differing: Differing = {}
        suspects: Collection[int] = self._suspects
        for attempt in range(LOOKS):
            if not suspects:
                return {}
            if attempt and _is_busy(self._stage):
                time.sleep(PAUSE_SECONDS)
            found = self._look(suspects)
            coming = marked(self._stage, self._subject, found)
            differing = {pk: how for pk, how in found.items() if pk not in coming}
            suspects = differing
        return differing


def _is_busy(stage: CopyMark.Stage) -> bool:
    """Whether something is on its way of which no mark tells yet, or which was just marked."""
    deliveries = Delivery.objects.pending().filter(consumer=CONSUMER)
    return deliveries.exists() or CopyMark.objects.filter(stage=stage).exists()


def _unlike_the_tables(subject: Subject, ids: Collection[int], now: datetime) -> list[int]:
    return openings.differing(ids, now) if subject is Subject.OPPORTUNITY else projection.differing(ids, now)


def _unlike_the_projections(subject: Subject, ids: Collection[int]) -> Differing:
    documents = _documents(subject, sorted(ids))  # before the rows: what is newer here is newer for good
    rows = PROJECTIONS[subject]._default_manager.filter(pk__in=ids)
    stored = dict(rows.values_list("pk", "changed_xid"))
    found = {pk: _difference(stored.get(pk), documents.get(pk)) for pk in ids}
    return {pk: how for pk, how in found.items() if how is not None}


def _write_again(subject: Subject, ids: Collection[int], now: datetime) -> None:
    """As they are, so that their new versions are above whatever the index remembers, a deletion included."""
    with transaction.atomic():
        locks.projecting()
        PROJECTIONS[subject]._default_manager.filter(pk__in=ids).update(refreshed_at=now)


def _documents(subject: Subject, ids: list[int]) -> dict[int, int]:
    """The versions of the documents that there are, found already or not."""
    answer = clients.for_building().mget(index=alias(subject), ids=list(map(str, ids)), source=False)
    return {int(document["_id"]): document["_version"] for document in answer["docs"] if document["found"]}


def _difference(row: int | None, document: int | None) -> Difference | None:
    if row == document:
        return None
    if document is None:
        return Difference.MISSING
    if row is None:
        return Difference.SURPLUS
    return Difference.OLDER if document < row else Difference.NEWER


def _compared(rows: Iterable[tuple[int, int]], documents: Iterable[tuple[int, int]]) -> Iterator[tuple[int, bool]]:
    """Each id on either side, and whether both have it in one version. Both are in order of ids."""
    for pk, versions_of in groupby(heapq.merge(rows, documents), key=lambda pair: pair[0]):
        both = [version for _, version in versions_of]
        yield pk, len(both) == 2 and both[0] == both[1]


def _blocks(ids: Iterable[int]) -> Iterator[list[int]]:
    iterator = iter(ids)
    while block := list(islice(iterator, BLOCK)):
        yield block
