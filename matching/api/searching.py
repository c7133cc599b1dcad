"""What searches of opportunities and of people have in common: pages with cursors, facets, snippets, extensions."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import strawberry
from django.db.models import Model

from accounts.api.connections import Key, Order, PageInfo, Visible, Watched, visible_by_id
from accounts.api.context import Context
from accounts.api.peers import together
from accounts.core.actor import Actor
from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from accounts.models import Organisation
from marketplace.access import visible_candidates, visible_opportunities
from matching.core.attributes import Subject
from matching.core.search.query import Segment, is_open
from matching.core.search.search import Facet, Place, Search, sort_keys
from matching.core.search.snippets import Part
from matching.errors import SearchSourceGone
from matching.queries.typed import read_query
from matching.retrieval.searching import SOURCES, Finding, is_in_use, preferred
from matching.retrieval.source import Hit

LONGEST_SEARCH = 200
MOST_LISTED = 20  # values of a facet
VISIBLE: Mapping[Subject, Visible] = {
    Subject.OPPORTUNITY: visible_opportunities,
    Subject.CANDIDATE: visible_candidates,
}
INSTANTS = frozenset({"listed_at", "closes_at"})


@strawberry.type(name="SnippetPart", description="A stretch of text.")
class SnippetPartType:
    text: str = strawberry.field(description="The text.")
    marked: bool = strawberry.field(description="Whether it is what was searched for.")


@strawberry.type(name="Snippet", description="Where a text shows what was searched for. Its parts make up the text.")
class SnippetType:
    field: str = strawberry.field(description="Which text: a field of the node, such as `title` or `description`.")
    parts: list[SnippetPartType] = strawberry.field(description="The text in parts.")


@strawberry.type(name="Facet", description="A value, and how many of those found have it.")
class FacetType:
    value: str = strawberry.field(description="The value.")
    count: int = strawberry.field(description="How many.")


def snippet(field: str, parts: Sequence[Part]) -> SnippetType:
    return SnippetType(field=field, parts=[SnippetPartType(text=part.text, marked=part.marked) for part in parts])


# Cursors


def order_of(search: Search, source: str) -> Order:
    """The order of one source's list. Its name is in every cursor, so that no other source takes them for its own."""
    keys = tuple(Key(key.name, key.descending, is_instant=key.name in INSTANTS) for key in sort_keys(search))
    return Order(f"{search.about} by {search.sort}, {source}", keys)


def finding_of(search: Search, after: str | None, context: Context) -> tuple[Finding, Place | None]:
    """The search as it is to be carried out: by the source that a cursor names, else by the preferred one.

    Raises InvalidInput for what is no cursor of this list, SearchSourceGone for one of a source that is not asked.
    """
    if after is None:
        return Finding(search, source=preferred(), now=context.now), None
    for name, source in SOURCES.items():
        try:
            values = order_of(search, name).values(after)
        except InvalidInput:
            continue
        if not is_in_use(source):
            raise SearchSourceGone(source=name)
        return Finding(search, source=source, now=context.now), tuple(values)
    raise InvalidInput("after", "is not a cursor of this list")


# Pages


class Listed(Protocol):
    """A list that is found, whole or in part."""

    def count(self) -> int: ...

    def facets(self, facets: Collection[Facet]) -> Mapping[Facet, Counter[str | int]]: ...


@dataclass
class FoundEdge:
    """A row that was found, as an edge reads it."""

    node: Any
    place: Sequence[Any]
    order: Order
    show: Callable[[Any], list[SnippetType]]

    @property
    def cursor(self) -> str:
        return self.order.sealed(self.place)

    @property
    def snippets(self) -> list[SnippetType]:
        return self.show(self.node)


@dataclass
class FoundPage(Watched):
    """One page of what was found. Counts and facets are looked up when they are asked for."""

    listed: Listed
    rows: list[Any]
    places: list[Sequence[Any]]
    order: Order
    has_next: bool
    has_previous: bool
    show: Callable[[Any], list[SnippetType]]
    faceted: tuple[Facet, ...]
    on_read: Callable[[], None] | None = None

    @property
    def edges(self) -> list[FoundEdge]:
        self.rows_are_read()
        return [FoundEdge(row, at, self.order, self.show) for row, at in zip(self.rows, self.places, strict=True)]

    @property
    def nodes(self) -> list[Any]:
        self.rows_are_read()
        return self.rows

    @property
    def total_count(self) -> int:
        return self.listed.count()

    @property
    def page_info(self) -> PageInfo:
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.order.sealed(self.places[0]) if self.places else None,
            end_cursor=self.order.sealed(self.places[-1]) if self.places else None,
        )

    @property
    def facets(self) -> "FoundPage":
        return self

    @cached_property
    def counts(self) -> Mapping[Facet, Counter[str | int]]:
        return self.listed.facets(self.faceted)

    def most(self, facet: Facet) -> list[tuple[Any, int]]:
        """The most frequent values, by number and then by value."""
        return sorted(self.counts[facet].items(), key=lambda one: (-one[1], one[0]))[:MOST_LISTED]

    def codes(self, facet: Facet) -> list[FacetType]:
        return [FacetType(value=value, count=number) for value, number in self.most(facet)]


def found_page(
    context: Context,
    finding: Finding,
    *,
    first: int,
    after: Place | None,
    show: Callable[[Any], list[SnippetType]],
    faceted: tuple[Facet, ...],
) -> FoundPage:
    """A page with the rows that the actor may see: `VISIBLE` has the last word on that. Raises SearchSourceGone."""
    hits, has_next = finding.page(first, after=after)
    tell(context, finding)
    shown, places = shown_rows(context.actor, finding.search, hits)
    order = order_of(finding.search, finding.source.name)
    return FoundPage(finding, shown, places, order, has_next, after is not None, show, faceted)


def shown_rows(actor: Actor, search: Search, hits: Sequence[Hit]) -> tuple[list[Model], list[Sequence[Any]]]:
    """The rows of hits that the actor may see, and the places of these."""
    known = visible_by_id(VISIBLE[search.about], actor, [hit.pk for hit in hits])
    shown = [hit for hit in hits if hit.pk in known]
    return together(known[hit.pk] for hit in shown), [hit.place for hit in shown]


def tell(context: Context, finding: Finding) -> None:
    """Have the response say which source answered, and why if it was not the one that is asked first."""
    context.extensions["search"] = lambda: {"source": finding.source.name, "fellBack": finding.fell_back}


def organisations_by_id(ids: Collection[int]) -> dict[int, Organisation]:
    found = Organisation.objects.in_bulk(ids)
    together(found.values())
    return found


def typed(text: str | None, about: Subject) -> tuple[Segment, ...] | None:
    """What was typed, read; None where nothing can be found by it. Raises InvalidInput for what is too long."""
    cleaned = clean_line(text or "", field="search", max_length=LONGEST_SEARCH, required=False)
    return read_query(cleaned, about, open_end=is_open(text or ""))
