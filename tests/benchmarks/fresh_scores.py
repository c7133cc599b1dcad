"""How long it takes until matches follow a change: sixty changes a second, made by the real actions, scored by a real
worker, in a market that stands.

A change is followed when a snapshot that holds it has neither its delivery waiting nor a mark of its subject. What the
processes take in memory is printed.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from uuid import UUID

import psutil
from django.db import connection, transaction
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.models import Membership, User
from config.bench import Measured, benchmark, own_copy, own_database, size
from config.processes import Process, Processes, start_web
from config.services import free_port
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.opportunities import OpportunityFields, set_eligibility_rule, update_opportunity
from marketplace.models import Candidate, Opportunity, TaxonomyRevision
from matching.actions import locks, marks
from matching.actions.rescoring import opportunities
from tests.benchmarks.freshness import HANDS, LIMIT_SECONDS, PATIENCE_SECONDS, POLL_SECONDS, RATE, STAFF, _worker
from tests.benchmarks.hanging import hang
from tests.benchmarks.mass_rescoring import MODEL, jobs, open_for_good
from tests.benchmarks.people import people
from tests.benchmarks.scoring import rostered

PEOPLE = size("FRESH_SCORES_PEOPLE", 1_000_000)
OPPORTUNITIES = size("FRESH_SCORES_OPPORTUNITIES", 10_000)
SECONDS = size("FRESH_SECONDS", 60)
WARMING = 1000  # people who are scored before it begins, …
WARMING_ROUNDS = 3  # … so often, once everybody is in memory
AT_ONCE = 20  # opportunities scored together at first
EVERY = 30  # one change in so many is of an opportunity or its rule

_BEHIND = """
    SELECT event.aggregate_type, event.aggregate_id
    FROM accounts_delivery delivery JOIN accounts_event event ON event.id = delivery.event_id
    WHERE delivery.consumer = 'rescoring' AND delivery.state <> 'done'
    UNION SELECT subject_type, subject_id FROM matching_mark
    UNION SELECT 'opportunity', opportunity_id FROM matching_pairmark
"""


class Change(NamedTuple):
    subject: tuple[str, int]
    make: Callable[[], object]


@benchmark("scoring.freshness", unit="s")
def freshness() -> Measured:
    """The 99th percentile of the time from a change's commit to matches that follow it."""
    with people(PEOPLE):
        hang(PEOPLE)
        with market(OPPORTUNITIES), own_copy("fresh_scores"):
            ids = list(Opportunity.objects.order_by("pk").values_list("pk", flat=True))
            changes = list(_changes(ids))
            with _worker() as processes:
                web = start_web(processes, free_port())
                _warm_up(processes, ids)
                with connection.cursor() as cursor:
                    cursor.execute("CHECKPOINT")  # of the copy that was just made: a market that stands has none to do
                seconds, rate = _measured(changes)
                print(f"  web {_megabytes(web):.0f} MB, worker {', '.join(_of_worker(processes))}", flush=True)
    value = quantiles(seconds.values(), n=100)[-1]
    print(f"  p50 {median(seconds.values()):.2f} s   p99 {value:.2f} s", flush=True)
    for about in ("candidate", "opportunity"):
        taken = [seconds[number] for number in seconds if changes[number].subject[0] == about]
        print(f"  of {about:<12} p50 {median(taken):.2f} s   worst {max(taken):.2f} s", flush=True)
    assert rate > 0.95 * RATE, "changes came more slowly than they should have"
    return Measured(value, LIMIT_SECONDS, "what it may take")


@contextmanager
def market(count: int) -> Iterator[None]:
    """Django on the people that it is on with so many opportunities, each of which has its best. Building it takes an
    hour's sixth for ten thousand and a million; it is kept."""
    made_of = hashlib.sha256(repr((PEOPLE, MODEL.to_json(), jobs(count))).encode()).hexdigest()
    with own_database(f"market_{PEOPLE}_{count}", made_of, lambda: _build(count), grows=True):
        yield


