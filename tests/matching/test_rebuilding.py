"""An index is built anew while it is read and written, and nothing that is written meanwhile is lost."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings
from elasticsearch import ApiError, ConnectionTimeout

from config import services
from marketplace.models import Candidate
from matching.actions import copies, indexing, locks, rebuilding
from matching.actions.rebuilding import rebuild, rebuild_missing
from matching.actions.verifying import verify_index, verify_projections
from matching.core.attributes import Subject
from matching.core.search.search import EVERYTHING, Search
from matching.documents import CandidateDocument, clients
from matching.documents.indices import alias, family, indices
from matching.models import CandidateProjection, CopyMark
from matching.retrieval.elastic import Elasticsearch
from matching.tasks import build_missing_indices
from tests.elasticsearch import needs_elasticsearch, own_indices
from tests.marketplace.factories import NOW, a_candidate

PEOPLE = Subject.CANDIDATE
SEARCH = Search(PEOPLE, reach=EVERYTHING)

pytestmark = [pytest.mark.django_db, needs_elasticsearch]


@pytest.fixture(autouse=True)
def own(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rebuilding, "LAST_READERS_SECONDS", 0.1)
    settings.SEARCH_TIMEOUT_MS = 5000
    indexing.resting.succeeded()
    rebuilding.resting.succeeded()
    with own_indices():
        yield


def names() -> list[tuple[int, bool]]:
    """The indices there are, by number, and which is read."""
    return [(one.number, one.is_live) for one in indices(clients.for_building(), PEOPLE)]


def found() -> set[int]:
    return {hit.pk for hit in Elasticsearch().hits(SEARCH, after=None, limit=10_000, without=())}


def test_index_is_built_put_to_use_and_followed_by_the_next() -> None:
    people = {a_candidate(headline="Welder").pk for _ in range(3)}  # of whom there are no projections yet
    told: list[tuple[str, int]] = []
    built = rebuild(PEOPLE, NOW, lambda what, count: told.append((what, count)))
    assert (built.name, built.documents, built.refused) == (f"{alias(PEOPLE)}-000001", 3, 0)
    assert found() == people
    assert ("index of candidates", 3) in told
    assert names() == [(1, True)]
    rebuild(PEOPLE, NOW)
    assert names() == [(2, True)]
    assert clients.for_building().indices.get_alias(name=family(PEOPLE)).keys() == {f"{alias(PEOPLE)}-000002"}
    assert found() == people


@pytest.mark.django_db(transaction=True)
def test_build_that_was_killed_is_cleared_away_by_the_next() -> None:
    candidate = a_candidate(headline="Welder")

    def build_and_die() -> None:
        connections.close_all()
        rebuilding.send = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        rebuild(PEOPLE, NOW)

    connections.close_all()  # a forked child must not share its parent's socket
    builder = multiprocessing.get_context("fork").Process(target=build_and_die)
    builder.start()
    builder.join()
    assert builder.exitcode == -signal.SIGKILL
    copies.mark(PEOPLE, [candidate.pk], NOW)
    copies.project_all(NOW)
    indexing.index_all(NOW)  # into what is left of it, so that nobody waits
    assert (names(), CopyMark.objects.count()) == ([(1, False)], 0)
    rebuild(PEOPLE, NOW)
    assert names() == [(2, True)]
    assert found() == {candidate.pk}


def test_build_that_fails_leaves_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = a_candidate()
    rebuild(PEOPLE, NOW)

    def overloaded(*arguments: Any) -> None:
        raise indexing.IndexOverloaded

    monkeypatch.setattr(rebuilding, "send", overloaded)
    with pytest.raises(indexing.UNAVAILABLE):
        rebuild(PEOPLE, NOW)
    assert names() == [(1, True)]
    assert found() == {candidate.pk}
    monkeypatch.undo()
    put_to_use = rebuilding.put_to_use

    def unheard(*arguments: Any) -> None:
        put_to_use(*arguments)
        raise ConnectionTimeout("it was done, and nobody heard of it")

    monkeypatch.setattr(rebuilding, "put_to_use", unheard)
    with pytest.raises(indexing.UNAVAILABLE):
        rebuild(PEOPLE, NOW)
    assert names() == [(2, True)], "what is read now is not dropped"
    assert found() == {candidate.pk}


@pytest.mark.django_db(transaction=True)
def test_second_who_builds_the_same_index_is_refused() -> None:
    refusals: list[str] = []

    def second() -> None:
        try:
            rebuild(PEOPLE, NOW)
        except rebuilding.RebuildRunning as refusal:
            refusals.append(str(refusal))
        finally:
            connections.close_all()

    assert locks.may_rebuild(PEOPLE)
    try:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    finally:
        locks.rebuilt(PEOPLE)
    assert refusals == ["the index of candidates is being built already"]
    assert names() == []
    rebuild(PEOPLE, NOW)
    assert names() == [(1, True)]


def test_documents_that_are_refused_are_told_of_and_too_many_end_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [a_candidate().pk for _ in range(4)]
    rebuild(PEOPLE, NOW)
    prepare = CandidateDocument.prepare
    bad = set(people[:2])
    monkeypatch.setattr(
        CandidateDocument,
        "prepare",
        lambda self, row: {**prepare(self, row), **({"surprise": 1} if row.pk in bad else {})},
    )
    built = rebuild(PEOPLE, NOW)
    assert (built.documents, built.refused) == (2, 2)
    indexing.index_all(NOW)
    assert set(CopyMark.objects.exclude(refused_generation=None).values_list("subject_id", flat=True)) == bad

    monkeypatch.setattr(rebuilding, "MOST_REFUSED", 1)
    with pytest.raises(rebuilding.DocumentsRefused, match="2 of 4"):
        rebuild(PEOPLE, NOW)
    assert names() == [(2, True)]

    monkeypatch.undo()
    rebuild(PEOPLE, NOW)  # and what had been refused is tried again
    assert indexing.index_all(NOW) == 2
    assert found() == set(people)
    assert not CopyMark.objects.exists()


def test_worker_builds_what_there_is_no_index_of() -> None:
    candidate = a_candidate()
    build_missing_indices()
    assert names() == [(1, True)]
    assert found() == {candidate.pk}
    assert rebuild_missing(NOW) == []


def test_worker_that_cannot_build_pauses() -> None:
    with override_settings(ELASTICSEARCH_URL=f"http://127.0.0.1:{services.free_port()}"):
        assert rebuild_missing(NOW) == []
    assert not rebuilding.resting.admits(time.monotonic())


# Meanwhile


def changed(pk: int, headline: str) -> None:
    """A change that has gone all its way: nothing is marked any more."""
    Candidate.objects.filter(pk=pk).update(headline=headline)
    copies.mark(PEOPLE, [pk], NOW)
    copies.project_all(NOW)
    indexing.index_all(NOW)


@pytest.mark.parametrize("is_sent_first", [True, False])
def test_what_is_written_after_it_was_read_for_the_new_index_gets_there_too(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, is_sent_first: bool
) -> None:
    changes, goes, stays = (a_candidate(headline="Before").pk for _ in range(3))
    rebuild(PEOPLE, NOW)
    send = rebuilding.send

    def meanwhile(client: Any, name: str, documents: Any) -> Any:
        documents = list(documents)  # the rows are read
        if is_sent_first:
            send(client, name, documents)
        Candidate.objects.filter(pk=goes).delete()
        changed(changes, "After")
        return send(client, name, documents)

    monkeypatch.setattr(rebuilding, "send", meanwhile)
    rebuild(PEOPLE, NOW)
    assert not CopyMark.objects.exists()
    assert found() == {changes, stays}
    _documents_say_what_the_rows_do()


@pytest.mark.django_db(transaction=True)
def test_build_waits_for_documents_that_are_being_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """They might not get into the new index: who sends them does not know of it yet."""
    rebuild(PEOPLE, NOW)
    candidate = a_candidate(headline="Welder")
    copies.mark(PEOPLE, [candidate.pk], NOW)
    copies.project_all(NOW)
    sending, may_go_on, send = threading.Event(), threading.Event(), indexing.send

    def slowly(*arguments: Any) -> Any:
        sending.set()
        assert may_go_on.wait(10)
        return send(*arguments)

    def in_a_thread(work: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(NOW)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    monkeypatch.setattr(indexing, "send", slowly)
    indexer = in_a_thread(indexing.index)
    assert sending.wait(10)
    builder = in_a_thread(lambda now: rebuild(PEOPLE, now))
    time.sleep(0.3)
    assert names() == [(1, True)]
    may_go_on.set()
    indexer.join()
    builder.join()
    assert names() == [(2, True)]
    assert found() == {candidate.pk}


# Under load


def test_nothing_is_lost_while_an_index_is_built_under_load(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, rebuilds = _build_under_load(monkeypatch, people=100, writes=210, threads=3)
    assert (writes, rebuilds >= 2) == (210, True)


@pytest.mark.soak
def test_nothing_is_lost_while_indices_are_built_for_minutes(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, rebuilds = _build_under_load(monkeypatch, people=2_000, writes=6_000, threads=4)
    print(f"{writes} writes, {rebuilds} rebuilds")


class _Writers:
    """Threads that change, add and delete people, and in between do what workers do."""

    def __init__(self, writes: int, threads: int) -> None:
        self.written, self.problems = 0, list[BaseException]()
        self._shares = [range(writes)[start::threads] for start in range(threads)]
        self._threads = [threading.Thread(target=self._write, args=(share,)) for share in self._shares]

    def __enter__(self) -> _Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def are_busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _write(self, share: range) -> None:
        chance = random.Random(share.start)
        try:
            for number in share:
                _one_write(chance, number)
                if number % 8 == 0:
                    copies.project(NOW)
                    indexing.index(NOW)
                self.written += 1
        except BaseException as problem:
            self.problems.append(problem)
        finally:
            connections.close_all()


def _one_write(chance: random.Random, number: int) -> None:
    headline = f"writing {number}"
    match chance.randint(0, 9):
        case 0:
            pk = Candidate.objects.create(name="New", headline=headline).pk
        case 1:
            Candidate.objects.filter(pk=_somebody(chance)).delete()
            return
        case 2:  # gone from search for a moment, and back
            pk = _somebody(chance)
            CandidateProjection.objects.filter(pk=pk).delete()
        case _:
            pk = _somebody(chance)
            Candidate.objects.filter(pk=pk).update(headline=headline)
    copies.mark(PEOPLE, Candidate.objects.filter(pk=pk).values_list("pk", flat=True), NOW)


def _somebody(chance: random.Random) -> int:
    ids = list(Candidate.objects.order_by("pk").values_list("pk", flat=True))
    return chance.choice(ids)


def _build_under_load(monkeypatch: pytest.MonkeyPatch, *, people: int, writes: int, threads: int) -> tuple[int, int]:
    monkeypatch.setattr(rebuilding, "CHUNK", people // 10)
    Candidate.objects.bulk_create(Candidate(name=f"Person {number}", headline="before") for number in range(people))
    rebuild(PEOPLE, NOW)
    rebuilds = 0
    with _Writers(writes, threads) as writers:
        while writers.are_busy:
            rebuild(PEOPLE, NOW)
            rebuilds += 1
    assert writers.problems == []
    copies.project_all(NOW)
    indexing.index_all(NOW)
    assert verify_projections(PEOPLE, NOW).differences == {}
    compared = verify_index(PEOPLE, NOW)
    assert (compared.compared, compared.differences) == (Candidate.objects.count(), {})
    _documents_say_what_the_rows_do()
    return writers.written, rebuilds


def _documents_say_what_the_rows_do() -> None:
    """Not only in the same version: word for word."""
    answer = clients.for_building().search(index=alias(PEOPLE), size=10_000)
    documents = {int(hit["_id"]): hit["_source"] for hit in answer["hits"]["hits"]}
    document = CandidateDocument()
    assert documents == {row.pk: document.prepare(row) for row in CandidateProjection.objects.all()}


def test_search_never_finds_less_while_its_index_is_replaced(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "CHUNK", 10)
    Candidate.objects.bulk_create(Candidate(name=f"Person {number}") for number in range(60))
    rebuild(PEOPLE, NOW)
    counts: list[int] = []
    ended = threading.Event()

    def search() -> None:
        while not ended.is_set():
            counts.append(Elasticsearch().count(SEARCH, without=()))

    thread = threading.Thread(target=search)
    thread.start()
    try:
        for _ in range(3):
            rebuild(PEOPLE, NOW)
    finally:
        ended.set()
        thread.join()
    assert len(counts) > 10
    assert set(counts) == {60}


def test_server_without_that_index_says_so() -> None:
    with pytest.raises(ApiError):
        verify_index(PEOPLE, NOW)
