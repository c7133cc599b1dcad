"""What workers do for deciding. Each task calls one action and may run twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from matching.actions import copies, decisions, digests, indexing, marks, mass, rebuilding, rescoring, training
from matching.actions.bells import Bell
from matching.actions.rescoring import shadows
from matching.core.attributes import Subject
from matching.models import CopyMark, Rescore
from matching.queries.affected import NEW_DAY
from matching.queries.marks import waiting

TURN_SECONDS = 0.5
BUILD_SECONDS = 6 * 3600
TRAIN_SECONDS = 3600


def _work(batch: Callable[[datetime], int], bell: Bell) -> None:
    """Until nothing is left; where that takes long, stand in line again, so that nobody waits behind a flood."""
    until = time.monotonic() + TURN_SECONDS
    while batch(timezone.now()):
        if time.monotonic() > until:
            bell.ring_again()
            return


@shared_task
def drain_marks() -> None:
    """Re-score what has changed."""
    _work(rescoring.drain, marks.bell)


@shared_task
def rescore_at_large() -> None:
    """One chunk of what a mass change left to do, after whatever was marked by now; then rest, and stand in line
    again. Whoever finds that it is not yet time, or nothing to do, does not: of as many who were rung for as there may
    be, those go on who are needed."""
    until = time.monotonic() + TURN_SECONDS
    behind = waiting()
    while behind > 0 and (done := rescoring.drain(timezone.now())):
        behind -= done
        if time.monotonic() > until:
            mass.bell.ring()
            return
    rest = mass.work(timezone.now())
    if rest is not None:
        mass.bell.ring_in(rest)


@shared_task
def copy_marked() -> None:
    """Copy what has changed to where it is searched."""
    _work(copies.project, copies.bells[CopyMark.Stage.PROJECTION])


@shared_task
def index_marked() -> None:
    """Send documents of what was copied."""
    _work(indexing.index_unless_resting, copies.bells[CopyMark.Stage.INDEX])


@shared_task(soft_time_limit=BUILD_SECONDS, time_limit=BUILD_SECONDS + 60)
def build_missing_indices() -> None:
    """Where Elasticsearch is new, or has lost everything. A build that takes long is handed out a second time: that one
    is refused."""
    rebuilding.rebuild_missing(timezone.now())


@shared_task
def send_digests() -> None:
    """Make up the digests that are due, and send them; beat rings again before long. Sending comes first: what was made
    up is not to wait for what is still to be."""
    until = time.monotonic() + TURN_SECONDS
    while digests.send_due(timezone.now()) + digests.make_up_due(timezone.now()):
        if time.monotonic() > until:
            return


@shared_task
def mark_for_the_new_day() -> None:
    """Everything: what a day alone changes appends no event."""
    now = timezone.now()
    mass.start(cause=Rescore.Cause.DAY, scopes=[NEW_DAY], since=now, now=now)
    for subject in Subject:
        copies.renew_all(subject, now)


@shared_task(soft_time_limit=TRAIN_SECONDS, time_limit=TRAIN_SECONDS + 60)
def train_models() -> None:
    """Those that staff asked for, one after the other. One that takes long is handed out a second time: that one finds
    it taken."""
    while training.train_next(timezone.now()):
        pass


@shared_task
def forget_shadows() -> None:
    """All that models in the shadow logged too long ago, a batch at a time."""
    while shadows.forget(now=timezone.now()):
        pass


@shared_task
def forget_decisions() -> None:
    """All that was shown too long ago, a batch at a time."""
    while decisions.forget_decisions(now=timezone.now()):
        pass
