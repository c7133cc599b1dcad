"""The candidate index, where ELASTICSEARCH_URL names a server: how long it takes to fill, and to ask."""

from __future__ import annotations

import time
from statistics import median

from django.conf import settings
from elasticsearch.dsl.connections import connections

from config.bench import Measured, benchmark, size
from matching.compile_elastic import compile_rule
from matching.compile_sql import eligible
from matching.documents import CandidateDocument, index_candidates
from matching.models import CandidateProjection
from tests.benchmarks.eligibility import WRITTEN
from tests.benchmarks.people import TODAY, people
from tests.elasticsearch import candidate_index


def fill() -> Measured:
    """Thousands of documents a second, rows read and sent by one process."""
    count = size("INDEXED", 100_000)
    with people(count), candidate_index() as index:
        began = time.perf_counter()
        assert index_candidates(CandidateProjection.objects.iterator(), index=index) == count
        return Measured(count / (time.perf_counter() - began) / 1e3)


def count_eligible() -> Measured:
    """The median over the rules; each rule's own figures are printed."""
    figures = []
    with people(size("INDEXED", 100_000)), candidate_index() as index:
        index_candidates(CandidateProjection.objects.iterator(), index=index)
        connections.get_connection().indices.refresh(index=index)
        for name, rule, _ in WRITTEN:
            rows = eligible(CandidateProjection.objects.all(), rule, on=TODAY)
            search = CandidateDocument.search(index=index).filter(compile_rule(rule, on=TODAY).is_true)
            found = search.count()
            assert found == rows.count() > 0, name
            value, baseline = _seconds(search.count), _seconds(rows.count)
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
    benchmark("elasticsearch.fill_100k", unit="k docs/s")(fill)
    benchmark("elasticsearch.count_eligible_100k", unit="ms")(count_eligible)
