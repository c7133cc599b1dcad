"""The steps of what a process does with the database, counted, so that a step is the same one each time.

Steps are statements on the usual connection, both sides of a COMMIT, and notes of how far a run is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from matching.actions.allocation import progress


@contextmanager
def stepping(reached: Callable[[int], None]) -> Iterator[None]:
    """`reached` is told before each step of this thread, from 0 on."""
    connection = connections["default"]
    commit, note = connection._commit, progress.Telling._note
    number = 0

    def step() -> None:
        nonlocal number
        reached(number)
        number += 1

    def statement(execute: Callable[..., Any], *arguments: Any) -> Any:
        step()
        return execute(*arguments)

    def committed() -> None:
        step()
        commit()
        step()

    def noted(*arguments: Any) -> None:
        step()
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
    reached: list[int] = []
    with transaction.atomic():
        with stepping(reached.append):
            do()
        transaction.set_rollback(True)
    return len(reached)
