"""Children of a supervisor: those that should return do, and those that cannot run are told of."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from config.processes import MOST_RESTARTS, Processes, ProcessFailed, running

FAILS = [sys.executable, "-c", "print('cannot'); raise SystemExit(3)"]


@pytest.fixture
def processes(tmp_path: Path):
    with running(Processes({}, tmp_path)) as children:
        yield children


def test_a_child_that_returns_is_started_again_until_it_fails_too_often(processes: Processes) -> None:
    child = processes.start("worker", FAILS, returns=True)
    for _ in range(MOST_RESTARTS):
        ended = child.popen
        ended.wait()
        processes.check()
        assert child.popen is not ended
    child.popen.wait()
    with pytest.raises(ProcessFailed, match="status 3"):
        processes.check()
    assert child.tail().splitlines() == ["cannot"] * (1 + MOST_RESTARTS)


def test_a_child_that_should_stay_and_ends_is_a_failure(processes: Processes) -> None:
    processes.start("web", FAILS).popen.wait()
    with pytest.raises(ProcessFailed, match="cannot"):
        processes.check()


def test_a_child_that_runs_is_left_alone(processes: Processes) -> None:
    child = processes.start("beat", [sys.executable, "-c", "input()"], returns=True)
    runs = child.popen
    processes.check()
    assert child.popen is runs
