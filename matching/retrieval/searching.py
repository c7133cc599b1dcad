"""Searching: one source, what its copies do not know yet, and Postgres where the source does not answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, cmp_to_key
from typing import TypeVar

from django.conf import settings

from marketplace.queries.rates import current_rate_set
from matching.core.attributes import Subject
from matching.core.search.search import Document, Facet, Place, Search, comes_before, found, place
from matching.errors import SearchSourceGone
from matching.queries.lagging import INDEXED, PROJECTED, lagging
from matching.queries.openings import openings_of
from matching.queries.people import people_of
from matching.retrieval import metrics
from matching.retrieval.elastic import ELASTIC
from matching.retrieval.postgres import POSTGRES
from matching.retrieval.source import Hit, Source, SourceUnavailable

T = TypeVar("T")

SOURCES: Mapping[str, Source] = {source.name: source for source in (POSTGRES, ELASTIC)}
MOST_JUDGED = 1_000
"""Of what copies do not know yet, so many are judged by the tables for a search; more wait until they are copied."""
MOST_LAGGING = 5_000
"""An index that is further behind is not asked."""


def preferred() -> Source:
    """The source that is asked first."""
    return ELASTIC if settings.ELASTICSEARCH_URL else POSTGRES


def is_in_use(source: Source) -> bool:
    return source is POSTGRES or source is preferred()


@dataclass(frozen=True, slots=True)
class _Lag:
    """What a source is not asked about, and what of it the search finds by the tables."""

    without: frozenset[int]
    documents: tuple[tuple[Place, Document], ...]


class Finding:
    """One search, carried out part by part as it is asked for: all of it by one source, unless that one fails."""

    def __init__(self, search: Search, *, source: Source, now: datetime) -> None:
        self.search = search
        self.source = source
        self.now = now
        self.fell_back: str | None = None
        """Why another source than the preferred one answered."""

    def page(self, first: int, *, after: Place | None = None) -> tuple[list[Hit], bool]:
        """Hits from a place on, and whether more follow. Raises SearchSourceGone where the source that gave the place
        out does not answer any more: another one's list may go on elsewhere."""

        def asked() -> list[Hit]:
            lag = self._lag
            found = self.source.hits(self.search, after=after, limit=first + 1, without=lag.without)
            judged = [
                Hit(document.pk, at)
                for at, document in lag.documents
                if after is None or comes_before(self.search, after, at)
            ]
            return sorted([*found, *judged], key=cmp_to_key(self._compare)) if judged else found

        hits = self._ask(asked, may_fall_back=after is None)
        return hits[:first], len(hits) > first

    def count(self) -> int:
        return self._ask(lambda: self.source.count(self.search, without=self._lag.without) + len(self._lag.documents))

    def facets(self, facets: Collection[Facet]) -> Mapping[Facet, Counter[str | int]]:
        """How many have each value, in the search without the facet's own filter."""

        def asked() -> Mapping[Facet, Counter[str | int]]:
            counts = self.source.facets(self.search, facets, without=self._lag.without)
            counted = {facet: Counter(counts.get(facet, {})) for facet in facets}
            for facet in facets:
                for document in self._judged(self.search.without(facet)):
                    counted[facet].update(document.values(facet))
            return counted

        return self._ask(asked)

    # What copies do not know

    @property
    def without(self) -> frozenset[int]:
        """What the source is not asked about, by inner id."""
        return self._lag.without

    @property
    def judged(self) -> list[Document]:
        """What of it the search finds, by the tables."""
        return [document for _, document in self._lag.documents]

    @cached_property
    def _unknown(self) -> tuple[frozenset[int], dict[int, Document]]:
        """Inner ids that the source may be wrong about, and those of them that were gathered from the tables."""
        stages = PROJECTED if self.source is POSTGRES else INDEXED
        behind = lagging(self.search.about, stages=stages, at_most=MOST_LAGGING)
        if len(behind) > MOST_LAGGING and self.source is not POSTGRES:
            raise SourceUnavailable("behind")
        on = self.search.on
        gathered: Mapping[int, Document] = {}
        if 0 < len(behind) <= MOST_JUDGED and not self.search.nothing:
            rates = current_rate_set(on=on)
            gathered = (
                openings_of(behind, rate_set=rates)
                if self.search.about is Subject.OPPORTUNITY
                else people_of(behind, on=on, rate_set=rates)
            )
        return behind, dict(gathered)

    @cached_property
    def _lag(self) -> _Lag:
        behind, _ = self._unknown
        documents = tuple(
            (place(self.search, document, worth), document) for document, worth in self._found_among(self.search)
        )
        return _Lag(behind, documents)

    def _judged(self, search: Search) -> list[Document]:
        return [document for document, _ in self._found_among(search)]

    def _found_among(self, search: Search) -> list[tuple[Document, int]]:
        _, gathered = self._unknown
        judged = ((document, found(search, document)) for document in gathered.values())
        return [(document, worth) for document, worth in judged if worth is not None]

    def _compare(self, one: Hit, other: Hit) -> int:
        if one.place == other.place:
            return 0
        return -1 if comes_before(self.search, one.place, other.place) else 1

    # Sources

    def _ask(self, what: Callable[[], T], *, may_fall_back: bool = True) -> T:
        began = time.monotonic()
        try:
            answer = what()
        except SourceUnavailable as failure:
            metrics.fell_back(self.search.about, failure.reason)
            if not may_fall_back:
                raise SearchSourceGone(source=self.source.name) from failure
            self._fall_back(failure.reason)
            answer = what()
        metrics.answered(self.source.name, self.search.about, time.monotonic() - began)
        return answer

    def _fall_back(self, reason: str) -> None:
        self.source, self.fell_back = POSTGRES, reason
        for name in ("_unknown", "_lag"):
            self.__dict__.pop(name, None)
