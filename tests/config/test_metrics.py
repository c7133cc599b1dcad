"""What `/metrics` tells, and whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from matching.core.attributes import Subject
from matching.models import CopyMark
from matching.retrieval import elastic, metrics
from matching.retrieval.breaker import Breaker

Sample = tuple[str, tuple[tuple[str, str], ...]]


def scraped(client: Client) -> dict[Sample, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def labels(**given: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(given.items()))


@pytest.mark.django_db
def test_searches_are_counted_by_source_and_outcome(client: Client) -> None:
    before = scraped(client)
    metrics.answered("postgres", Subject.CANDIDATE, 0.02)
    metrics.answered("elasticsearch", Subject.OPPORTUNITY, 0.004)
    metrics.fell_back(Subject.OPPORTUNITY, "timeout")
    after = scraped(client)
    grown = {sample for sample, value in after.items() if value == before.get(sample, 0.0) + 1.0}
    assert grown >= {
        ("muster_searches_total", labels(source="postgres", subject="candidate", outcome="answered")),
        ("muster_searches_total", labels(source="elasticsearch", subject="opportunity", outcome="answered")),
        ("muster_searches_total", labels(source="elasticsearch", subject="opportunity", outcome="unavailable")),
        ("muster_search_fallbacks_total", labels(subject="opportunity", reason="timeout")),
        ("muster_search_seconds_count", labels(source="postgres", subject="candidate")),
    }


@pytest.mark.django_db
def test_breaker_and_what_waits_to_be_copied_are_told_as_they_are(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    CopyMark.objects.create(
        stage="index", subject_type="candidate", subject_id=1, since=timezone.now() - timedelta(minutes=1)
    )
    CopyMark.objects.create(
        stage="index",
        subject_type="candidate",
        subject_id=2,
        since=timezone.now() - timedelta(days=9),
        refused_generation=1,
    )
    opened = Breaker(failures=1, pause=60.0, longest_pause=60.0)
    opened.failed(10.0**12)
    monkeypatch.setattr(elastic, "breaker", opened)
    found, where = scraped(client), labels(stage="index", subject="candidate")
    assert found["muster_search_breaker", labels(state="open")] == 1.0
    assert found["muster_search_breaker", labels(state="closed")] == 0.0
    assert (found["muster_copy_marks", where], found["muster_copy_refused_marks", where]) == (2.0, 1.0)
    assert 60.0 <= found["muster_copy_lag_seconds", where] < 600.0
    assert found["muster_copy_lag_seconds", labels(stage="projection", subject="opportunity")] == 0.0


def test_counters_are_told_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr("config.metrics.waiting", away)
    monkeypatch.setattr("config.metrics.freshness", lambda now: away())
    found = scraped(client)
    assert found["muster_search_breaker", labels(state="closed")] == 1.0
    assert not [name for name, _ in found if name.startswith("muster_copy")]


@pytest.mark.django_db
def test_token_opens_the_page_where_one_is_set(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "let-me-in"
    tried = ("", "Bearer", "Bearer wrong", "Bearer \xf6", "Basic let-me-in", "Bearer let-me-in")
    given = [client.get("/metrics", headers={"Authorization": each}).status_code for each in tried]
    assert given == [401, 401, 401, 401, 401, 200]
    assert client.post("/metrics").status_code == 405


def test_production_without_a_token_has_no_such_page(client: Client, settings: Any) -> None:
    settings.PRODUCTION = True
    assert client.get("/metrics").status_code == 404
