"""A circuit breaker: leaves alone, for a while, somebody who does not answer.

    closed     everybody may ask; after so many failures in a row it opens
    open       nobody may, until a pause has passed
    half-open  one may, to try: an answer closes it, a failure doubles the pause

(Of the libraries that do this pybreaker 1.4 holds a lock while it calls, so that only one thread asks at a time, and
circuitbreaker 2.1 lets everybody through when it is half open.)
"""

from __future__ import annotations

import threading
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """Times are seconds of a clock that never goes back. May be used from any thread.

    Whoever `admits` let through says how it ended. One who never does, such as a thread that died, is no longer waited
    for after the pause.
    """

    def __init__(self, *, failures: int, pause: float, longest_pause: float) -> None:
        self._most_failures, self._first_pause, self._longest_pause = failures, pause, longest_pause
        self._lock = threading.Lock()
        self._failures, self._pause = 0, pause
        self._is_tried, self._shut_until = False, 0.0

    def admits(self, now: float) -> bool:
        """Whether one may ask now."""
        with self._lock:
            state = self._state(now)
            if state is State.HALF_OPEN:
                self._is_tried, self._shut_until = True, now + self._pause
            return state is not State.OPEN

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._pause, self._is_tried = 0, self._first_pause, False

    def failed(self, now: float) -> None:
        with self._lock:
            self._failures += 1
            if self._failures == self._most_failures:
                self._shut_until = now + self._pause
            elif self._is_tried:
                self._pause = min(2 * self._pause, self._longest_pause)
                self._is_tried, self._shut_until = False, now + self._pause
            # Else those fail who were let in before it opened: that is known already.

    def state(self, now: float) -> State:
        with self._lock:
            return self._state(now)

    def _state(self, now: float) -> State:
        if self._failures < self._most_failures:
            return State.CLOSED
        return State.OPEN if now < self._shut_until else State.HALF_OPEN
