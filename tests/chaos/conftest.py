"""The live market, put in order again before each test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from config.processes import wait_until_ready
from tests.chaos.bustle import Bustle, gather
from tests.live import LiveMuster


@pytest.fixture(scope="session")
def market_of_chaos(market: LiveMuster) -> Iterator[tuple[LiveMuster, Bustle]]:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request hides what went wrong
    with gather(market) as bustle:
        yield market, bustle


@pytest.fixture
def live(market_of_chaos: tuple[LiveMuster, Bustle]) -> LiveMuster:
    live, _ = market_of_chaos
    live.start_valkey()
    live.start_worker()
    wait_until_ready(live.processes, live.web)
    return live


@pytest.fixture
def bustle(live: LiveMuster, market_of_chaos: tuple[LiveMuster, Bustle]) -> Bustle:
    """People at work on an opportunity of this test's own."""
    _, bustle = market_of_chaos
    bustle.open_another(seats=40)
    return bustle
