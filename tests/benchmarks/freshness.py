"""How long it takes until a change is found: sixty changes a second, made by the real actions, carried by a real worker
and beat.

They are looked for by searches, which judge by the tables what copies do not know yet; and in the copies themselves, by
which one sees how far these are behind.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.core.actor import Actor
from config.bench import Measured, benchmark, own_copy, size
from config.processes import Processes, running, start_beat, start_quick_worker, start_worker
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.opportunities import OpportunityFields, update_opportunity
from marketplace.models import Candidate
from matching.actions.rebuilding import rebuild
from matching.core.attributes import Subject
from matching.core.search.query import Segment
from matching.core.search.search import EVERYTHING, Search
from matching.queries.lagging import INDEXED, lagging
from matching.retrieval.elastic import ELASTIC
from matching.retrieval.postgres import POSTGRES
from matching.retrieval.searching import Finding
from matching.retrieval.source import Hit, Source
from tests.benchmarks.people import people
from tests.elasticsearch import own_indices
from tests.marketplace.factories import a_published_opportunity, an_organisation

SECONDS = size("FRESH_SECONDS", 60)
PEOPLE = size("FRESH", 10_000)  # of more, two changed opportunities a second are more than two cores can score
RATE = 60  # changes a second
EVERY = 30  # one change in so many is of an opportunity
HANDS = 4  # threads that make changes
POLL_SECONDS = 0.1
LIMIT_SECONDS = 2.0
PATIENCE_SECONDS = 60
STAFF = Actor(is_staff=True)


Look = Callable[[Search, int], list[Hit]]
"""The first so many that a search finds."""


class Change(NamedTuple):
    """What to change, and the word that tells when it is found."""

    about: Subject
    pk: int
    word: str
    make: Callable[[], object]


@benchmark("search.freshness", unit="s")
def freshness() -> Measured:
    """The 99th percentile of searches by the slowest source; each one's own figures, and the copies', are printed."""
    with ExitStack() as stack:
        stack.enter_context(people(PEOPLE))
        stack.enter_context(own_copy("freshness"))
        sources: list[Source] = [POSTGRES]
        if settings.ELASTICSEARCH_URL:
            stack.enter_context(own_indices())
            for about in Subject:
                rebuild(about, timezone.now())
            sources.append(ELASTIC)
        changes = list(_changes())
        stack.enter_context(_worker())
        searches = [stack.enter_context(_watching(_searching(one), one.name, changes)) for one in sources]
        copies = [stack.enter_context(_watching(_reading(one), f"{one.name}, copy", changes)) for one in sources]
        _make(changes, [*searches, *copies])
        for watch in copies:
            _percentile(watch)
        return Measured(max(map(_percentile, searches)), LIMIT_SECONDS, "what it may take")


def _searching(source: Source) -> Look:
    return lambda search, limit: Finding(search, source=source, now=timezone.now()).page(limit)[0]


def _reading(source: Source) -> Look:
    return lambda search, limit: source.hits(search, after=None, limit=limit, without=())


def _changes() -> Iterator[Change]:
    """As many as are made, each of somebody or something else."""
    wanted = SECONDS * RATE
    owner = an_organisation(now=timezone.now())
    candidates = Candidate.objects.order_by("pk").values_list("pk", "public_id", "headline")
    people_left = iter(candidates[:wanted])
    for number in range(wanted):
        word = f"fresh{number}"
        if number % EVERY == 0:
            opportunity = a_published_opportunity(owner, now=timezone.now())
            yield Change(
                Subject.OPPORTUNITY,
                opportunity.pk,
                word,
                _retitle(owner.actor, opportunity.public_id, f"Welder {word}"),
            )
        else:
            pk, public_id, headline = next(people_left)
            yield Change(Subject.CANDIDATE, pk, word, _rename(public_id, f"{headline} {word}"))


def _retitle(actor: Actor, public_id: UUID, title: str) -> Callable[[], object]:
    return lambda: update_opportunity(
        actor=actor, opportunity_id=public_id, fields=OpportunityFields(title=title), now=timezone.now()
    )


def _rename(public_id: UUID, headline: str) -> Callable[[], object]:
    return lambda: update_candidate(
        actor=STAFF, candidate_id=public_id, fields=CandidateFields(headline=headline), now=timezone.now()
    )


def _make(changes: list[Change], watches: list[_Watch]) -> None:
    """Make the changes at their rate, and wait until all are found."""

    def make(number: int) -> None:
        for watch in watches:
            watch.expect(number)
        try:
            changes[number].make()
        finally:
            connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(HANDS) as hands:
        made = []
        for number in range(len(changes)):
            time.sleep(max(began + number / RATE - time.perf_counter(), 0))
            made.append(hands.submit(make, number))
        for one in made:
            one.result()
    rate = len(changes) / (time.perf_counter() - began)
    print(f"  {len(changes)} changes, {rate:.1f} a second", flush=True)
    assert rate > 0.95 * RATE, "changes came more slowly than they should have"
    until = time.monotonic() + PATIENCE_SECONDS
    while any(watch.missing for watch in watches):
        assert time.monotonic() < until, f"not found: {[len(watch.missing) for watch in watches]}"
        time.sleep(POLL_SECONDS)


class _Watch:
    """Looks for changes, over and over: when each was asked for, and how long it took to be found."""

    def __init__(self, look: Look, name: str, changes: list[Change]) -> None:
        self.name = name
        self._look = look
        self.seconds: dict[int, float] = {}
        self._changes = changes
        self._numbers = {(one.about, one.pk): number for number, one in enumerate(changes)}
        self._asked_at: dict[int, float] = {}

    def expect(self, number: int) -> None:
        """That it is about to be changed."""
        self._asked_at[number] = time.perf_counter()

    @property
    def missing(self) -> list[int]:
        return [number for number in tuple(self._asked_at) if number not in self.seconds]

    def look(self) -> None:
        missing = self.missing
        for about in Subject:
            words = tuple(self._changes[one].word for one in missing if self._changes[one].about is about)
            if words:
                asked = Search(about, (Segment(("none",), near=words),), reach=EVERYTHING)
                hits = self._look(asked, len(words))
                now = time.perf_counter()
                for hit in hits:
                    number = self._numbers[about, hit.pk]
                    self.seconds[number] = now - self._asked_at[number]


@contextmanager
def _watching(look: Look, name: str, changes: list[Change]) -> Iterator[_Watch]:
    watch, ended = _Watch(look, name, changes), threading.Event()

    def go_on() -> None:
        try:
            while not ended.wait(POLL_SECONDS):
                watch.look()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as looking:
        looked = looking.submit(go_on)
        try:
            yield watch
        finally:
            ended.set()
    looked.result()


def _percentile(watch: _Watch) -> float:
    """The 99th, in seconds; printed with the median."""
    taken = list(watch.seconds.values())
    value = quantiles(taken, n=100)[-1]
    print(
        f"  {watch.name:<20} p50 {median(taken):.2f} s   p99 {value:.2f} s   worst {max(taken):.2f} s",
        flush=True,
    )
    return value


@contextmanager
def children(**settled: str) -> Iterator[Processes]:
    """Processes of a whole Muster on the present database, none of them started yet; stopped in the end."""
    address = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": urlunsplit(address),
            "REDIS_URL": settings.REDIS_URL,
            "ELASTICSEARCH_INDEX_PREFIX": settings.ELASTICSEARCH_INDEX_PREFIX,
            "MUSTER_DIR": folder,
            "SECRET_KEY": settings.SECRET_KEY,  # whoever is logged in here is there
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "FIELD_INDEX_KEY": settings.FIELD_INDEX_KEY,
            **settled,
        }
        with running(Processes(environment, Path(folder) / "log")) as processes:
            yield processes


@contextmanager
def _worker() -> Iterator[Processes]:
    """Workers and a beat on the present database; up, and done with whatever there is."""
    with children() as processes, TemporaryDirectory() as folder:
        start_worker(processes)
        start_quick_worker(processes)
        start_beat(processes, Path(folder) / "beat-schedule")
        until = time.monotonic() + PATIENCE_SECONDS
        while any(lagging(about, stages=INDEXED, at_most=1) for about in Subject):
            processes.check()
            assert time.monotonic() < until, "the workers do not come up"
            time.sleep(POLL_SECONDS)
        yield processes
        processes.check()
