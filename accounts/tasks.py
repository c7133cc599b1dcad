"""What workers do for this app. Each task calls one action and may run twice."""

from __future__ import annotations

import time

from allauth.idp.oidc.models import Token
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from accounts.actions import audit, bell, deliveries, table_states, timers
from accounts.actions.attempts import forget_attempts as forget_old_attempts
from accounts.actions.idempotency import SWEPT_AT_ONCE, forget_expired


@shared_task
def deliver(consumer: str) -> None:
    """Deliver a batch to one consumer; where there is more, stand in line again: nobody waits behind a flood."""
    if deliveries.deliver_due(consumer, timezone.now()) == deliveries.batch_of(consumer):
        bell.ring([consumer])


@shared_task
def sweep_deliveries() -> None:
    """Find what the bell missed."""
    bell.ring(deliveries.due_consumers(timezone.now()))


@shared_task
def fire_timers() -> None:
    timers.fire_due(timezone.now())


@shared_task
def seal_audit() -> None:
    audit.seal_all(timezone.now())


@shared_task
def heartbeat() -> None:
    """Tell /readyz that a worker is alive and being fed."""
    cache.set(settings.WORKER_HEARTBEAT_KEY, time.time(), timeout=None)


@shared_task
def forget_idempotency_records() -> None:
    """All of them, a batch at a time: a busy day leaves more than one batch."""
    while forget_expired(now=timezone.now()) == SWEPT_AT_ONCE:
        pass


@shared_task
def forget_attempts() -> None:
    forget_old_attempts(timezone.now())


@shared_task
def fold_table_states() -> None:
    table_states.fold_states()


@shared_task
def forget_login_tokens() -> None:
    """Those of programs whose users log in with us, and sessions, which nobody's visit deletes."""
    Token.objects.expired().delete()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
