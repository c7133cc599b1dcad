"""The one way in which a row changes its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from accounts.actions.events import StateChange, append
from accounts.core.actor import Actor, ActorKind
from accounts.core.machine import Machine, decide
from accounts.models import Event


def state_field(row: models.Model) -> str:
    """Applications have a `status` beside their stage; all else has a `state`."""
    return "status" if hasattr(row, "status") else "state"


def move(
    row: Any,
    machine: Machine,
    action: str,
    *,
    actor: Actor,
    by: ActorKind,
    now: datetime,
    reason: str = "",
    payload: dict[str, Any] | None = None,
    extra_fields: dict[str, Any] | None = None,
) -> Event:
    """Apply a move of the machine's table: set the state, append its event, log the transition, in one statement.

    The caller holds the row's lock. `extra_fields` are set in the same UPDATE, which sends no signals. Raises
    IllegalTransition, and has then written nothing.
    """
    field = state_field(row)
    source = getattr(row, field)
    step = decide(machine, source, action, by)
    extra_fields = extra_fields or {}
    setattr(row, field, str(step.target))
    for name, value in extra_fields.items():
        setattr(row, name, value)
    return append(
        row,
        step.event,
        actor=actor,
        by=by,
        now=now,
        payload={"from": str(source), "to": str(step.target), **(payload or {})},
        change=StateChange(str(source), str(step.target), action, reason[:200], (field, *extra_fields)),
    )
