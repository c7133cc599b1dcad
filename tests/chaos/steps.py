"""Killing a process at one step of what it does: before a statement, before its COMMIT, or right after it.

Steps are counted, so a step is the same one each time, and going through all of them is a loop.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from matching.actions.allocation import progress

NEVER = -1


class Fuse:
    """Counts the steps of this process; at step `at`, from 0, the process dies as by `kill -9`."""

    def __init__(self, at: int = NEVER) -> None:
        self.at, self.steps = at, 0

    def step(self) -> None:
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1

    @contextmanager
    def lit(self) -> Iterator[None]:
        """Steps are statements on the usual connection, both sides of a COMMIT, and notes of how far a run is."""
        connection = connections["default"]
        commit, note = connection._commit, progress.Telling._note

        def statement(execute: Callable[..., Any], *arguments: Any) -> Any:
            self.step()
            return execute(*arguments)

        def committed() -> None:
            self.step()
            commit()
            self.step()

        def noted(*arguments: Any) -> None:
            self.step()
            note(*arguments)

        connection._commit, progress.Telling._note = committed, noted  # type: ignore[method-assign]
        try:
            with connection.execute_wrapper(statement):
                yield
        finally:
            connection._commit, progress.Telling._note = commit, note  # type: ignore[method-assign]


def steps_of(do: Callable[[], object]) -> int:
    """How many there are in something of one transaction, which is done and taken back. Within another transaction it
    begins and ends with a savepoint, two statements, which stand for the two sides of its COMMIT."""
    fuse = Fuse()
    with transaction.atomic():
        with fuse.lit():
            do()
        transaction.set_rollback(True)
    return fuse.steps


def dies_at(step: int, do: Callable[[], object]) -> bool:
    """Whether a process that does this is killed at the step; False if it got through first, without an error."""
    context = multiprocessing.get_context("fork")

    def child() -> None:
        connections.close_all()
        with Fuse(step).lit():
            do()
        connections.close_all()

    connections.close_all()  # a forked child must not share its parent's socket
    process = context.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0
