"""Elasticsearch as a source: what it answers that the shared conformance cases do not reach, and what becomes of a
question that it does not answer, or not in time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from config import services
from matching.actions import openings, projection
from matching.core.attributes import Subject
from matching.core.search.query import Segment
from matching.core.search.search import EVERYTHING, Facet, PayRange, Reach, Search, Sort
from matching.models import OpportunityProjection
from matching.retrieval import elastic
from matching.retrieval.breaker import Breaker, State
from matching.retrieval.elastic import Elasticsearch
from matching.retrieval.elastic_query import MOST_TERMS, query
from matching.retrieval.source import SourceUnavailable
from tests.elasticsearch import an_index, fill, needs_elasticsearch, own_indices
from tests.marketplace.factories import NOW, a_candidate, a_draft, a_published_opportunity

ALL = Search(Subject.OPPORTUNITY, reach=EVERYTHING)
SOURCE = Elasticsearch()
TIMEOUT_MS = 250


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Breaker:
    """One of the test's own, which opens after two failures, and little time."""
    settings.SEARCH_TIMEOUT_MS = TIMEOUT_MS
    own = Breaker(failures=2, pause=0.3, longest_pause=0.3)
    monkeypatch.setattr(elastic, "breaker", own)
    return own


def reason(search: Search = ALL) -> str:
    with pytest.raises(SourceUnavailable) as refusal:
        SOURCE.hits(search, after=None, limit=10, without=())
    return refusal.value.reason


# Nobody answers


