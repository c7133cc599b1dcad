"""Waiting for rows to change, for as many as wait: one look at the database every so often, for all of them.

Looking misses nothing and depends on nothing but the database; whoever comes back after a break sees what is true now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, ParamSpec, TypeVar

from django.db import connections

logger = logging.getLogger("muster.streams")

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

THREADS = 8  # that ask the database for those who wait
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="asking")


async def in_thread(do: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Do what may ask the database away from the event loop. Its connection goes back to the pool afterwards."""

    def done() -> T:
        try:
            return do(*arguments, **options)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, done)


@dataclass(eq=False)
class _Waiting:
    """Somebody who waits, and the version that they were told of last."""

    version: Hashable = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Watch(Generic[K]):
    """`look` tells the version of each of these rows: anything that differs where the row does. A row that is gone is
    in no answer."""

    def __init__(self, look: Callable[[Collection[K]], Mapping[K, Hashable]], *, pause_seconds: float) -> None:
        self._look, self._pause = look, pause_seconds
        self._waiting: dict[K, set[_Waiting]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def changes(self, key: K) -> AsyncGenerator[None, None]:
        """At once, and then whenever the row has changed; several changes within a pause are one. Whoever is slow
        misses what was in between, never the last."""
        waiting = _Waiting((await in_thread(self._look, [key])).get(key))
        self._waiting.setdefault(key, set()).add(waiting)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            while True:
                yield
                await waiting.changed.wait()
                waiting.changed.clear()
        finally:
            self._waiting[key].discard(waiting)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            if not self._waiting:
                return
            try:
                found = await in_thread(self._look, list(self._waiting))
            except Exception:  # the database is away, say: those who wait are told when it is back
                logger.exception("cannot see what those who wait are waiting for")
                continue
            for key, all_waiting in self._waiting.items():
                for waiting in all_waiting:
                    if waiting.version != found.get(key):
                        waiting.version = found.get(key)
                        waiting.changed.set()
