"""Two real processes whose statements alternate as told: the second acts while the first is held up at a step."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from tests.stepping import stepping

SECONDS = 60.0
BLOCKED = "SELECT cardinality(pg_blocking_pids(%s)) > 0"


def interleaved(first: Callable[[], str], second: Callable[[], str], *, at: int) -> tuple[str, str]:
    """What each answered, or the name of what it raised. `first` is held up before its step `at`. Then `second` begins,
    and either ends or waits for a lock of the first; after that the first goes on."""
    context = multiprocessing.get_context("fork")
    arrived, go_on = context.Event(), context.Event()
    answers = context.SimpleQueue(), context.SimpleQueue()
    backend = context.SimpleQueue()

    def hold(number: int) -> None:
        if number == at:
            arrived.set()
            assert go_on.wait(SECONDS)

    def one() -> None:
        connections.close_all()
        with stepping(hold):
            answer = _answer(first)
        arrived.set()  # it ended before it got there
        connections.close_all()
        answers[0].put(answer)

    def other() -> None:
        connections.close_all()
        connection.ensure_connection()
        backend.put(connection.connection.info.backend_pid)
        answer = _answer(second)
        connections.close_all()
        answers[1].put(answer)

    connections.close_all()  # a forked child must not share its parent's socket
    processes = [context.Process(target=one), context.Process(target=other)]
    processes[0].start()
    assert arrived.wait(SECONDS)
    processes[1].start()
    _until_it_ends_or_waits(processes[1], backend.get())
    go_on.set()
    found = answers[0].get(), answers[1].get()
    for process in processes:
        process.join(SECONDS)
        assert process.exitcode == 0
    return found


def _answer(do: Callable[[], str]) -> str:
    try:
        return do()
    except Exception as error:
        return type(error).__name__


def _until_it_ends_or_waits(process: Any, backend: int) -> None:
    deadline = time.monotonic() + SECONDS
    while process.is_alive() and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(BLOCKED, [backend])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.005)
    assert not process.is_alive()
