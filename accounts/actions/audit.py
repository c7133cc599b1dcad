"""Recording what somebody may have to answer for, and sealing what was recorded."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from accounts.audit_signing import key_id, signature
from accounts.core.actor import Actor
from accounts.core.audit import NOTHING_BEFORE, AuditKind, capacity_of, checked, seal_digest
from accounts.models import AuditEntry, AuditSeal, Organisation

logger = logging.getLogger("muster.audit")

SEALED_AT_ONCE = 1_000
_SEALING = 0x73_65_61_6C  # "seal"


def record(
    kind: AuditKind,
    *,
    actor: Actor,
    now: datetime,
    subject: models.Model | None = None,
    organisation_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Record an act, in the transaction of whatever it is about, or in one of its own. `data` holds ids and names of
    fields: ValueError for anything else. Waits for nobody: nothing is numbered, counted or chained here."""
    record_many(kind, actor=actor, now=now, subjects=[subject], organisation_id=organisation_id, data=data)


def record_many(
    kind: AuditKind,
    *,
    actor: Actor,
    now: datetime,
    subjects: Iterable[models.Model | None],
    organisation_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """The same act on each of these, in one statement."""
    known, capacity = checked(data or {}), capacity_of(actor)
    entries = []
    for subject in subjects:
        entry = AuditEntry(
            kind=kind,
            actor_id=actor.user_id,
            actor_kind=capacity,
            organisation_id=organisation_id if organisation_id is not None else organisation_of(subject),
            data=known,
            request_id=actor.request_id,
            at=now,
        )
        if subject is not None:
            entry.subject_type = subject._meta.model_name or ""
            if isinstance(subject.pk, int):
                entry.subject_id = subject.pk
            else:  # a program that logs people in, whose id it chose
                entry.data = checked({**known, "key": str(subject.pk)})
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)


# One statement, however many there are: a page of a list may show a hundred people.
_EACH = """
    INSERT INTO accounts_auditentry
        (kind, actor_id, actor_kind, organisation_id, subject_type, subject_id, data, request_id, at)
    SELECT %(kind)s, %(actor)s, %(capacity)s, organisation, %(type)s, subject, data::jsonb, %(request)s, %(at)s
    FROM unnest(%(subjects)s::bigint[], %(organisations)s::bigint[], %(data)s::text[])
        AS acts (subject, organisation, data)
"""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to one row (inner id), on behalf of which organisation (inner id)."""

    subject_id: int
    organisation_id: int | None
    data: Mapping[str, Any]


def record_each(kind: AuditKind, *, actor: Actor, now: datetime, subject: type[models.Model], acts: list[Act]) -> None:
    """The same on each of several rows of a model. Acts may share their data. Otherwise as `record`."""
    shared = {id(act.data): act.data for act in acts}
    written = {key: json.dumps(checked(data)) for key, data in shared.items()}
    told = {
        "kind": kind.value,
        "actor": actor.user_id,
        "capacity": capacity_of(actor),
        "type": subject._meta.model_name,
        "request": actor.request_id,
        "at": now,
        "subjects": [act.subject_id for act in acts],
        "organisations": [act.organisation_id for act in acts],
        "data": [written[id(act.data)] for act in acts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_EACH, told)


def organisation_of(subject: models.Model | None) -> int | None:
    """Whose it is, where the row itself says so."""
    if isinstance(subject, Organisation):
        return subject.pk
    for name in ("organisation_id", "posting_organisation_id"):
        if (found := getattr(subject, name, None)) is not None:
            return int(found)
    return None


def seal_all(now: datetime) -> int:
    """Seal batches until nothing is left; how many entries. For a periodic task."""
    total = 0
    while sealed := seal(now):
        total += sealed
    return total


@transaction.atomic
def seal(now: datetime, *, limit: int = SEALED_AT_ONCE) -> int:
    """Close one batch of what has been recorded and not sealed; how many entries. 0 where another seals at present.

    All or nothing: a sealer that is killed leaves what it found. Which entries there are is asked of the entries
    themselves, so one that commits after entries with higher ids is sealed with the next batch.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALING])
        if not cursor.fetchone()[0]:
            return 0
    entries = list(AuditEntry.objects.filter(seal=None).order_by("id")[:limit])
    if not entries:
        return 0
    head = AuditSeal.objects.order_by("-number").first()
    number = head.number + 1 if head else 1
    previous = head.digest if head else NOTHING_BEFORE
    ids = [entry.pk for entry in entries]
    digests = b"".join(entry.chained().digest() for entry in entries)
    digest = seal_digest(number=number, previous=previous, sealed_at=now, ids=ids, digests=digests)
    made = AuditSeal.objects.create(
        number=number,
        entry_ids=ids,
        entry_digests=digests,
        previous=previous,
        digest=digest,
        signature=signature(digest),
        key_id=key_id(),
        sealed_at=now,
    )
    AuditEntry.objects.filter(pk__in=ids).update(seal=made)
    # Whoever keeps the logs elsewhere can tell a chain that was cut short: manage.py audit verify --head
    logger.info("audit seal %s:%s", number, digest)
    return len(ids)
