"""What the API itself costs: a page nested three deep against one statement by hand, a stranger's page that is kept
against the same one executed, and requests in a second."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

import orjson
from django.db import connection
from django.test import RequestFactory, override_settings
from django.utils import timezone

from accounts.api.context import Context
from accounts.core.actor import Actor
from accounts.models import User
from config.bench import Measured, benchmark, own_copy, size
from config.garbage import settle
from config.processes import start_web
from config.schema import schema
from config.services import free_port
from marketplace.models import Opportunity
from tests.benchmarks.freshness import children
from tests.benchmarks.matches_page import Page, cookies_of
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_published_opportunity,
    an_application,
    an_organisation,
)
from tests.matching.staging import copy

OPPORTUNITIES = size("PAGE_OPPORTUNITIES", 50)
APPLICATIONS = size("PAGE_APPLICATIONS", 5)
REPETITIONS = size("PAGE_REPETITIONS", 60)
CLIENTS = size("CLIENTS", 8)
SECONDS = size("THROUGHPUT_SECONDS", 5)
EXPLORED = size("EXPLORED_OPPORTUNITIES", 20)
UNLIMITED = {"GRAPHQL_REQUESTS_PER_MINUTE": "0", "GRAPHQL_COST_PER_MINUTE": "0"}
# Never used up, but taken from, as it is where strangers are let in.
COUNTED = {"GRAPHQL_REQUESTS_PER_MINUTE": 10**9, "GRAPHQL_COST_PER_MINUTE": 10**12}

PAGE = f"""{{ opportunities(first: {OPPORTUNITIES}) {{ nodes {{
    id reference title state weeklyHours createdAt
    applications(first: {APPLICATIONS}) {{ nodes {{
        id reference status stage createdAt
        candidate {{ id name headline country yearsExperience }}
    }} }}
}} }} }}"""

MATCHES = """query ($id: ID!) { matches(opportunity: $id, first: 20) { totalCount nodes {
    outcome probability fit { score contributions { feature amount sentence } } candidate { id displayName headline }
} } }"""

# The same answer, letter by letter but for the order of keys, for whoever recruits for the posting organisation. That
# they applied is what opens the names.
BY_HAND = """
    SELECT json_build_object('opportunities', json_build_object('nodes', coalesce(json_agg(page.node), '[]')))::text
    FROM (
        SELECT json_build_object(
            'id', encode(convert_to('Opportunity:' || o.public_id, 'UTF8'), 'base64'),
            'reference', o.reference, 'title', o.title, 'state', upper(o.state), 'weeklyHours', o.weekly_hours,
            'createdAt', o.created_at,
            'applications', json_build_object('nodes', (
                SELECT coalesce(json_agg(listed.node), '[]') FROM (
                    SELECT json_build_object(
                        'id', encode(convert_to('Application:' || a.public_id, 'UTF8'), 'base64'),
                        'reference', a.reference, 'status', upper(a.status), 'stage', a.stage,
                        'createdAt', a.created_at,
                        'candidate', json_build_object(
                            'id', encode(convert_to('Candidate:' || c.public_id, 'UTF8'), 'base64'),
                            'name', c.name, 'headline', nullif(c.headline, ''), 'country', nullif(c.country, ''),
                            'yearsExperience', c.years_experience
                        )
                    ) AS node
                    FROM marketplace_application a JOIN marketplace_candidate c ON c.id = a.candidate_id
                    WHERE a.opportunity_id = o.id ORDER BY a.id DESC LIMIT %(applications)s
                ) listed
            ))
        ) AS node
        FROM marketplace_opportunity o
        WHERE o.posting_organisation_id IN (
            SELECT organisation_id FROM accounts_membership WHERE user_id = %(user)s
        )
        ORDER BY o.id DESC LIMIT %(opportunities)s
    ) page
