"""Starting, pausing, resuming and ending a re-scoring.

Whoever starts, begins or ends one holds `locks.planning`, so that what is left of one is taken over by exactly one
other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Sum

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.core.actor import Actor
from accounts.errors import NotFound
from matching.access import planner_kind
from matching.actions import locks
from matching.actions.bells import Bell
from matching.actions.mass.planning import plan
from matching.core.workflow import RESCORE, RescoreState
from matching.models import Rescore
from matching.queries.affected import EVERYTHING, Scope

logger = logging.getLogger(__name__)

bell = Bell("matching.tasks.rescore_at_large", gather_seconds=0.3)

ACTIVE = (RescoreState.QUEUED, RescoreState.RUNNING)
RESTING = (RescoreState.PAUSED, RescoreState.FAILED)
SYSTEM = Actor.system()

_FORGET = """
    DELETE FROM matching_rescorechunk WHERE id IN (
        SELECT chunk.id FROM matching_rescorechunk chunk
        JOIN matching_rescore job ON job.id = chunk.rescore_id
        LEFT JOIN matching_rescore heir ON heir.id = job.superseded_by_id
        WHERE job.state IN ('done', 'cancelled', 'superseded')
            AND (heir.id IS NULL OR heir.planned_at IS NOT NULL OR heir.state = 'cancelled')
        FOR UPDATE OF chunk SKIP LOCKED
    )
"""


def start(*, cause: str, scopes: Iterable[Scope], since: datetime, now: datetime, actor: Actor = SYSTEM) -> Rescore:
    """Have scores follow a change of everything that was made at `since`. Staff and the system only.

    What another one that waits or runs has left is taken over, so that nothing is done twice; so is one that rests, if
    all that it is about is part of this. Raises NotPermitted.
    """
    if not actor.is_system:
        require_staff(actor)
    with transaction.atomic():
        locks.planning()
        job = Rescore.objects.create(
            cause=Rescore.Cause(cause), scopes=_without_repeats(scopes), since=since, created_at=now
        )
        by = planner_kind(actor)
        append(job, "RescoreQueued", actor=actor, by=by, now=now, payload={"cause": job.cause})
        others = Rescore.objects.filter(state__in=[*ACTIVE, *RESTING]).exclude(pk=job.pk)
        for other in others.select_for_update(no_key=True).order_by("pk"):
            if other.state in ACTIVE or _covers(job, other):
                _take_over(job, other, now)
        transaction.on_commit(bell.ring, robust=True)
    return job


def pause(*, actor: Actor, rescore_id: UUID, now: datetime) -> Rescore:
    """Stop after the chunks at work; what is done stays done. Raises NotPermitted, NotFound, IllegalTransition."""
    return _moved(actor, rescore_id, "pause", now)


def resume(*, actor: Actor, rescore_id: UUID, now: datetime) -> Rescore:
    """Go on with what is left, after whichever is at work. Raises NotPermitted, NotFound, IllegalTransition."""
    job = _moved(actor, rescore_id, "resume", now)
    transaction.on_commit(bell.ring, robust=True)
    return job


def cancel(*, actor: Actor, rescore_id: UUID, now: datetime) -> Rescore:
    """Give up what is left: it keeps the scores it has until something else has it scored. Raises NotPermitted,
    NotFound, IllegalTransition."""
    return _moved(actor, rescore_id, "cancel", now)


def begun(now: datetime) -> Rescore | None:
    """The one that is at work; else the oldest that waits, which begins. None where there is neither."""
    running = Rescore.objects.filter(state=RescoreState.RUNNING).first()
    if running is not None or not Rescore.objects.filter(state=RescoreState.QUEUED).exists():
        return running
    with transaction.atomic():
        locks.planning()
        running = Rescore.objects.filter(state=RescoreState.RUNNING).first()
        waiting = Rescore.objects.select_for_update(no_key=True).filter(state=RescoreState.QUEUED)
        job = waiting.order_by("created_at", "pk").first()
        if running is not None or job is None:
            return running
        fields: dict[str, Any] = {"next_at": None, "seconds_each": None}
        try:
            with transaction.atomic():
                if job.planned_at is None:
                    fields |= {"total": plan(job, now), "planned_at": now}
        except Exception as problem:
            logger.exception("re-scoring %s could not be cut into chunks", job.pk)
            fields = {"error": f"It could not be cut into chunks: {type(problem).__name__}"}
            move(job, RESCORE, "fail", actor=SYSTEM, by=planner_kind(SYSTEM), now=now, extra_fields=fields)
            return None
        move(job, RESCORE, "begin", actor=SYSTEM, by=planner_kind(SYSTEM), now=now, extra_fields=fields)
        return job


def finish(job_id: int, now: datetime) -> bool:
    """End it, if nothing is left of it; whether that is so."""
    with transaction.atomic():
        locks.planning()
        job = Rescore.objects.select_for_update(no_key=True).get(pk=job_id)
        if job.state != RescoreState.RUNNING or job.chunks.filter(done__lt=F("size")).exists():
            return False
        _end(job, "finish", SYSTEM, now)
    forget_chunks()
    return True


def fail(job_id: int, now: datetime) -> None:
    """Stop: so much of it goes wrong that somebody has to look. What went wrong so far counts no more once resumed."""
    with transaction.atomic():
        locks.planning()
        job = Rescore.objects.select_for_update(no_key=True).get(pk=job_id)
        if job.state != RescoreState.RUNNING:
            return
        failed = job.failed + _sums(job)[1]
        job.chunks.exclude(failed=0).update(failed=0)
        move(job, RESCORE, "fail", actor=SYSTEM, by=planner_kind(SYSTEM), now=now, extra_fields={"failed": failed})


def forget_chunks() -> None:
    """Let go of chunks that nobody will work on or take over. Those being worked on are left for the next time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FORGET)


