"""Bells that wake workers. Nothing depends on them: beat finds whatever a bell missed."""

from __future__ import annotations

import logging
import time

from celery import current_app

logger = logging.getLogger(__name__)

EXPIRY_SECONDS = 10  # after the task is due; what nobody took by then beat has rung for again
QUIET_SECONDS = 5.0  # after a failed ring; beat comes every few seconds anyway


class Bell:
    """Asks for a task `gather_seconds` from now. Rings within that time are one: the task sees what they rang for."""

    def __init__(self, task: str, *, gather_seconds: float) -> None:
        self._task, self._gather_seconds = task, gather_seconds
        self._rest_until = 0.0

    def ring(self) -> None:
        """Never raises."""
        self._ring_unless_rung(self._gather_seconds)

    def ring_again(self) -> None:
        """Have it stand in line again at once: it had its turn, and more is there. Never raises."""
        self._ring_unless_rung(0)

    def _ring_unless_rung(self, seconds: float) -> None:
        if time.monotonic() >= self._rest_until:
            self._rest_until = time.monotonic() + self._gather_seconds
            self.ring_in(seconds)

    def ring_in(self, seconds: float) -> None:
        """For once, and so long from now, whoever else rings. Never raises."""
        try:
            current_app.send_task(self._task, countdown=seconds, retry=False, expires=seconds + EXPIRY_SECONDS)
        except Exception:
            self._rest_until = time.monotonic() + QUIET_SECONDS
            logger.warning("the bell for %s did not ring; beat will", self._task, exc_info=True)
