"""The cache: Redis, of which nothing depends on being there."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """A Redis cache that is empty while Redis is away.

    What Muster caches (rate limits, the worker's heartbeat) is worth less than the request that asks for it: a login
    must not fail because Redis restarts.
    """

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return super().add(key, value, *args, **kwargs)
        except RedisError as error:
            self._missed("add", error)
            return True  # as an empty cache would: whoever adds to hold others off must not be held off by an outage

    def validate_key(self, key: str) -> None:
        """Valkey takes any; the warning that Django would give is for another store, and quotes the key."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            self._missed("get", error)
            return default

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            self._missed("set", error)

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except RedisError as error:
            self._missed("delete", error)
            return False

    @staticmethod
    def _missed(operation: str, error: RedisError) -> None:
        logger.warning("Cache %s went unanswered: %s", operation, type(error).__name__)