def _moved(actor: Actor, rescore_id: UUID, action: str, now: datetime) -> Rescore:
    if not actor.is_system:
        require_staff(actor)
    with transaction.atomic():
        locks.planning()
        job = Rescore.objects.select_for_update(no_key=True).filter(public_id=rescore_id).first()
        if job is None:
            raise NotFound("re-scoring")
        if action in RESCORE.legal(job.state, planner_kind(actor)) and action == "cancel":
            _end(job, action, actor, now)
        else:
            move(job, RESCORE, action, actor=actor, by=planner_kind(actor), now=now)
    if action == "cancel":
        forget_chunks()
    return job


def _covers(job: Rescore, other: Rescore) -> bool:
    return EVERYTHING in job.scopes or all(scope in job.scopes for scope in other.scopes)


def _take_over(job: Rescore, other: Rescore, now: datetime) -> None:
    """What `other` has left is found by `superseded_by` when `job` is planned; where that was not planned itself, by
    its scopes, and so is what it had taken over."""
    if other.planned_at is None:
        job.scopes = _without_repeats([*job.scopes, *other.scopes])
        other.superseded.update(superseded_by=job)
    job.since = min(job.since, other.since)
    job.save(update_fields=["scopes", "since"])
    _end(other, "supersede", SYSTEM, now, superseded_by=job)


def _end(job: Rescore, action: str, actor: Actor, now: datetime, **fields: Rescore) -> None:
    done, failed = _sums(job)
    extra = {"done": done, "failed": job.failed + failed, "ended_at": now, **fields}
    move(job, RESCORE, action, actor=actor, by=planner_kind(actor), now=now, extra_fields=extra)


def _sums(job: Rescore) -> tuple[int, int]:
    """How many subjects are done, and how many of these failed since it was last resumed."""
    sums = job.chunks.aggregate(done=Sum("done", default=0), failed=Sum("failed", default=0))
    return sums["done"], sums["failed"]


def _without_repeats(scopes: Iterable[Scope]) -> list[Scope]:
    found: list[Scope] = []
    for scope in scopes:
        if scope not in found:
            found.append(scope)
    return [EVERYTHING] if EVERYTHING in found else found