def _build(count: int) -> None:
    with transaction.atomic():
        ids = open_for_good(jobs(count))
        # As every real one has, by which processes know what they have read of the taxonomy.
        TaxonomyRevision.objects.create(number=1, summary="of the benchmark", at=timezone.now())
    with rostered():
        for start in range(0, count, AT_ONCE):
            with transaction.atomic():
                locks.share()
                opportunities.rescore(ids[start : start + AT_ONCE], timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _warm_up(processes: Processes, opportunity_ids: list[int]) -> None:
    """Until the web server and every process that scores have everybody in memory, and what is asked for."""
    until = time.monotonic() + 10 * PATIENCE_SECONDS
    logs = processes.log_folder
    scoring = len(_pool(processes, "worker"))
    some = list(Candidate.objects.order_by("-pk").values_list("pk", flat=True)[:WARMING])
    rounds = 0
    while rounds < WARMING_ROUNDS:
        processes.check()
        assert time.monotonic() < until, "not everybody is in the memory of all processes"
        marks.mark_opportunities(opportunity_ids[:AT_ONCE], timezone.now())
        marks.mark_candidates(some, timezone.now())
        while _behind() and time.monotonic() < until:
            time.sleep(0.5)
        rounds += _built(logs / "web.log") >= 1 and _built(logs / "worker.log") >= scoring


def _built(log: Path) -> int:
    return log.read_text().count("Roster built")


def _changes(opportunity_ids: list[int]) -> Iterator[Change]:
    """Each of a person of their own; opportunities change again and again, and their rules in turn."""
    owner = _owner(opportunity_ids[0])
    public = dict(Opportunity.objects.values_list("pk", "public_id"))
    everybody = iter(Candidate.objects.order_by("pk").values_list("pk", "public_id")[: SECONDS * RATE])
    for number in range(SECONDS * RATE):
        if number % EVERY == 0:
            pk = opportunity_ids[number // EVERY % len(opportunity_ids)]
            change = _rule if number // EVERY % 2 else _hours
            yield Change(("opportunity", pk), change(owner, public[pk], number))
        else:
            pk, public_id = next(everybody)
            yield Change(("candidate", pk), _years(public_id, number))


def _owner(opportunity_id: int) -> Actor:
    user = User.objects.create_user("owner@benchmark.example")
    organisation = Opportunity.objects.get(pk=opportunity_id).posting_organisation
    Membership.objects.create(user=user, organisation=organisation, role="owner")
    return Actor(user_id=user.pk)


def _years(public_id: UUID, number: int) -> Callable[[], object]:
    fields = CandidateFields(years_experience=Decimal(number % 40), weekly_hours=20 + number % 20)
    return lambda: update_candidate(actor=STAFF, candidate_id=public_id, fields=fields, now=timezone.now())


def _hours(owner: Actor, public_id: UUID, number: int) -> Callable[[], object]:
    fields = OpportunityFields(weekly_hours=20 + number % 20)
    return lambda: update_opportunity(actor=owner, opportunity_id=public_id, fields=fields, now=timezone.now())


def _rule(owner: Actor, public_id: UUID, number: int) -> Callable[[], object]:
    rule = {"all": [{"skill": 1 + number % 50}, {"attribute": "years_experience", "op": "gte", "value": number % 20}]}
    return lambda: set_eligibility_rule(actor=owner, opportunity_id=public_id, rule=rule, now=timezone.now())


def _behind() -> set[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND)
        return set(cursor.fetchall())


def _measured(changes: list[Change]) -> tuple[dict[int, float], float]:
    """Make the changes at their rate; seconds until each was followed, by number, and how many a second they were."""
    committed: dict[int, float] = {}
    seconds: dict[int, float] = {}
    ended = threading.Event()

    def make(number: int) -> None:
        try:
            changes[number].make()
            committed[number] = time.perf_counter()
        finally:
            connection.close()

    def watch() -> None:
        try:
            while not ended.wait(POLL_SECONDS / 2):
                expected = [number for number in tuple(committed) if number not in seconds]
                behind, now = _behind(), time.perf_counter()
                for number in expected:
                    if changes[number].subject not in behind:
                        seconds[number] = now - committed[number]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as watching, ThreadPoolExecutor(HANDS) as hands:
        watched = watching.submit(watch)
        try:
            rate = _made(make, len(changes), hands)
            until = time.monotonic() + PATIENCE_SECONDS
            while len(seconds) < len(changes) and not watched.done():
                assert time.monotonic() < until, f"not followed: {sorted(_behind())[:20]} …"
                time.sleep(POLL_SECONDS)
        finally:
            ended.set()
        watched.result()
    return seconds, rate


def _made(make: Callable[[int], None], number: int, hands: ThreadPoolExecutor) -> float:
    """Make so many changes; how many a second that were."""
    began = time.perf_counter()
    made = []
    for one in range(number):
        time.sleep(max(began + one / RATE - time.perf_counter(), 0))
        made.append(hands.submit(make, one))
    for each in made:
        each.result()
    rate = number / (time.perf_counter() - began)
    print(f"  {number} changes, {rate:.1f} a second, {PEOPLE:,} people, {OPPORTUNITIES} opportunities", flush=True)
    return rate


def _megabytes(process: Process) -> float:
    """Of the process and its children: pages that they share count for each."""
    parent = psutil.Process(process.popen.pid)
    return sum(one.memory_info().rss for one in (parent, *parent.children(recursive=True))) / 2**20


def _of_worker(processes: Processes) -> list[str]:
    return [
        f"{name} {one.memory_info().rss / 2**20:.0f} MB"
        for name in ("worker", "quick-worker")
        for one in _pool(processes, name)
    ]


def _pool(processes: Processes, name: str) -> list[psutil.Process]:
    """The processes that do a worker's tasks."""
    [parent] = [one for one in processes.children if one.name == name]
    return psutil.Process(parent.popen.pid).children()
