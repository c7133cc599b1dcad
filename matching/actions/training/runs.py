"""Trainings in the worker. One that is killed with its worker is begun again by the next: nothing is kept before all is
done, and what was trained twice from the same log is the same."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.errors import DomainError
from matching.access import planner_kind
from matching.actions import locks
from matching.actions.bells import Bell
from matching.actions.models.registering import named_segment
from matching.actions.training.training import LEAST_EXAMPLES, TEST_SHARE, checked, free, train_model
from matching.core.workflow import TRAINING, TrainingState
from matching.errors import TrainingRunning
from matching.models import ScoringModel, TrainingRun

logger = logging.getLogger(__name__)

bell = Bell("matching.tasks.train_models", gather_seconds=0.1)


def ask_training(
    *,
    actor: Actor,
    segment_id: UUID | None = None,
    version: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    test_share: int = TEST_SHARE,
    least: int = LEAST_EXAMPLES,
    now: datetime,
) -> TrainingRun:
    """Have the worker train a model for a segment. Staff only; raises NotPermitted, NotFound, InvalidInput,
    VersionTaken, TrainingRunning."""
    require_staff(actor)
    checked(since, until, test_share, least, now)
    version = free(version or None) or ""
    with transaction.atomic():
        segment = named_segment(segment_id, now)
        with refusing({"one_training_at_a_time": lambda: TrainingRunning(segment=segment.name)}):
            run = TrainingRun.objects.create(
                segment=segment, version=version, since=since, until=until, test_share=test_share, least=least,
                created_by_id=actor.user_id, created_at=now,
            )  # fmt: skip
        append(run, "TrainingAsked", actor=actor, by=planner_kind(actor), now=now, payload={"segment": segment.pk})
        transaction.on_commit(bell.ring, robust=True)
        return run


def train_next(now: datetime) -> int:
    """Train what waits longest and nobody else trains; 1, or 0 if there is nothing."""
    for run in TrainingRun.objects.filter(state__in=[TrainingState.QUEUED, TrainingState.TRAINING]).order_by("pk"):
        if locks.may_run(run.pk):
            try:
                run.refresh_from_db()
                if run.state in (TrainingState.QUEUED, TrainingState.TRAINING):  # as it stands now that it is ours
                    _train(run, now)
                    return 1
            finally:
                locks.ran(run.pk)
    return 0


def _train(run: TrainingRun, now: datetime) -> None:
    """In the name of whoever asked. Each step of it is seen as soon as it begins."""
    if run.state == TrainingState.QUEUED:  # otherwise its worker was killed
        with transaction.atomic():
            move(run, TRAINING, "begin", actor=Actor.system(), by=ActorKind.SYSTEM, now=now)
    try:
        model = train_model(
            actor=Actor(user_id=run.created_by_id, is_staff=True, is_system=run.created_by_id is None),
            segment_id=run.segment.public_id,
            version=run.version or None,
            since=run.since,
            until=run.until,
            test_share=run.test_share,
            least=run.least,
            now=now,
            progress=lambda what: _note(run, what),
        )
    except Exception as error:
        logger.exception("training %s failed", run.pk)
        # Only our own errors' words are kept: those of others may quote a row.
        told = error.message if isinstance(error, DomainError) else type(error).__name__
        _end(run, "fail", error=told)
    else:
        _end(run, "finish", model=model)


def _note(run: TrainingRun, what: str) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(progress=what[:120])


def _end(run: TrainingRun, action: str, *, model: ScoringModel | None = None, error: str = "") -> None:
    moment = timezone.now()
    fields = {"model": model, "error": error, "progress": "", "finished_at": moment}
    with transaction.atomic():
        move(
            run, TRAINING, action, actor=Actor.system(), by=ActorKind.SYSTEM, now=moment, extra_fields=fields
        )  # fmt: skip
