"""How long a recruiter waits for the page that says who suits an opportunity best, of a million people: the real web
server, asked over a connection that is kept, by somebody who is logged in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median, quantiles

import psutil
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from config.bench import Measured, benchmark, size
from config.processes import Process, Processes, start_web
from config.services import free_port
from marketplace.models import Opportunity, TaxonomyRevision
from matching.actions.rescoring import opportunities
from matching.models import Decision, Match
from tests.benchmarks.freshness import PATIENCE_SECONDS, children
from tests.benchmarks.hanging import hang
from tests.benchmarks.mass_rescoring import Job, opened
from tests.benchmarks.people import people
from tests.benchmarks.scoring import BROAD, MODEL, PEOPLE, rostered

REQUESTS = size("REQUESTS", 100)
FIRST = 100
PAUSE_SECONDS = 0.1  # between two pages: what is logged of the one is written meanwhile
LIMIT_MS = 150.0
CSRF_TOKEN = "benchmark" * 3 + "token"

MATCHES = """query ($id: ID!) { matches(opportunity: $id, first: 100) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes {
        id outcome probability
        fit { score probability contributions { feature amount sentence } }
        interest { score probability } acceptance { score probability }
        candidate { id displayName headline }
        verdict { outcome reasons { sentence } questions { sentence } }
    } } }"""


@benchmark("scoring.graphql_matches", unit="ms")
def graphql_matches() -> Measured:
    """The first hundred with every addend of their fit in words, rechecked: the 95th percentile of the time from the
    question to the last byte of the answer, for the broadest of the jobs of `scoring.decision`."""
    from tests.config.graphql_client import global_id

    job = Job(BROAD.rule, BROAD.where, BROAD.skills, BROAD.weekly_hours, BROAD.years_experience)
    with people(PEOPLE):
        hang(PEOPLE)
        with opened([job], MODEL) as [(pk, _)], _staff() as cookies, _taxonomy(), children() as processes:
            with rostered():
                opportunities.rescore([pk], timezone.now())
            assert Match.objects.filter(opportunity=pk).count() >= FIRST
            body = json.dumps({"query": MATCHES, "variables": {"id": global_id(Opportunity.objects.get(pk=pk))}})
            port = free_port()
            web = start_web(processes, port)
            page = Page(port, cookies)
            _wait_for("Roster built", processes)
            page.wait(processes)
            for _ in range(5):
                page.ask(body)
            taken, spent = [], _processor_seconds(web)
            for _ in range(REQUESTS):
                began = time.perf_counter()
                answer = page.ask(body)
                taken.append((time.perf_counter() - began) * 1e3)
                time.sleep(PAUSE_SECONDS)
            spent = (_processor_seconds(web) - spent) / REQUESTS * 1e3
            _check(answer)
            assert Decision.objects.count() == FIRST, "what was shown is not logged"
            resident = sum(one.memory_info().rss for one in _family(web)) / 2**20
            print(
                f"  median {median(taken):.0f} ms, fastest {min(taken):.0f} ms, {spent:.0f} ms of processor (and log), "
                f"{len(answer) / 1e3:.0f} kB; web {resident:.0f} MB",
                flush=True,
            )
    return Measured(quantiles(taken, n=20)[-1], LIMIT_MS, "what it may take")


def _family(process: Process) -> list[psutil.Process]:
    parent = psutil.Process(process.popen.pid)
    return [parent, *parent.children(recursive=True)]


def _processor_seconds(process: Process) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in _family(process))


class Page:
    """One kept connection to the web server."""

    def __init__(self, port: int, cookies: dict[str, str]) -> None:
        self._port = port
        self._http = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": CSRF_TOKEN,
        }

    def wait(self, processes: Processes) -> None:
        """Until the server answers."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            processes.check()
            try:
                self.ask('{"query": "{ __typename }"}')
                return
            except OSError:
                assert time.monotonic() < until, "the web server does not come up"
                self._http = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
                time.sleep(0.1)

    def ask(self, body: str | None, path: str = "/graphql") -> bytes:
        """The answer to what is posted; without a body, to what is got."""
        self._http.request("GET" if body is None else "POST", path, body, self._headers)
        response = self._http.getresponse()
        answer = response.read()
        assert response.status == 200, answer[:500]
        return answer


def _check(answer: bytes) -> None:
    told = json.loads(answer)
    assert "errors" not in told, told["errors"]
    nodes = told["data"]["matches"]["nodes"]
    assert len(nodes) == FIRST
    for one in nodes:
        parts = one["fit"]["contributions"]
        assert one["fit"]["score"] == sum(part["amount"] for part in parts)
        assert len(parts) == 1 + len(MODEL.heads["fit"].weights) and all(part["sentence"] for part in parts)


def _wait_for(line: str, processes: Processes) -> None:
    """Until the web server has logged this: it builds what it keeps in memory when it starts."""
    until = time.monotonic() + 10 * PATIENCE_SECONDS
    while line not in (processes.log_folder / "web.log").read_text():
        processes.check()
        assert time.monotonic() < until, f"no {line!r} in the log of the web server"
        time.sleep(0.2)


def cookies_of(user: User) -> dict[str, str]:
    """Of a browser in which somebody is logged in; they are good for whoever knows CSRF_TOKEN."""
    from tests.config.graphql_client import Asker

    session = Asker(user).http.cookies[settings.SESSION_COOKIE_NAME].value
    return {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF_TOKEN}


@contextmanager
def _staff() -> Iterator[dict[str, str]]:
    """The cookies of somebody of the staff who is logged in."""
    staff = User.objects.create_user(email="staff@benchmark.example", password=None, is_staff=True)
    try:
        yield cookies_of(staff)
    finally:
        Decision.objects.filter(viewer=staff).update(viewer=None)
        staff.delete()


@contextmanager
def _taxonomy() -> Iterator[None]:
    """One that was imported, as every real one is: it has a revision, by which processes know what they have read."""
    revision = TaxonomyRevision.objects.create(number=1, summary="of the benchmark", at=timezone.now())
    try:
        yield
    finally:
        revision.delete()
