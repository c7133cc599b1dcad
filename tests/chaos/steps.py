"""Killing a process at one step of what it does: before a statement, before its COMMIT, or right after it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable

from django.db import connections

from tests.stepping import stepping


def dies_at(step: int, do: Callable[[], object]) -> bool:
    """Whether a process that does this is killed at the step; False if it got through first, without an error."""
    context = multiprocessing.get_context("fork")

    def reached(number: int) -> None:
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def child() -> None:
        connections.close_all()
        with stepping(reached):
            do()
        connections.close_all()

    connections.close_all()  # a forked child must not share its parent's socket
    process = context.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0
