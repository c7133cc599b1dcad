"""Searching in Elasticsearch. It answers as `matching.core.search.search` specifies, or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.conf import settings
from elasticsearch import ApiError, ConnectionError, ConnectionTimeout, NotFoundError, TransportError
from elasticsearch.dsl.query import Query

from matching.core.search.search import Facet, Place, Search
from matching.documents import clients
from matching.documents.indices import PAGE, alias
from matching.retrieval.breaker import Breaker
from matching.retrieval.deadline import within
from matching.retrieval.elastic_query import (
    facet_aggregations,
    facet_counts,
    order,
    place_from,
    query,
    stored_place,
)
from matching.retrieval.source import FacetCounts, Hit, SourceUnavailable

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 30.0
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500

breaker = Breaker(
    failures=settings.SEARCH_BREAKER_FAILURES,
    pause=settings.SEARCH_BREAKER_SECONDS,
    longest_pause=LONGEST_PAUSE_SECONDS,
)
"""One per process: each finds out for itself, and there is nothing that they could not agree upon without."""


class Elasticsearch:
    """A `Source`.

    Besides the reasons that SourceUnavailable lists it gives `missing` (there is no index, or none of this program's
    documents), `among` (more ids than the server takes, `MOST_TERMS`) and `facets` (more values than it gives).
    """

    name = "elasticsearch"

    def hits(self, search: Search, *, after: Place | None, limit: int, without: Collection[int]) -> list[Hit]:
        found: list[Hit] = []
        wanted = query(search, without=without)
        while len(found) < limit and not search.nothing:
            size = min(limit - len(found), PAGE)
            page = self._hits(search, wanted, after, size)
            found += page
            if len(page) < size:
                break
            after = page[-1].place
        return found

    def _hits(self, search: Search, wanted: Query, after: Place | None, size: int) -> list[Hit]:
        answer = _ask(
            search,
            query=wanted.to_dict(),
            sort=order(search),
            search_after=stored_place(after) if after is not None else None,
            size=size,
            track_total_hits=False,
        )
        return [Hit(int(hit["_id"]), place_from(search, hit["sort"])) for hit in answer["hits"]["hits"]]

    def count(self, search: Search, *, without: Collection[int]) -> int:
        if search.nothing:
            return 0
        answer = _ask(search, query=query(search, without=without).to_dict(), size=0, track_total_hits=True)
        total: int = answer["hits"]["total"]["value"]
        return total

    def facets(
        self, search: Search, facets: Collection[Facet], *, without: Collection[int]
    ) -> Mapping[Facet, FacetCounts]:
        if search.nothing or not facets:
            return {facet: {} for facet in facets}
        answer = _ask(
            search,
            query=query(search, without=without, filters=()).to_dict(),
            aggregations=facet_aggregations(search, facets),
            size=0,
            track_total_hits=False,
        )
        return {facet: facet_counts(facet, answer["aggregations"][facet.value]) for facet in facets}


ELASTIC = Elasticsearch()


def _ask(search: Search, **request: Any) -> Mapping[str, Any]:
    """One question, answered within `SEARCH_TIMEOUT_MS` or not at all. Raises SourceUnavailable."""
    if not breaker.admits(time.monotonic()):
        raise SourceUnavailable("open")
    answered = False
    try:
        answer = within(settings.SEARCH_TIMEOUT_MS / 1000, _question(search, request))
        answered = not answer["timed_out"]
    except (TimeoutError, ConnectionTimeout):
        raise SourceUnavailable("timeout") from None
    except ConnectionError:
        raise SourceUnavailable("unreachable") from None
    except NotFoundError:
        answered = True
        raise SourceUnavailable("missing") from None
    except ApiError as problem:
        # What it makes nothing of says something of the question, not of the server: others it may answer.
        answered = problem.status_code < SERVER_ERROR and problem.status_code != TOO_MANY_REQUESTS
        logger.warning("Elasticsearch did not answer a search: %s", problem)
        raise SourceUnavailable("error") from problem
    except TransportError as problem:
        logger.warning("Elasticsearch did not answer a search: %s", problem)
        raise SourceUnavailable("error") from problem
    finally:
        if answered:
            breaker.succeeded()
        else:
            breaker.failed(time.monotonic())
    if not answered:
        raise SourceUnavailable("timeout")
    return answer


def _question(search: Search, request: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    client, index = clients.for_search(), alias(search.about)
    return lambda: (
        client.search(
            index=index,
            source=False,
            timeout=f"{settings.SEARCH_TIMEOUT_MS}ms",  # so that it does not go on for nobody
            allow_partial_search_results=False,
            **request,
        ).body
    )
