"""The whole evening of the market, over HTTP, with a live worker: it plays, and afterwards everything adds up."""

from __future__ import annotations

import re

import pytest

from config.processes import wait_until_ready
from tests.live import LiveMuster

pytestmark = [pytest.mark.evening, pytest.mark.slow, pytest.mark.xdist_group("live")]


@pytest.fixture
def live(market: LiveMuster) -> LiveMuster:
    market.start_valkey()
    market.start_worker()
    wait_until_ready(market.processes, market.web)
    return market


def play(live: LiveMuster, seed: int) -> str:
    """The summary of an evening that went as it should."""
    answer = live.run("-m", "config.evening", "--graphql", live.graphql, "--seed", str(seed))
    assert answer.returncode == 0, f"{answer.stdout[-3000:]}\n{answer.stderr[-3000:]}"
    return answer.stdout


def assert_adds_up(live: LiveMuster) -> None:
    found = live.audit()
    assert found["violations"] == []
    figures = found["figures"]
    assert figures["accepted_offers"] == figures["placements"] > 0
    assert figures["live_placements"] == figures["filled_seats"] > 0
    # A freshly ended placement's seat is spent; nothing else parts the two.
    assert figures["placements"] == figures["filled_seats"] + figures["spent_seats"]
    assert figures["deliveries"] > 0
    two_holders = """
        SELECT count(*) FROM (SELECT seat_id FROM marketplace_placement
        WHERE state IN ('onboarding', 'active', 'paused') GROUP BY seat_id HAVING count(*) > 1) AS crowded
    """
    assert live.one(two_holders) == 0
    assert live.one("SELECT count(*) FROM accounts_delivery WHERE state <> 'done'") == 0
    assert figures["transitions"] == live.one("SELECT count(DISTINCT event_id) FROM accounts_transition")


def test_an_evening_over_http_fills_seats_and_everything_adds_up(live: LiveMuster) -> None:
    summary = play(live, seed=1)

    for said in (
        r"Seats wanted +[1-9]",
        r"filled +[1-9]",
        r"Fill rate +[1-9]\d*%",
        r"Time to fill +\d+ (s|min|h)",
        r"[1-9]\d* opportunities published",
        r"6 newcomers registered; [1-9]\d* applications",
        r"[1-9]\d* invited",
        r"offers: [1-9]\d* accepted",
        r"[1-9]\d* placements started",
        r"allocation 2: ",
        r"Best matches",
        r"where everybody starts",
        r"A refusal: ",
        r"An empty seat: ",
    ):
        assert re.search(said, summary), f"the summary lacks {said}:\n{summary}"
    assert_adds_up(live)


@pytest.mark.soak
def test_evening_after_evening_on_the_same_data_everything_still_adds_up(live: LiveMuster) -> None:
    for seed in range(2, 8):
        play(live, seed)
        assert_adds_up(live)