"""


@benchmark("api.nested_page", unit="ms")
def nested_page() -> Measured:
    """OPPORTUNITIES of one organisation, APPLICATIONS of each, the candidate of each, for a recruiter who is known:
    from the operation to the bytes of its answer. That is with exploring, deciding who may see what, and logging who
    read of whom; by hand is one statement, which does none of these. Told beside it: the whole request, with session,
    user and budgets. All ways by turns, in one process."""
    from tests.config.graphql_client import Asker

    with own_copy("api"):
        by = _market()
        asker = Asker(by.user)
        body = json.dumps({"query": PAGE})
        ways: dict[str, Callable[[], Any]] = {
            "operation": lambda: _operation(by.user),
            "request": lambda: asker.post(body).content,
            "by hand": lambda: _by_hand(by.user),
        }
        _check_same(ways["operation"](), ways["by hand"]())
        _check_same(ways["request"](), ways["by hand"]())
        settle()  # as a web server does
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(REPETITIONS):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                took[name].append((time.perf_counter() - began) * 1e3)
    for name, each in took.items():
        print(f"  {name:<9} median {median(each):6.2f} ms, fastest {min(each):6.2f} ms", flush=True)
    return Measured(median(took["operation"]), median(took["by hand"]), "one json_agg by hand")


@benchmark("api.explore_cached", unit="ms")
def explore_cached() -> Measured:
    """EXPLORED opportunities with all that a stranger is shown of them, and their facets: answered from what is kept
    against executed, by turns in one process, from the request that Django is given to the bytes of the answer."""
    from tests.config.kept import PAGE as EXPLORE
    from tests.config.kept import Stranger

    with own_copy("api"):
        _market()
        stranger, body = Stranger(), json.dumps({"query": EXPLORE, "variables": {"first": EXPLORED}})
        took: dict[str, list[float]] = {"kept": [], "executed": []}
        answers = set()
        for turn in range(REPETITIONS + 3):
            for name, seconds in (("executed", 0), ("kept", 60)):
                with override_settings(GRAPHQL_KEPT_SECONDS=seconds, **COUNTED):
                    began = time.perf_counter()
                    answer = stranger.post(body).content
                    if turn >= 3:  # tables have states by then, and the answer is kept
                        took[name].append((time.perf_counter() - began) * 1e3)
                    answers.add(answer.partition(b',"extensions":')[0])
        assert len(answers) == 1, "the two do not answer the same"
    for name, each in took.items():
        print(f"  {name:<8} median {median(each):6.2f} ms, fastest {min(each):6.2f} ms", flush=True)
    return Measured(median(took["kept"]), median(took["executed"]), "the same page, executed")


@benchmark("api.throughput_cached", unit="requests/s")
def throughput_cached() -> Measured:
    """That page, kept, from a real web server to strangers."""
    from tests.config.kept import PAGE as EXPLORE

    settled = {name: str(value) for name, value in COUNTED.items()}
    with _served(is_logged_in=False, **settled) as (rate, _):
        asked = {"query": EXPLORE, "variables": {"first": EXPLORED}}
        return Measured(rate("/graphql", asked), rate("/healthz"), "a view that does nothing")


@benchmark("api.throughput", unit="requests/s")
def throughput() -> Measured:
    """The nested page from a real web server, asked by CLIENTS at once over kept connections."""
    with _served() as (rate, _):
        return Measured(rate("/graphql", {"query": PAGE}), rate("/healthz"), "a view that does nothing")


@benchmark("api.throughput_matches", unit="requests/s")
def throughput_matches() -> Measured:
    """The best twenty for an opportunity, rechecked and explained, in the same way."""
    from tests.config.graphql_client import global_id

    with _served() as (rate, opportunity):
        asked = {"query": MATCHES, "variables": {"id": global_id(opportunity)}}
        return Measured(rate("/graphql", asked), rate("/healthz"), "a view that does nothing")


def _market() -> Recruiter:
    now = timezone.now()
    by = an_organisation(now=now)
    people = [
        a_candidate(name=f"Person {n}", headline="Welder", country="DE", now=now)
        for n in range(max(APPLICATIONS + 2, 10))
    ]
    for number in range(OPPORTUNITIES):
        opportunity = a_published_opportunity(by, title=f"Welder {number}", weekly_hours=20, now=now)
        for turn in range(APPLICATIONS + 1):  # one more than is shown, as lists are long
            an_application(opportunity, people[(number + turn) % len(people)], now=now)
    copy(now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return by


def _operation(user: User) -> bytes:
    now = timezone.now()
    context = Context(request=RequestFactory().post("/graphql"), actor=Actor(user_id=user.pk), user=user, now=now)
    result = schema.execute_sync(PAGE, context_value=context)
    assert not result.errors, result.errors
    return orjson.dumps({"data": result.data})


def _by_hand(user: User) -> str:
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND, {"user": user.pk, "opportunities": OPPORTUNITIES, "applications": APPLICATIONS})
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def _check_same(ours: bytes, by_hand: str) -> None:
    """Postgres writes instants without the last zeros of their microseconds."""
    told, wanted = (json.loads(re.sub(r"0+(?=\+00:00)", "", text)) for text in (ours.decode(), by_hand))
    assert told["data"] == wanted, "the two do not answer the same"
    nodes = wanted["opportunities"]["nodes"]
    assert len(nodes) == OPPORTUNITIES
    assert all(len(one["applications"]["nodes"]) == APPLICATIONS for one in nodes)


Rate = Callable[..., float]


@contextmanager
def _served(*, is_logged_in: bool = True, **settled: str) -> Iterator[tuple[Rate, Opportunity]]:
    """How many requests in a second a web server answers to CLIENTS at once, by what is asked of which path."""
    with own_copy("api"), children(**(settled or UNLIMITED)) as processes:
        by, port = _market(), free_port()
        cookies = cookies_of(by.user) if is_logged_in else {}
        start_web(processes, port)
        Page(port, cookies).wait(processes)

        def rate(path: str, asked: Any = None) -> float:
            body = json.dumps(asked) if asked else None
            until = 0.0

            def client(number: int) -> list[float]:
                page, taken = Page(port, cookies), []
                while time.monotonic() < until:
                    began = time.perf_counter()
                    answer = page.ask(body, path)
                    assert b'"errors"' not in answer, answer[:500]
                    taken.append((time.perf_counter() - began) * 1e3)
                return taken

            with ThreadPoolExecutor(CLIENTS) as pool:
                for seconds in (1, SECONDS):  # the first to warm up
                    until = time.monotonic() + seconds
                    taken = [one for each in pool.map(client, range(CLIENTS)) for one in each]
            print(
                f"  {path:<9} {len(taken) / SECONDS:7.1f} a second, median {median(taken):6.1f} ms,"
                f" p95 {quantiles(taken, n=20)[-1]:6.1f} ms",
                flush=True,
            )
            return len(taken) / SECONDS

        yield rate, Opportunity.objects.order_by("pk")[0]
