"""A circuit breaker opens when it should, and finds out by one try whether it may close."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Thread

from matching.retrieval.breaker import Breaker, State


def a_breaker(failures: int = 3) -> Breaker:
    return Breaker(failures=failures, pause=2.0, longest_pause=10.0)


def an_open_breaker(at: float = 100.0) -> Breaker:
    breaker = a_breaker(failures=1)
    breaker.failed(at)
    return breaker


def test_opens_after_failures_in_a_row() -> None:
    breaker = a_breaker()
    breaker.failed(0.0)
    breaker.failed(1.0)
    assert (breaker.admits(1.0), breaker.state(1.0)) == (True, State.CLOSED)
    breaker.failed(2.0)
    assert (breaker.admits(3.9), breaker.state(3.9)) == (False, State.OPEN)


def test_an_answer_in_between_counts_failures_anew() -> None:
    breaker = a_breaker()
    for moment in range(10):
        breaker.failed(moment)
        breaker.failed(moment)
        breaker.succeeded()
    assert breaker.admits(10.0)


def test_lets_one_try_after_the_pause_and_nobody_else_meanwhile() -> None:
    breaker = an_open_breaker(at=100.0)
    assert breaker.state(102.0) is State.HALF_OPEN
    assert [breaker.admits(102.0) for _ in range(3)] == [True, False, False]


def test_closes_when_the_try_is_answered() -> None:
    breaker = an_open_breaker(at=100.0)
    assert breaker.admits(102.0)
    breaker.succeeded()
    assert [breaker.admits(102.1) for _ in range(3)] == [True] * 3


def test_waits_twice_as_long_after_each_failed_try_up_to_a_limit() -> None:
    breaker, now, pauses = an_open_breaker(at=100.0), 100.0, []
    for _ in range(5):
        began = now
        while not breaker.admits(now):
            now += 0.5
        pauses.append(now - began)
        breaker.failed(now)
    assert pauses == [2.0, 4.0, 8.0, 10.0, 10.0]


def test_begins_with_the_first_pause_again_once_it_was_closed() -> None:
    breaker = an_open_breaker(at=100.0)
    for moment in (102.0, 106.0):
        assert breaker.admits(moment)
        breaker.failed(moment)
    assert breaker.admits(114.0)
    breaker.succeeded()
    breaker.failed(200.0)
    assert not breaker.admits(201.9)
    assert breaker.admits(202.0)


def test_failures_of_those_let_in_before_it_opened_prolong_nothing() -> None:
    breaker = an_open_breaker(at=100.0)
    for _ in range(8):
        breaker.failed(101.0)
    assert breaker.admits(102.0)


def test_try_that_is_never_heard_of_again_does_not_keep_it_open() -> None:
    breaker = an_open_breaker(at=100.0)
    assert breaker.admits(102.0)
    assert not breaker.admits(103.9)
    assert breaker.admits(104.0)


def test_of_many_threads_one_tries() -> None:
    breaker, barrier, admitted = an_open_breaker(at=100.0), Barrier(8), Counter[bool]()

    def ask() -> None:
        barrier.wait()
        admitted[breaker.admits(102.0)] += 1

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted == {True: 1, False: 7}
