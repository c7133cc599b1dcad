"""The candidate index, where ELASTICSEARCH_URL names a server: how long it takes to fill, and to ask."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from django.conf import settings
from elasticsearch.dsl.query import Bool

from config.bench import Measured, benchmark, size
from matching.compile_elastic import compile_rule
from matching.compile_sql import eligible
from matching.core.attributes import Subject
from matching.documents import clients
from matching.models import CandidateProjection
from tests.benchmarks.eligibility import WRITTEN
from tests.benchmarks.people import TODAY, people
from tests.elasticsearch import an_index, fill


def filling() -> Measured:
    """Thousands of documents a second, rows read and sent by one process."""
    count = size("INDEXED", 100_000)
    with people(count), an_index(Subject.CANDIDATE) as index:
        began = time.perf_counter()
        assert fill(index, Subject.CANDIDATE) == count
        return Measured(count / (time.perf_counter() - began) / 1e3)


def count_eligible() -> Measured:
    """The median over the rules; each rule's own figures are printed."""
    figures = []
    with people(size("INDEXED", 100_000)), an_index(Subject.CANDIDATE) as index:
        fill(index, Subject.CANDIDATE)
        for name, rule, _ in WRITTEN:
            rows = eligible(CandidateProjection.objects.all(), rule, on=TODAY)
            query = Bool(filter=[compile_rule(rule, on=TODAY).is_true]).to_dict()

            def ask(query: dict[str, Any] = query) -> int:
                return clients.for_building().count(index=index, query=query)["count"]

            found = ask()
            assert found == rows.count() > 0, name
            value, baseline = _seconds(ask), _seconds(rows.count)
            figures.append((value, baseline))
            print(
                f"  {name:<40} {found:>8,} people {value * 1e3:>9.1f} ms  Postgres {baseline * 1e3:.1f} ms", flush=True
            )
    value, baseline = (median(column) for column in zip(*figures, strict=True))
    return Measured(value * 1e3, baseline * 1e3, "the same rules in Postgres")


def _seconds(work) -> float:
    taken = []
    for _ in range(15):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


if settings.ELASTICSEARCH_URL:
    benchmark("elasticsearch.fill_100k", unit="k docs/s")(filling)
    benchmark("elasticsearch.count_eligible_100k", unit="ms")(count_eligible)
