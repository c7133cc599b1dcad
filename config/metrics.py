"""`/metrics`: what is counted, and how far copies and scores are behind, as Prometheus reads it.

The counters are those of the process that answers. There is one: the web server has a single worker process with many
threads. What the background workers do is read from the database instead, at the moment that somebody asks.
"""

import hmac
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matching.models import Rescore
from matching.queries.copying import waiting
from matching.queries.marks import freshness
from matching.queries.marks import waiting as marked
from matching.queries.rescores import Progress, progress_of, unfinished
from matching.retrieval import elastic
from matching.retrieval.breaker import State

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """In Prometheus' text format. 401 without the token where one is set; in production 404 where none is."""
    if not settings.METRICS_TOKEN and settings.PRODUCTION:
        raise Http404
    if not _is_shown(request):
        return HttpResponse(
            "The token of METRICS_TOKEN is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _is_shown(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    return not settings.METRICS_TOKEN or hmac.compare_digest(given.encode(), wanted.encode())


class Asked(Collector):
    """Measured when somebody asks."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: asked at the start, when there is no database yet."""
        return iter(())


class Copies(Asked):
    def collect(self) -> Iterator[Metric]:
        breaker = GaugeMetricFamily(
            "muster_search_breaker", "1 for the state of this process's circuit breaker.", labels=["state"]
        )
        now = elastic.breaker.state(time.monotonic())
        for state in State:
            breaker.add_metric([state.value], float(state is now))
        yield breaker
        try:
            yield from self._waiting()
        except DatabaseError:
            logger.warning("/metrics says nothing of copies: the database does not answer", exc_info=True)

    def _waiting(self) -> Iterator[Metric]:
        labels = ["stage", "subject"]
        families = {
            "marks": GaugeMetricFamily("muster_copy_marks", "Subjects waiting to be copied.", labels=labels),
            "urgent": GaugeMetricFamily("muster_copy_urgent_marks", "Those not searched in copies.", labels=labels),
            "refused": GaugeMetricFamily("muster_copy_refused_marks", "Those that an index refused.", labels=labels),
            "lag": GaugeMetricFamily("muster_copy_lag_seconds", "Age of the oldest that waits.", labels=labels),
        }
        now = timezone.now()
        for one in waiting():
            where = [one.stage, one.subject.value]
            families["marks"].add_metric(where, one.marks)
            families["urgent"].add_metric(where, one.urgent)
            families["refused"].add_metric(where, one.refused)
            families["lag"].add_metric(where, one.seconds(now))
        yield from families.values()


class Scores(Asked):
    """How far scores are behind: what was marked, and what a mass change left to do."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._waiting()
        except DatabaseError:
            logger.warning("/metrics says nothing of scores: the database does not answer", exc_info=True)

    def _waiting(self) -> Iterator[Metric]:
        now = timezone.now()
        age = freshness(now).total_seconds()
        yield GaugeMetricFamily("muster_marks", "Candidates, opportunities and pairs to be scored.", marked())
        yield GaugeMetricFamily("muster_mark_age_seconds", "Age of the oldest change that is not scored.", age)
        labels = ["cause", "state"]
        subjects = GaugeMetricFamily(
            "muster_rescoring_subjects", "Of mass changes: people and opportunities to do in all.", labels=labels
        )
        done = GaugeMetricFamily("muster_rescoring_done", "Those of them that are done.", labels=labels)
        failed = GaugeMetricFamily("muster_rescoring_failed", "Those that could not be scored.", labels=labels)
        behind = GaugeMetricFamily("muster_rescoring_age_seconds", "Age of the oldest mass change.", labels=labels)
        for where, (jobs, oldest) in _by_state(unfinished()).items():
            subjects.add_metric(where, sum(one.total for one in jobs))
            done.add_metric(where, sum(one.done for one in jobs))
            failed.add_metric(where, sum(one.failed for one in jobs))
            behind.add_metric(where, max((now - oldest).total_seconds(), 0.0))
        yield from (subjects, done, failed, behind)


def _by_state(jobs: Iterable[Rescore]) -> dict[tuple[str, str], tuple[list[Progress], datetime]]:
    """By cause and state, how far they have come and when the oldest change was made."""
    found: dict[tuple[str, str], tuple[list[Progress], datetime]] = {}
    for job in jobs:
        known, oldest = found.get((job.cause, job.state), ([], job.since))
        found[job.cause, job.state] = ([*known, progress_of(job)], min(oldest, job.since))
    return found


REGISTRY.register(Copies())
REGISTRY.register(Scores())
