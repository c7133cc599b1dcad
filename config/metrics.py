"""`/metrics`: what is counted, and how far copies are behind, as Prometheus reads it.

The counters are those of the process that answers. There is one: the web server has a single worker process with many
threads. What the background workers do is read from the database instead, at the moment that somebody asks.
"""

import hmac
import logging
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matching.queries.copying import waiting
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


class Copies(Collector):
    """Measured when somebody asks."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: asked at the start, when there is no database yet."""
        return iter(())

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


REGISTRY.register(Copies())
