"""Appending to the outbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from accounts.actions import bell
from accounts.core.actor import Actor, ActorKind
from accounts.models import Event
from accounts.subscriptions import consumers_of

# One statement, for everything that happens goes through it: the next number of the aggregate, whose row's lock makes
# the numbers gapless, the event, what its consumers are to be told, and the line of the log where a state changes.
_RECORD = """
    WITH numbered AS (
        INSERT INTO accounts_aggregatesequence (aggregate_type, aggregate_id, last) VALUES (%(type)s, %(pk)s, 1)
        ON CONFLICT ON CONSTRAINT one_sequence_per_aggregate DO UPDATE SET last = accounts_aggregatesequence.last + 1
        RETURNING last
    ), recorded AS (
        INSERT INTO accounts_event
            (public_id, aggregate_type, aggregate_id, sequence, name, payload, actor_id, actor_kind, request_id, at)
        SELECT %(public_id)s::uuid, %(type)s::text, %(pk)s::bigint, last, %(name)s::text, %(payload)s::jsonb,
            %(actor)s::bigint, %(kind)s::text, %(request)s::text, %(at)s::timestamptz
        FROM numbered RETURNING id, sequence
    ), due AS (
        INSERT INTO accounts_delivery (event_id, consumer, state, attempts, due_at, last_error)
        SELECT id, consumer, 'pending', 0, %(at)s::timestamptz, '' FROM recorded, unnest(%(consumers)s::text[]) consumer
    ), logged AS (
        INSERT INTO accounts_transition
            (subject_type, subject_id, from_state, to_state, action, actor_id, actor_kind, reason, at, event_id)
        SELECT %(type)s::text, %(pk)s::bigint, %(from)s::text, %(to)s::text, %(action)s::text, %(actor)s::bigint,
            %(kind)s::text, %(reason)s::text, %(at)s::timestamptz, id
        FROM recorded WHERE %(from)s::text IS NOT NULL
    )
    SELECT id, sequence FROM recorded
"""


@dataclass(frozen=True, slots=True)
class StateChange:
    """From which state to which, by which move of the machine, and why."""

    source: str
    target: str
    action: str
    reason: str = ""


def append(
    subject: models.Model,
    name: str,
    *,
    actor: Actor,
    by: ActorKind,
    now: datetime,
    payload: dict[str, Any] | None = None,
    change: StateChange | None = None,
) -> Event:
    """Record that something happened to `subject`, with one delivery per subscribed consumer.

    Must run inside the transaction of the change itself (RuntimeError otherwise). The bell rings after its commit.
    `payload` holds ids and names of changed fields, never names, contacts or free text. `change` logs a transition.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{name} must be appended in the transaction of what it records")
    aggregate_type = subject._meta.model_name or ""
    event = Event(
        aggregate_type=aggregate_type,
        aggregate_id=subject.pk,
        name=name,
        payload=payload or {},
        actor_id=actor.user_id,
        actor_kind=by,
        request_id=actor.request_id,
        at=now,
    )
    consumers = consumers_of(name)
    values = {
        "type": aggregate_type,
        "pk": subject.pk,
        "public_id": event.public_id,
        "name": name,
        "payload": json.dumps(event.payload),
        "actor": actor.user_id,
        "kind": str(by),
        "request": actor.request_id,
        "at": now,
        "consumers": list(consumers),
        "from": change and change.source,
        "to": change and change.target,
        "action": change and change.action,
        "reason": change and change.reason,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        event.pk, event.sequence = cursor.fetchone()
    event._state.adding, event._state.db = False, connection.alias
    if consumers:
        transaction.on_commit(lambda: bell.ring(consumers), robust=True)
    return event
