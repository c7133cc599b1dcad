"""Bells that wake workers. Nothing depends on them: beat finds whatever a bell missed."""

from __future__ import annotations

import logging
import time

from celery import current_app

logger = logging.getLogger(__name__)

QUIET_SECONDS = 5.0  # after a failed ring; beat comes every few seconds anyway


class Bell:
    """Asks for a task `gather_seconds` from now. Rings within that time are one: the task sees what they rang for."""

    def __init__(self, task: str, *, gather_seconds: float) -> None:
        self._task, self._gather_seconds = task, gather_seconds
        self._rest_until = 0.0

    def ring(self) -> None:
        """Never raises."""
        if time.monotonic() < self._rest_until:
            return
        self._rest_until = time.monotonic() + self._gather_seconds
        try:
            current_app.send_task(self._task, countdown=self._gather_seconds, retry=False, expires=10)
        except Exception:
            self._rest_until = time.monotonic() + QUIET_SECONDS
            logger.warning("the bell for %s did not ring; beat will", self._task, exc_info=True)
