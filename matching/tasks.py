"""What workers do for deciding. Each task calls one action and may run twice."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from matching.actions import marks, rescoring

TURN_SECONDS = 5.0


@shared_task
def drain_marks() -> None:
    """Re-score what has changed; where that takes long, stand in line again, so that nobody waits behind a flood."""
    until = time.monotonic() + TURN_SECONDS
    while rescoring.drain(timezone.now()):
        if time.monotonic() > until:
            marks.ring()
            return


@shared_task
def mark_for_the_new_day() -> None:
    """Everything: what a day alone changes appends no event."""
    marks.mark_all(timezone.now())
