"""A search that Elasticsearch does not answer is answered by Postgres, in time, and says so."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from config import services
from matching.retrieval import elastic
from matching.retrieval.breaker import Breaker
from matching.retrieval.searching import MOST_JUDGED
from tests.config.graphql_client import Asker
from tests.marketplace.factories import a_published_opportunity
from tests.matching.staging import copy

pytestmark = pytest.mark.django_db

TITLES = "query ($after: String) { opportunities(first: 1, after: $after) { totalCount pageInfo { endCursor } } }"
TIMEOUT_MS = 300


@pytest.fixture
def slow(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Elasticsearch takes connections and answers nothing."""
    monkeypatch.setattr(elastic, "breaker", Breaker(failures=2, pause=60, longest_pause=60))
    settings.SEARCH_TIMEOUT_MS = TIMEOUT_MS
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield


@pytest.fixture
def away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is at its address."""
    monkeypatch.setattr(elastic, "breaker", Breaker(failures=2, pause=60, longest_pause=60))
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"


def fallbacks(reason: str) -> float:
    labels = {"subject": "opportunity", "reason": reason}
    return REGISTRY.get_sample_value("muster_search_fallbacks_total", labels) or 0.0


def test_a_slow_server_costs_its_time_out_once_and_then_nothing(slow: None) -> None:
    a_published_opportunity()
    before, reasons, seconds = fallbacks("timeout"), [], []
    for _ in range(3):
        began = time.monotonic()
        answer = Asker().answer(TITLES)
        seconds.append(time.monotonic() - began)
        assert answer["data"]["opportunities"]["totalCount"] == 1
        reasons.append(answer["extensions"]["search"])
    assert reasons == [{"source": "postgres", "fellBack": reason} for reason in ("timeout", "timeout", "open")]
    assert fallbacks("timeout") == before + 2
    assert min(seconds[:2]) >= TIMEOUT_MS / 1000  # page and count together wait once, not twice
    assert seconds[2] < seconds[1]


def test_writes_and_searches_go_on_while_nobody_answers(away: None) -> None:
    a_published_opportunity()
    copy()
    a_published_opportunity()
    answer = Asker().answer(TITLES)
    assert answer["data"]["opportunities"]["totalCount"] == 2
    assert answer["extensions"]["search"] == {"source": "postgres", "fellBack": "unreachable"}
    # Such a list goes on with Postgres, and only with it.
    cursor = answer["data"]["opportunities"]["pageInfo"]["endCursor"]
    assert Asker().answer(TITLES, after=cursor)["extensions"]["search"] == {"source": "postgres", "fellBack": None}


def test_a_list_that_elasticsearch_began_ends_when_it_does(away: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        a_published_opportunity()
    monkeypatch.setattr("matching.retrieval.postgres.Postgres.name", "elasticsearch")
    cursor = Asker().ask(TITLES)["opportunities"]["pageInfo"]["endCursor"]
    monkeypatch.undo()
    monkeypatch.setattr(elastic, "breaker", Breaker(failures=2, pause=60, longest_pause=60))
    assert Asker().refusal(TITLES, after=cursor)["code"] == "SEARCH_SOURCE_GONE"


def test_more_on_its_way_than_can_be_judged_is_left_out_until_it_is_copied(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ELASTICSEARCH_URL = ""
    monkeypatch.setattr("matching.retrieval.searching.MOST_JUDGED", 2)
    assert MOST_JUDGED > 2
    a_published_opportunity()
    copy()
    for _ in range(3):
        a_published_opportunity()
    assert Asker().ask(TITLES)["opportunities"]["totalCount"] == 1
    copy()
    assert Asker().ask(TITLES)["opportunities"]["totalCount"] == 4


def test_an_index_that_is_far_behind_is_not_asked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"
    monkeypatch.setattr("matching.retrieval.searching.MOST_LAGGING", 1)
    for _ in range(2):
        a_published_opportunity()
    assert Asker().answer(TITLES)["extensions"]["search"]["fellBack"] == "behind"