@contextlib.contextmanager
def a_server(drip: bytes = b"") -> Iterator[str]:
    """The address of somebody who takes connections and answers nothing, or a byte at a time."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            taken = []
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = listener.accept()
                    taken.append(caller)
                    for byte in drip:
                        if ended.wait(TIMEOUT_MS / 2000):
                            return
                        caller.sendall(bytes([byte]))

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_nobody_at_the_address_is_told_at_once(settings: Any, breaker: Breaker) -> None:
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"
    assert [reason() for _ in range(3)] == ["unreachable", "unreachable", "open"]


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"])
def test_search_is_given_up_in_time_whatever_the_server_does(settings: Any, breaker: Breaker, drip: bytes) -> None:
    with a_server(drip) as settings.ELASTICSEARCH_URL:
        began = time.monotonic()
        assert [reason() for _ in range(2)] == ["timeout", "timeout"]
        assert time.monotonic() - began < 2 * TIMEOUT_MS / 1000 + 0.5
        began = time.monotonic()
        assert [reason() for _ in range(50)] == ["open"] * 50
        assert time.monotonic() - began < TIMEOUT_MS / 1000, "nobody waits while it is open"


@needs_elasticsearch
@pytest.mark.django_db
def test_recovers_by_itself(settings: Any, breaker: Breaker) -> None:
    there = settings.ELASTICSEARCH_URL
    with an_index(Subject.OPPORTUNITY):
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"
        assert [reason() for _ in range(3)] == ["unreachable", "unreachable", "open"]
        settings.ELASTICSEARCH_URL = there
        settings.SEARCH_TIMEOUT_MS = 5000
        assert reason() == "open"
        time.sleep(0.35)
        assert SOURCE.count(ALL, without=()) == 0
        assert breaker.state(time.monotonic()) is State.CLOSED


@needs_elasticsearch
def test_server_that_answers_is_not_left_alone_for_what_it_cannot_answer(settings: Any, breaker: Breaker) -> None:
    settings.SEARCH_TIMEOUT_MS = 5000
    with own_indices():
        assert [reason() for _ in range(4)] == ["missing"] * 4
    with an_index(Subject.OPPORTUNITY):
        impossible = Search(Subject.OPPORTUNITY, reach=EVERYTHING, among=frozenset({2**70}))
        assert [reason(impossible) for _ in range(4)] == ["error"] * 4
    assert breaker.state(time.monotonic()) is State.CLOSED


def test_more_ids_than_the_server_takes_are_not_sent(breaker: Breaker) -> None:
    many = frozenset(range(1, MOST_TERMS + 2))
    for search in (
        Search(Subject.OPPORTUNITY, reach=EVERYTHING, among=many),
        Search(Subject.OPPORTUNITY, reach=Reach(related=many)),
    ):
        assert reason(search) == "among"
    assert breaker.state(time.monotonic()) is State.CLOSED


def test_nothing_to_be_found_is_asked_of_nobody(settings: Any, breaker: Breaker) -> None:
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"
    nothing = Search(Subject.OPPORTUNITY, nothing=True)
    assert SOURCE.hits(nothing, after=None, limit=10, without=()) == []
    assert SOURCE.count(nothing, without=()) == 0
    assert SOURCE.facets(nothing, [Facet.SKILL], without=()) == {Facet.SKILL: {}}


# What it is asked


def test_words_are_compared_as_they_are_made_and_no_script_runs() -> None:
    segments = (Segment(("c++", "developer"), skills=(3,), begun="developers"), Segment(("x",), near=("y",)))
    asked = str(query(Search(Subject.CANDIDATE, segments, sort=Sort.RELEVANCE), without={1}).to_dict())
    assert not [word for word in ("'match'", "query_string", "script", "analyzer", "fuzz") if word in asked]


# What it answers


@needs_elasticsearch
@pytest.mark.django_db
def test_pages_go_on_to_the_microsecond_and_by_the_bytes_of_titles(settings: Any) -> None:
    settings.SEARCH_TIMEOUT_MS = 5000
    titles = ["zebra", "Ärztin", "a", "软件", "𠀀", "b c", "b-c"]
    rows = [a_draft(title=title) for title in titles]
    openings.refresh([row.pk for row in rows], NOW)
    for number, row in enumerate(rows):
        OpportunityProjection.objects.filter(pk=row.pk).update(listed_at=NOW + timedelta(microseconds=number))
    with an_index(Subject.OPPORTUNITY) as index:
        fill(index, Subject.OPPORTUNITY)
        newest = Search(Subject.OPPORTUNITY, reach=EVERYTHING, sort=Sort.NEWEST)
        assert paged(newest, 2) == [row.pk for row in reversed(rows)]
        by_title = Search(Subject.OPPORTUNITY, reach=EVERYTHING, sort=Sort.TITLE)
        folded = OpportunityProjection.objects.in_bulk([row.pk for row in rows])
        assert paged(by_title, 1) == sorted(folded, key=lambda pk: (folded[pk].title, -pk))
        since = Search(Subject.OPPORTUNITY, reach=EVERYTHING, listed_since=NOW + timedelta(microseconds=5))
        assert SOURCE.count(since, without={rows[5].pk}) == 1


def paged(search: Search, size: int) -> list[int]:
    """Everything that is found, so many at a time."""
    found: list[int] = []
    after = None
    while hits := SOURCE.hits(search, after=after, limit=size, without=()):
        found += [hit.pk for hit in hits]
        after = hits[-1].place
    return found


@needs_elasticsearch
@pytest.mark.django_db
def test_more_is_given_than_fits_in_one_answer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEARCH_TIMEOUT_MS = 5000
    monkeypatch.setattr(elastic, "PAGE", 2)
    people = [a_candidate() for _ in range(5)]
    projection.refresh([one.pk for one in people], NOW)
    with an_index(Subject.CANDIDATE) as index:
        fill(index, Subject.CANDIDATE)
        hits = SOURCE.hits(Search(Subject.CANDIDATE, reach=EVERYTHING), after=None, limit=100, without=())
    assert [hit.pk for hit in hits] == sorted((one.pk for one in people), reverse=True)


@needs_elasticsearch
@pytest.mark.django_db
def test_pay_that_is_wanted_from_more_to_less_is_paid_by_a_band_over_both_ends(settings: Any) -> None:
    """That is what the specification's two comparisons come to."""
    settings.SEARCH_TIMEOUT_MS = 5000
    narrow, wide = a_published_opportunity(), a_published_opportunity()
    openings.refresh([narrow.pk, wide.pk], NOW)
    for row, bands in ((narrow, ([10, 60], [20, 90])), (wide, ([10], [90]))):
        OpportunityProjection.objects.filter(pk=row.pk).update(least_pay=bands[0], most_pay_by_band=bands[1])
    with an_index(Subject.OPPORTUNITY) as index:
        fill(index, Subject.OPPORTUNITY)
        found = [
            {hit.pk for hit in SOURCE.hits(paying(*wanted), after=None, limit=9, without=())}
            for wanted in ((21, 59), (20, 20), (70, 30), (None, 9), (91, None), (None, None))
        ]
    assert found == [{wide.pk}, {narrow.pk, wide.pk}, {wide.pk}, set(), set(), {narrow.pk, wide.pk}]


def paying(least: int | None, most: int | None) -> Search:
    return Search(Subject.OPPORTUNITY, reach=EVERYTHING, pay=PayRange(least, most))
