"""How long searches take that people ask: of two hundred thousand opportunities, and of a million candidates.

A search is read, and its first and fifth page of twenty found; each query's own figures are printed. What every source
finds is compared with SQL written by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles

from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from config.bench import Measured, benchmark, size
from matching.actions.rebuilding import rebuild
from matching.core.attributes import Subject
from matching.core.search.search import FACETS, Place
from matching.documents import clients
from matching.retrieval.elastic import ELASTIC
from matching.retrieval.postgres import POSTGRES
from matching.retrieval.searching import Finding
from matching.retrieval.source import Hit, Source
from tests.benchmarks.asked import COUNTED, OPENINGS, PEOPLE, TABLES, Asked, Counted
from tests.benchmarks.people import people
from tests.benchmarks.published import NOW, published
from tests.elasticsearch import own_indices

ROUNDS = 7
PAGE, FIFTH = 20, 80  # hits on a page; those before the fifth
OPPORTUNITIES = size("OPPORTUNITIES", 200_000)
CANDIDATES = size("CANDIDATES", 1_000_000)


@benchmark("search.explore_200k.postgres", unit="ms")
def explore() -> Measured:
    with published(OPPORTUNITIES):
        return _postgres(OPENINGS)


@benchmark("search.people_1m.postgres", unit="ms")
def find_people() -> Measured:
    with people(CANDIDATES):
        return _postgres(PEOPLE)


def explore_elasticsearch() -> Measured:
    with published(OPPORTUNITIES):
        return _elasticsearch(OPENINGS)


def find_people_elasticsearch() -> Measured:
    with people(CANDIDATES):
        return _elasticsearch(PEOPLE)


if settings.ELASTICSEARCH_URL:
    benchmark("search.explore_200k.elasticsearch", unit="ms")(explore_elasticsearch)
    benchmark("search.people_1m.elasticsearch", unit="ms")(find_people_elasticsearch)


@benchmark("search.facets", unit="ms")
def count_facets() -> Measured:
    """The median of the ratios over searches with few and many filters; each one's own figures are printed."""
    with published(OPPORTUNITIES):
        figures = sorted(_facets(one) for one in COUNTED)
    _, value, baseline = figures[len(figures) // 2]
    return Measured(value * 1e3, baseline * 1e3, "the same facets counted one by one in SQL written by hand")


def _facets(one: Counted) -> tuple[float, float, float]:
    """The ratio, and the seconds that it is of."""
    facets = FACETS[one.asked.about]
    finding = _finding(one.asked, POSTGRES)
    counted = {(facet.value, str(key), n) for facet in facets for key, n in finding.facets(facets)[facet].items()}
    assert counted == set(_rows(one.by_hand)), one.asked.name
    value, baseline = map(median, _by_turns(lambda: finding.facets(facets), lambda: _rows(one.by_hand)))
    print(f"  {one.asked.name:<36} {value * 1e3:>8.1f} ms   by hand {baseline * 1e3:>8.1f} ms", flush=True)
    return value / baseline, value, baseline


def _postgres(asked: Sequence[Asked]) -> Measured:
    """Held against SQL written by hand."""
    for one in asked:
        count = _finding(one, POSTGRES).count()
        assert count == _rows(f"SELECT count(*) {one.found}")[0][0], one.name
        assert count or "nothing" in one.name, f"{one.name}: a search that finds nothing measures nothing"
    _print_size(asked[0].about)
    figures = _compared(asked, POSTGRES, "by hand", lambda one, skip, after: _rows(one.page(skip=skip)))
    return Measured(*figures, "the same searches in SQL written by hand, ranked by ts_rank")


def _elasticsearch(asked: Sequence[Asked]) -> Measured:
    """Held against Postgres, whose pages are the same."""
    with own_indices(), override_settings(SEARCH_TIMEOUT_MS=60_000):  # none is to be answered by Postgres instead
        began = time.perf_counter()
        built = rebuild(asked[0].about, timezone.now())
        taken = time.perf_counter() - began
        size = clients.for_building().indices.stats(index=built.name)["_all"]["primaries"]["store"]["size_in_bytes"]
        print(f"  {built.documents / taken:,.0f} documents a second; {size / 2**20:,.0f} MiB", flush=True)
        figures = _compared(asked, ELASTIC, "Postgres", lambda one, _, after: _page(one, POSTGRES, PAGE, after))
    return Measured(*figures, "the same searches in Postgres")


def _compared(
    asked: Sequence[Asked], source: Source, other: str, page: Callable[[Asked, int, Place | None], object]
) -> tuple[float, float]:
    """The medians of all pages of all searches, in milliseconds: of a source, and of another way."""
    ours: list[float] = []
    theirs: list[float] = []
    for one in asked:
        first = _page(one, POSTGRES, FIFTH)
        assert _page(one, source, FIFTH) == first, one.name
        places = [(0, None), (FIFTH, first[-1].place)] if len(first) == FIFTH else [(0, None)]
        taken = [_turns(one, source, page, skip, after) for skip, after in places]
        mine, yours = ([second for column in columns for second in column] for columns in zip(*taken, strict=True))
        print(f"  {one.name:<36} {median(mine) * 1e3:>8.1f} ms   {other} {median(yours) * 1e3:>8.1f} ms", flush=True)
        ours += mine
        theirs += yours
    _summary("counts", [_taken(_finding(one, source).count) for one in asked])
    return _summary("pages", ours), _summary(other, theirs)


def _turns(
    one: Asked, source: Source, page: Callable[[Asked, int, Place | None], object], skip: int, after: Place | None
) -> tuple[list[float], list[float]]:
    return _by_turns(lambda: _page(one, source, PAGE, after), lambda: page(one, skip, after))


def _by_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds of each, measured in turns so that noise of the machine meets both."""
    taken = [(_taken(one), _taken(other)) for _ in range(ROUNDS)]
    return [first for first, _ in taken], [second for _, second in taken]


def _page(one: Asked, source: Source, first: int, after: Place | None = None) -> list[Hit]:
    """Read, and found."""
    finding = _finding(one, source)
    hits, _ = finding.page(first, after=after)
    assert finding.fell_back is None
    return hits


def _finding(one: Asked, source: Source) -> Finding:
    return Finding(one.search(), source=source, now=NOW)


def _summary(name: str, seconds: list[float]) -> float:
    """The median, in milliseconds; printed with the 95th percentile."""
    value = median(seconds) * 1e3
    print(f"  {name:<36} p50 {value:>8.1f} ms   p95 {quantiles(seconds, n=20)[-1] * 1e3:>8.1f} ms", flush=True)
    return value


def _taken(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _print_size(about: Subject) -> None:
    name = TABLES[about]
    [(rows, indexes, words)] = _rows(
        f"SELECT pg_table_size('{name}'), pg_indexes_size('{name}'), (SELECT sum(pg_relation_size(indexrelid))"
        f" FROM pg_index JOIN pg_am ON amname = 'gin' JOIN pg_class ON pg_class.oid = indexrelid AND relam = pg_am.oid"
        f" WHERE indrelid = '{name}'::regclass)"
    )
    print(f"  {rows / 2**20:,.0f} MiB of rows, {indexes / 2**20:,.0f} MiB of indexes, {words / 2**20:,.0f} of them GIN")
