"""Many real processes that do something at the same moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections


def all_at_once(work: Callable[[Any], str], items: Sequence[Any], *, processes: int) -> list[str]:
    """Deal the items out to processes with connections of their own, let them go together, and gather the answers.

    A process answers with what `work` returned, or with the name of what it raised.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(processes)
    queue = context.SimpleQueue()

    def one(share: Sequence[Any]) -> None:
        answers = []
        try:
            connections.close_all()
            connections["default"].ensure_connection()
            barrier.wait(60)
            for item in share:
                try:
                    answers.append(work(item))
                except Exception as error:
                    answers.append(type(error).__name__)
        finally:
            connections.close_all()
            queue.put(answers)

    connections.close_all()  # a forked child must not share its parent's socket
    crowd = [context.Process(target=one, args=(items[i::processes],)) for i in range(processes)]
    for process in crowd:
        process.start()
    answers = [answer for _ in crowd for answer in queue.get()]
    for process in crowd:
        process.join(60)
        assert process.exitcode == 0
    return answers
