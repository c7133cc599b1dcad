"""Setting timers, and firing those that are due."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from accounts.core.faults import described
from accounts.models import Timer

logger = logging.getLogger(__name__)

BATCH = 200
MAX_BACKOFF = timedelta(hours=1)
# A timer that is not firing, locked. As *the* one and not one *of* those: for a set Postgres would read all timers.
_AT_REST = "id = (SELECT id FROM accounts_timer WHERE kind = %s AND subject_id = %s FOR UPDATE SKIP LOCKED)"


def set_timer(kind: str, subject_id: int, due_at: datetime) -> None:
    """Have `settings.TIMERS[kind]` called with `subject_id` once `due_at` has passed. Setting it again moves it.

    The caller holds the subject's lock, as handlers take it. So a timer that is firing at this very moment is left
    alone: its handler waits for the caller, and will set it again. Waiting for it would be waiting in a circle.
    """
    if kind not in settings.TIMERS:
        raise KeyError(f"no timer of kind {kind}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE accounts_timer SET due_at = %s, fired_at = NULL, attempts = 0, last_error = '' WHERE {_AT_REST}",
            [due_at, kind, subject_id],
        )
        moved = cursor.rowcount
    if not moved and not Timer.objects.filter(kind=kind, subject_id=subject_id).exists():
        Timer.objects.create(kind=kind, subject_id=subject_id, due_at=due_at)


def cancel_timer(kind: str, subject_id: int) -> None:
    """Forget a timer. One that is firing at this very moment fires, and its handler finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM accounts_timer WHERE {_AT_REST}", [kind, subject_id])


def fire_due(now: datetime, *, limit: int = BATCH) -> int:
    """Fire what is due; the number that was tried. One transaction each; workers skip each other's rows.

    A handler that fails is tried again after 2, 4, 8 … seconds, at most an hour apart, for ever: a deadline does not
    go away because something was broken when it passed.
    """
    ids = list(Timer.objects.due(now).order_by("due_at", "id").values_list("id", flat=True)[:limit])
    return sum(_fire(timer_id, now) for timer_id in ids)


def _fire(timer_id: int, now: datetime) -> bool:
    with transaction.atomic():
        timer = Timer.objects.due(now).select_for_update(skip_locked=True).filter(id=timer_id).first()
        if timer is None:
            return False
        try:
            with transaction.atomic():
                import_string(settings.TIMERS[timer.kind])(timer.subject_id, now)
        except Exception as error:
            logger.exception("timer %s of %s failed", timer.kind, timer.subject_id)
            timer.attempts += 1
            timer.last_error = described(error)
            timer.due_at = now + min(timedelta(seconds=2 ** min(timer.attempts, 12)), MAX_BACKOFF)
            timer.save(update_fields=["attempts", "last_error", "due_at"])
        else:
            # The handler may have set its own timer anew; then there is nothing to close.
            Timer.objects.filter(id=timer_id, due_at=timer.due_at, fired_at=None).update(fired_at=now)
        return True
