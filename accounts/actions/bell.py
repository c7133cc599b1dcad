"""Waking the workers. Nothing depends on it: the sweeper finds whatever the bell missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from celery import current_app

logger = logging.getLogger(__name__)

QUIET_SECONDS = 5.0  # after a failed ring: a dead Redis costs one request its time-out, not every request
_quiet_until = 0.0


def ring(consumers: Iterable[str]) -> None:
    """Ask a worker to deliver to these consumers now. Never raises: losing Redis loses nothing but time."""
    global _quiet_until  # noqa: PLW0603 - one memory per process is what is wanted
    if time.monotonic() < _quiet_until:
        return
    try:
        for consumer in consumers:
            current_app.send_task("accounts.tasks.deliver", args=[consumer], retry=False, expires=60)
    except Exception:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("the bell did not ring; the sweeper will deliver", exc_info=True)
