"""Asking Valkey for what a request can do without.

It answers in a tenth of a millisecond. Nobody waits for one that stalls, and soon it is not even asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.exceptions import RedisError

from matching.retrieval.breaker import Breaker

T = TypeVar("T")

TIMEOUT_SECONDS = 0.25
breaker = Breaker(failures=2, pause=1.0, longest_pause=30.0)


def asked(question: Callable[[redis.Redis], T]) -> T | None:
    """What Valkey answers; None where it does not."""
    if not breaker.admits(time.monotonic()):
        return None
    try:
        answer = question(_client(settings.REDIS_URL))
    except RedisError:
        breaker.failed(time.monotonic())
        return None
    breaker.succeeded()
    return answer


@cache
def _client(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
