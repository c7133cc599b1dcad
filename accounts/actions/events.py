"""Appending to the outbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction

from accounts.actions import bell
from accounts.actions.audit import organisation_of
from accounts.core.actor import Actor, ActorKind
from accounts.models import Event
from accounts.subscriptions import consumers_of

# One statement, for everything that happens goes through it: what changes in the row itself, the next number of the
# aggregate, whose row's lock makes the numbers gapless, the event, what its consumers are to be told, the line of
# the log where a state changes, and the entry of the audit log where somebody may have to answer for it.
_RECORD = """
    WITH {changed} numbered AS (
        INSERT INTO accounts_aggregatesequence (aggregate_type, aggregate_id, last)
        SELECT %(type)s::text, %(pk)s::bigint, 1 {from_changed}
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
    ), audited AS (
        INSERT INTO accounts_auditentry
            (kind, actor_id, actor_kind, organisation_id, subject_type, subject_id, data, request_id, at)
        SELECT %(name)s::text, %(actor)s::bigint, %(kind)s::text, %(organisation)s::bigint, %(type)s::text,
            %(pk)s::bigint, %(payload)s::jsonb || jsonb_build_object('event', id), %(request)s::text,
            %(at)s::timestamptz
        FROM recorded WHERE %(audited)s::boolean
    )
    SELECT id, sequence FROM recorded
"""
_CHANGE = "changed AS (UPDATE {table} SET {columns} WHERE {key} = %(pk)s RETURNING 1),"


@dataclass(frozen=True, slots=True)
class StateChange:
    """From which state to which, by which move of the machine, and why. `fields` of the row are written with it, as
    they are set."""

    source: str
    target: str
    action: str
    reason: str = ""
    fields: tuple[str, ...] = ()


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
    `payload` holds ids and names of changed fields, never names, contacts or free text. `change` logs a transition, and
    writes what changes in the row: DatabaseError if that is no longer there.
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
    values: dict[str, Any] = {
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
        "audited": name in settings.AUDITED_EVENTS,
        "organisation": organisation_of(subject),
    }
    fields = change.fields if change else ()
    for number, written in enumerate(fields):
        field: Any = subject._meta.get_field(written)
        values[f"field{number}"] = field.get_db_prep_save(getattr(subject, field.attname), connection)
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(subject), fields), values)
        recorded = cursor.fetchone()
    if recorded is None:
        raise DatabaseError(f"there is no {aggregate_type} {subject.pk}, to which {name} is to happen")
    event.pk, event.sequence = recorded
    event._state.adding, event._state.db = False, connection.alias
    if consumers:
        transaction.on_commit(lambda: bell.ring(consumers), robust=True)
    return event


@cache
def _statement(model: type[models.Model], fields: tuple[str, ...]) -> str:
    """What records an event, and writes these fields of the row that it happens to."""
    if not fields:
        return _RECORD.format(changed="", from_changed="")
    meta: Any = model._meta
    quoted = connection.ops.quote_name
    changed = _CHANGE.format(
        table=quoted(meta.db_table),
        columns=", ".join(
            f"{quoted(meta.get_field(name).column)} = %(field{number})s" for number, name in enumerate(fields)
        ),
        key=quoted(meta.pk.column),
    )
    return _RECORD.format(changed=changed, from_changed="FROM changed")
