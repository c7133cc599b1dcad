"""The sources of search behind one face: given documents, one that answers searches of them.

A new source joins `SOURCES` and has to pass the whole suite as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cmp_to_key
from typing import NamedTuple, TypeAlias
from uuid import uuid4

from django.utils import timezone

from accounts.models import Organisation
from marketplace.models import Candidate, Opportunity
from matching.actions import copies, indexing
from matching.actions.words import note_words
from matching.core.attributes import Subject
from matching.core.search.search import Document, Facet, Opening, Person, Place, Search, comes_before, found, place
from matching.documents import clients
from matching.documents.indices import create, put_to_use
from matching.models import CandidateProjection, OpportunityProjection
from matching.queries.openings import columns_of as opening_columns
from matching.queries.openings import opening_from
from matching.queries.people import person_from, search_columns_of
from matching.queries.projection import columns_of as person_columns
from matching.retrieval.elastic import ELASTIC
from matching.retrieval.postgres import POSTGRES
from matching.retrieval.source import FacetCounts, Hit, Source
from tests.elasticsearch import own_indices

Documents: TypeAlias = Sequence[Document]


def stored_openings(count: int, draw: Callable[[int], Opening]) -> list[Opening]:
    """Draws that many openings and stores their projections, under the ids of real opportunities."""
    works = Organisation.objects.create(name="Works", slug=uuid4().hex)
    rows = Opportunity.objects.bulk_create(
        Opportunity(
            reference=Opportunity.new_reference(), posting_organisation=works, hiring_organisation=works, title="Work"
        )
        for _ in range(count)
    )
    drawn = [draw(row.pk) for row in rows]
    OpportunityProjection.objects.bulk_create(
        OpportunityProjection(opportunity_id=one.pk, refreshed_at=timezone.now(), **opening_columns(one))
        for one in drawn
    )
    projected = OpportunityProjection.objects.in_bulk([one.pk for one in drawn])
    assert [opening_from(projected[one.pk]) for one in drawn] == drawn, "projections hold whatever search reads"
    assert all(projected[one.pk].head == opening_columns(one)["head"] for one in drawn), "as Postgres writes it"
    note_words(Subject.OPPORTUNITY, (row.head for row in projected.values()))
    return drawn


def stored_people(count: int, draw: Callable[[int], Person]) -> list[Person]:
    """The same of people."""
    rows = Candidate.objects.bulk_create(Candidate(name=f"Person {number}") for number in range(count))
    drawn = [draw(row.pk) for row in rows]
    CandidateProjection.objects.bulk_create(
        CandidateProjection(
            candidate_id=one.pk,
            refreshed_at=timezone.now(),
            **person_columns(one.facts),
            **search_columns_of(one),
        )
        for one in drawn
    )
    projected = CandidateProjection.objects.in_bulk([one.pk for one in drawn])
    assert [person_from(projected[one.pk]) for one in drawn] == drawn, "projections hold whatever search reads"
    assert all(projected[one.pk].words == search_columns_of(one)["words"] for one in drawn), "as Postgres writes it"
    note_words(Subject.CANDIDATE, (row.words for row in projected.values()))
    return drawn


class Specification:
    """What `found` and `place` say of documents in memory."""

    name = "python"

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def hits(self, search: Search, *, after: Place | None, limit: int, without: Collection[int]) -> list[Hit]:
        placed = [Hit(one.pk, place(search, one, worth)) for one, worth in self._found(search, without)]
        following = [hit for hit in placed if after is None or comes_before(search, after, hit.place)]

        def compared(one: Hit, other: Hit) -> int:
            return -1 if comes_before(search, one.place, other.place) else 1

        return sorted(following, key=cmp_to_key(compared))[:limit]

    def count(self, search: Search, *, without: Collection[int]) -> int:
        return len(self._found(search, without))

    def facets(
        self, search: Search, facets: Collection[Facet], *, without: Collection[int]
    ) -> Mapping[Facet, FacetCounts]:
        return {
            facet: Counter(
                value for one, _ in self._found(search.without(facet), without) for value in one.values(facet)
            )
            for facet in facets
        }

    def _found(self, search: Search, without: Collection[int]) -> list[tuple[Document, int]]:
        judged = ((one, found(search, one)) for one in self.documents if one.pk not in without)
        return [(one, worth) for one, worth in judged if worth is not None]


class Copied(NamedTuple):
    """A source, what brings its copies of documents up to date that were stored or deleted, by subject and id, and what
    makes it forget all that it knows of earlier tests."""

    source: Source
    copy: Callable[[Subject, Collection[int]], None]
    forget: Callable[[], None]


@contextmanager
def postgres() -> Iterator[Copied]:
    yield Copied(POSTGRES, lambda about, ids: None, lambda: None)


@contextmanager
def elasticsearch() -> Iterator[Copied]:
    client = clients.for_building()

    def copy(about: Subject, ids: Collection[int]) -> None:
        copies.index_anew(about, ids, timezone.now())
        assert indexing.index_all(timezone.now()) == len(ids)

    def forget() -> None:
        for about in Subject:
            put_to_use(client, about, create(client, about))

    with own_indices():
        yield Copied(ELASTIC, copy, forget)


SOURCES: Mapping[str, Callable[[], AbstractContextManager[Copied]]] = {
    "postgres": postgres,
    "elasticsearch": elasticsearch,
}
"""By name, what makes a source that knows of nothing yet but what is stored in Postgres."""
