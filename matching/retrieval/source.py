"""What a source of search results is: Postgres, or Elasticsearch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from matching.core.search.search import Facet, Place, Search


class Hit(NamedTuple):
    """What was found, by inner id, and where it stands in the order asked for."""

    pk: int
    place: Place


FacetCounts = Mapping[str | int, int]
"""How many have each value: a code, or the inner id of a skill or an organisation."""


class SourceUnavailable(Exception):
    """A source did not answer, or not in time. `reason` is a word for programs: `timeout`, `unreachable`, `open`
    (the circuit breaker), `behind`, `error`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """Answers searches from copies. `without` are inner ids to be left out: those the copies may be wrong about.

    Every method raises SourceUnavailable.
    """

    name: str

    def hits(self, search: Search, *, after: Place | None, limit: int, without: Collection[int]) -> list[Hit]:
        """The first `limit` that follow a place in the order, none twice."""
        ...

    def count(self, search: Search, *, without: Collection[int]) -> int:
        """How many there are in all."""
        ...

    def facets(
        self, search: Search, facets: Collection[Facet], *, without: Collection[int]
    ) -> Mapping[Facet, FacetCounts]:
        """Each facet counted in `search.without(facet)`, values that nothing has left out."""
        ...
