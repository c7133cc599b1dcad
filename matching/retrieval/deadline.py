"""An end to waiting, whatever is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns, or raises. TimeoutError where that takes longer.

    Time-outs of sockets bound each single read, and a look-up of a host's name not at all: somebody who answers a byte
    at a time would be waited for without end. Work that is given up goes on in its thread until a time-out of its own
    ends it, so it must not use what belongs to the caller's thread, such as a database connection.
    """
    answer: SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = SimpleQueue()

    def run() -> None:
        try:
            answer.put((work(), None))
        except BaseException as problem:
            answer.put((None, problem))

    threading.Thread(target=run, name="deadline", daemon=True).start()
    try:
        result, problem = answer.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if problem is not None:
        raise problem
    return result  # type: ignore[return-value]
