"""Appending to the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from accounts.actions import bell
from accounts.core.actor import Actor, ActorKind
from accounts.models import Delivery, Event
from accounts.subscriptions import consumers_of

_NEXT_SEQUENCE = """
    INSERT INTO accounts_aggregatesequence (aggregate_type, aggregate_id, last) VALUES (%s, %s, 1)
    ON CONFLICT ON CONSTRAINT one_sequence_per_aggregate DO UPDATE SET last = accounts_aggregatesequence.last + 1
    RETURNING last
"""


def append(
    subject: models.Model,
    name: str,
    *,
    actor: Actor,
    by: ActorKind,
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> Event:
    """Record that something happened to `subject`, with one delivery per subscribed consumer.

    Must run inside the transaction of the change itself (RuntimeError otherwise). The bell rings after its commit.
    `payload` holds ids and names of changed fields, never names, contacts or free text.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{name} must be appended in the transaction of what it records")
    aggregate_type = subject._meta.model_name or ""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_SEQUENCE, [aggregate_type, subject.pk])
        (sequence,) = cursor.fetchone()
    event = Event.objects.create(
        aggregate_type=aggregate_type,
        aggregate_id=subject.pk,
        sequence=sequence,
        name=name,
        payload=payload or {},
        actor_id=actor.user_id,
        actor_kind=by,
        request_id=actor.request_id,
        at=now,
    )
    consumers = consumers_of(name)
    Delivery.objects.bulk_create([Delivery(event=event, consumer=consumer, due_at=now) for consumer in consumers])
    if consumers:
        transaction.on_commit(lambda: bell.ring(consumers), robust=True)
    return event
