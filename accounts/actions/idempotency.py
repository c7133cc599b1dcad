"""Doing a keyed request once, however often it is sent, whatever is killed in between.

A record is committed before the work begins, so that a second request finds it. It holds a lease: for as long as that
lasts the first request is believed to be at work. The answer is stored in the transaction that does the work, so there
is never the one without the other. A request that died before its commit leaves a record without an answer; once its
lease is over the next one takes it over.

    begin() → Begun(answer=…)      it was done before: this is what was answered
    begin() → Begun(record=…)      at work: now, in one transaction, hold(), work, finish()
    settle()                       the work failed and was taken back: that is the answer, now and later
    release()                      nothing was begun: the next one need not wait for the lease
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.access import require_user
from accounts.core.actor import Actor
from accounts.core.seal import CannotOpen
from accounts.core.text import clean_line
from accounts.errors import IdempotencyKeyInFlight, IdempotencyKeyReused
from accounts.models import IdempotencyRecord
from accounts.models.sealed import Sealed, sealed_field

LEASE = timedelta(seconds=30)
LIFE = timedelta(hours=24)
LONGEST_KEY = 120
ERASED: dict[str, Any] = {
    "data": "null",
    "errors": [
        {
            "message": "This was done. The answer was about somebody who has been erased since.",
            "extensions": {"code": "ANSWER_ERASED"},
        }
    ],
}
SWEPT_AT_ONCE = 1000


@dataclass(frozen=True)
class Begun:
    """Either a record to work under, or the answer given before."""

    record: IdempotencyRecord | None = None
    answer: dict[str, Any] | None = None


def begin(*, actor: Actor, key: str, operation: str, fingerprint: str, now: datetime) -> Begun:
    """Claim a key for its principal, in a transaction of its own that is committed on return.

    Raises LoginRequired, InvalidInput, IdempotencyKeyReused, IdempotencyKeyInFlight.
    """
    principal = str(require_user(actor))
    key = clean_line(key, field="idempotencyKey", max_length=LONGEST_KEY)
    leased_until = now + LEASE
    with transaction.atomic():
        IdempotencyRecord.objects.filter(principal=principal, key=key, created_at__lte=now - LIFE).delete()
        record, created = IdempotencyRecord.objects.get_or_create(
            principal=principal,
            key=key,
            defaults={
                "operation": operation,
                "fingerprint": fingerprint,
                "leased_until": leased_until,
                "created_at": now,
            },
        )
        if created:
            return Begun(record=record)
        if record.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        # Waits for whoever works past their lease: their commit answers, their rollback frees the record.
        if not record.response and record.leased_until <= now:
            held = IdempotencyRecord.objects.select_for_update().filter(pk=record.pk).first()
            if held is None:
                raise IdempotencyKeyInFlight
            record = held
        if record.response:
            return Begun(answer=json.loads(record.response))
        if record.leased_until > now:
            raise IdempotencyKeyInFlight
        record.leased_until = leased_until
        record.save(update_fields=["leased_until"])
        return Begun(record=record)


def hold(record: IdempotencyRecord) -> None:
    """Lock the record in the transaction that will do the work. Raises IdempotencyKeyInFlight if it was taken over."""
    if _own(record).select_for_update().first() is None:
        raise IdempotencyKeyInFlight


def finish(record: IdempotencyRecord, answer: dict[str, Any]) -> None:
    """Store the answer, in the transaction that did the work."""
    IdempotencyRecord.objects.filter(pk=record.pk).update(response=_sealed(record, answer))


def settle(record: IdempotencyRecord, answer: dict[str, Any]) -> None:
    """Store the answer of work that failed, when it was taken back; not where another has taken the record over."""
    _own(record).update(response=_sealed(record, answer))


def release(record: IdempotencyRecord) -> None:
    """Nothing was done under this record: forget it, unless another request has taken it over."""
    _own(record).delete()


def _own(record: IdempotencyRecord) -> QuerySet[IdempotencyRecord]:
    """The record, as long as nobody else has taken it over and it has no answer."""
    return IdempotencyRecord.objects.filter(pk=record.pk, leased_until=record.leased_until, response="")


def _sealed(record: IdempotencyRecord, answer: dict[str, Any]) -> Sealed:
    return sealed_field(IdempotencyRecord, "response").sealed(record, json.dumps(answer, ensure_ascii=False))


def forget_answers(traces: Collection[str], now: datetime) -> int:
    """Take back the answers, whoever they were for, that hold one of these texts, as it stands in JSON; how many.
    The work is done and stays done: whoever asks again is told that the answer is gone."""
    gone = 0
    records = IdempotencyRecord.objects.filter(created_at__gt=now - LIFE).exclude(response="").order_by("pk")
    for record in records.iterator(chunk_size=SWEPT_AT_ONCE):
        with suppress(CannotOpen):  # nobody can, and nobody is answered with it
            data = json.dumps(json.loads(json.loads(record.response)["data"]), ensure_ascii=False)
            if any(trace in data for trace in traces):
                IdempotencyRecord.objects.filter(pk=record.pk).update(response=_sealed(record, ERASED))
                gone += 1
    return gone


def forget_expired(now: datetime) -> int:
    """Delete records past their life, a batch at a time; how many. For a periodic task."""
    expired = IdempotencyRecord.objects.filter(created_at__lte=now - LIFE).order_by("created_at")
    ids = list(expired.values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    return IdempotencyRecord.objects.filter(pk__in=ids).delete()[0]
