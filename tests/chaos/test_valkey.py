"""Valkey is a bell: without it everything is written, and once it is back everything is done, once."""

from __future__ import annotations

import pytest
import redis

from config.processes import wait_until_ready
from tests.chaos.books import assert_settled
from tests.chaos.bustle import Bustle
from tests.live import LiveMuster, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.xdist_group("live")]

PEOPLE = 15


def flush(live: LiveMuster) -> None:
    with redis.Redis.from_url(live.environment["REDIS_URL"]) as client:
        client.flushall()


def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_done_twice(live: LiveMuster, bustle: Bustle) -> None:
    bustle.play(PEOPLE, {PEOPLE // 3: live.kill_valkey})

    assert not live.valkey_answers()
    assert max(bustle.market.seconds) < 5
    assert bustle.done["accepted"] and bustle.done["declined"] and bustle.done["forgotten"]
    live.start_valkey()
    assert_settled(live, bustle)
    wait_until_ready(live.processes, live.web)


@pytest.mark.soak
def test_emptied_in_the_middle_nothing_is_lost_or_done_twice(live: LiveMuster, bustle: Bustle) -> None:
    bustle.play(PEOPLE, {at: lambda: flush(live) for at in (3, 8, 13)})
    flush(live)

    assert_settled(live, bustle)


@pytest.mark.soak
def test_stalled_in_the_middle_writes_go_on_and_nothing_is_lost_or_done_twice(live: LiveMuster, bustle: Bustle) -> None:
    try:
        bustle.play(PEOPLE, {PEOPLE // 3: live.stall_valkey})
    finally:
        live.resume_valkey()

    # A stalled server costs a time-out now and then; whoever meets it waits that long, and not everybody meets it.
    assert max(bustle.market.seconds) < 20
    assert_settled(live, bustle)


@pytest.mark.soak
def test_ten_rounds_of_all_that_may_happen_to_it(live: LiveMuster, bustle: Bustle) -> None:
    for _ in range(10):
        bustle.open_another(seats=60)
        everybody = len(bustle.candidates)
        bustle.play(
            everybody,
            {
                5: live.kill_valkey,
                everybody // 3: live.start_valkey,
                everybody // 2: lambda: flush(live),
                everybody - 10: live.stall_valkey,
                everybody - 2: live.resume_valkey,
            },
        )
        assert_settled(live, bustle, seconds=180)
        assert eventually(live.valkey_answers, seconds=10)
