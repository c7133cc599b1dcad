"""Waking the workers. Nothing depends on it: the sweeper finds whatever the bell missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from celery import current_app
from django.conf import settings

from accounts.subscriptions import takes_many

logger = logging.getLogger(__name__)

QUIET_SECONDS = 5.0  # after a failed ring: a dead Redis costs one request its time-out, not every request
GATHER_SECONDS = 0.1  # whoever is rung for starts this much later, with all that has come meanwhile
_quiet_until = 0.0
_rest_until: dict[str, float] = {}


def ring(consumers: Iterable[str]) -> None:
    """Ask a worker to deliver to these consumers soon. Rings within the wait are one. Never raises: losing Redis loses
    nothing but time."""
    global _quiet_until  # noqa: PLW0603 - one memory per process is what is wanted
    if time.monotonic() < _quiet_until:
        return
    try:
        for consumer in consumers:
            if time.monotonic() >= _rest_until.get(consumer, 0):
                _rest_until[consumer] = time.monotonic() + GATHER_SECONDS
                _ask(consumer)
    except Exception:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("the bell did not ring; the sweeper will deliver", exc_info=True)


def _ask(consumer: str) -> None:
    current_app.send_task(
        "accounts.tasks.deliver",
        args=[consumer],
        countdown=GATHER_SECONDS,
        queue=settings.QUICK_QUEUE if takes_many(consumer) else settings.CELERY_TASK_DEFAULT_QUEUE,
        retry=False,
        expires=10,
    )
