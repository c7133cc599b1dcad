"""A search as values, and what it finds: the specification that every source has to meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from matching.core.attributes import Subject
from matching.core.facts import CandidateFacts, OpportunityFacts
from matching.core.rules import OPEN_TO_ALL, Rule
from matching.core.search.query import OPENINGS, PEOPLE, Scheme, SearchText, Segment, relevance
from matching.core.truth import truth

NO_END = datetime(9999, 1, 1, tzinfo=UTC)
UNPAID = -1  # where no yearly pay is known: below every pay
PUBLISHED, PUBLIC = "published", "public"
UNPUBLISHED = frozenset({"draft", "in_review"})

SCHEMES: Mapping[Subject, Scheme] = MappingProxyType({Subject.OPPORTUNITY: OPENINGS, Subject.CANDIDATE: PEOPLE})


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    PAY = "pay"
    CLOSING = "closing"
    TITLE = "title"


class Facet(StrEnum):
    """A list of values, each with how many documents have it. It also names the filter by those values."""

    COMMITMENT = "commitment"
    ARRANGEMENT = "arrangement"
    COUNTRY = "country"
    SKILL = "skill"
    ORGANISATION = "organisation"


FACETS: Mapping[Subject, tuple[Facet, ...]] = MappingProxyType(
    {
        Subject.OPPORTUNITY: tuple(Facet),
        Subject.CANDIDATE: (Facet.COMMITMENT, Facet.COUNTRY, Facet.SKILL),
    }
)
NARROWING = frozenset({Facet.SKILL})
"""Facets whose values are all asked for, not one of them. Choosing one more leaves fewer, so their own filter counts
too: each number says how many would be left."""


class PayRange(NamedTuple):
    """A year's pay in cents of euros, both ends included; None where an end is open."""

    least: int | None
    most: int | None


@dataclass(frozen=True)
class Reach:
    """Whom the asker is, as far as it decides what they may find.

    Of opportunities: what is public, unless who posted it is suspended; all of their own organisations; and those past
    drafting that they were asked to or applied to (`related`). Of people: those who let themselves be found, unless
    they blocked every organisation of the asker. Staff find all.
    """

    is_staff: bool = False
    organisations: frozenset[int] = frozenset()
    related: frozenset[int] = frozenset()  # opportunities
    suspended: frozenset[int] = frozenset()  # organisations


EVERYTHING = Reach(is_staff=True)


@dataclass(frozen=True)
class Opening:
    """An opportunity as search sees it. `pay` holds each band's yearly figures in cents of euros, where known."""

    facts: OpportunityFacts
    text: SearchText
    state: str
    visibility: str
    organisation: int  # who posted it
    title: str  # folded: what it is sorted by
    listed_at: datetime
    closes_at: datetime = NO_END
    pay: tuple[tuple[int, int], ...] = ()

    @property
    def pk(self) -> int:
        return self.facts.opportunity_id

    @property
    def most_pay(self) -> int:
        return max((most for _, most in self.pay), default=UNPAID)

    def is_open_to(self, reach: Reach) -> bool:
        if reach.is_staff or self.organisation in reach.organisations:
            return True
        is_public = self.state == PUBLISHED and self.visibility == PUBLIC
        if is_public and self.organisation not in reach.suspended:
            return True
        return self.pk in reach.related and self.state not in UNPUBLISHED

    def values(self, facet: Facet) -> frozenset[str] | frozenset[int]:
        match facet:
            case Facet.COMMITMENT:
                return _stated(self.facts.commitment)
            case Facet.ARRANGEMENT:
                return _stated(self.facts.arrangement)
            case Facet.COUNTRY:
                return frozenset(place for place in self.facts.places if len(place) == 2)
            case Facet.SKILL:
                return self.facts.skills
        return self.facts.organisations


@dataclass(frozen=True)
class Person:
    """A candidate as search sees them."""

    facts: CandidateFacts
    text: SearchText
    discoverable: bool
    present: bool  # neither merged into another nor suspended
    blocked: frozenset[int] = frozenset()  # organisations
    open_to_offers: bool = False

    @property
    def pk(self) -> int:
        return self.facts.candidate_id

    def is_open_to(self, reach: Reach) -> bool:
        if reach.is_staff:
            return self.present
        return self.present and self.discoverable and bool(reach.organisations - self.blocked)

    def values(self, facet: Facet) -> frozenset[str] | frozenset[int]:
        match facet:
            case Facet.COMMITMENT:
                return self.facts.commitments
            case Facet.COUNTRY:
                return _stated(self.facts.country)
        return frozenset(self.facts.skills)


def _stated(value: str | None) -> frozenset[str]:
    return frozenset([value] if value else [])


Document: TypeAlias = Opening | Person
Place: TypeAlias = tuple[int | str | datetime, ...]
"""Where a document stands in an order; its last part is the document's own id, so no two stand in one place."""


@dataclass(frozen=True)
class Search:
    """What is asked for. Every part that is given must hold; `filters` by facet apart from `rule`, so that a facet can
    be counted without its own."""

    about: Subject
    segments: tuple[Segment, ...] = ()
    rule: Rule = OPEN_TO_ALL
    filters: Mapping[Facet, Rule] = field(default_factory=dict)
    states: frozenset[str] | None = None  # of opportunities
    pay: PayRange | None = None  # some band of the opportunity's meets the range
    listed_since: datetime | None = None
    open_to_offers: bool | None = None  # of people
    among: frozenset[int] | None = None  # only these, by inner id
    nothing: bool = False  # there is nothing that could be found, such as for a query without a word
    reach: Reach = Reach()
    sort: Sort = Sort.NEWEST
    on: date = date.min  # the day by which facts are judged

    def without(self, facet: Facet) -> Search:
        """The search that a facet's values are counted in."""
        if facet in NARROWING or facet not in self.filters:
            return self
        return replace(self, filters={key: rule for key, rule in self.filters.items() if key is not facet})


def found(search: Search, document: Document) -> int | None:
    """The relevance of a document that the search finds; None if it does not."""
    if search.nothing or not document.is_open_to(search.reach) or not _is_among(search, document):
        return None
    rules = (search.rule, *search.filters.values())
    if not all(truth(rule, document.facts, on=search.on) is True for rule in rules):
        return None
    return relevance(search.segments, document.text, SCHEMES[search.about])


def _is_among(search: Search, document: Document) -> bool:
    if search.among is not None and document.pk not in search.among:
        return False
    if isinstance(document, Person):
        return search.open_to_offers is None or document.open_to_offers is search.open_to_offers
    if search.states is not None and document.state not in search.states:
        return False
    if search.listed_since is not None and document.listed_at < search.listed_since:
        return False
    return search.pay is None or any(_meets(search.pay, band) for band in document.pay)


def _meets(wanted: PayRange, band: tuple[int, int]) -> bool:
    least, most = band
    return (wanted.least is None or most >= wanted.least) and (wanted.most is None or least <= wanted.most)


class SortKey(NamedTuple):
    """A part of a place in an order."""

    name: str
    descending: bool


SORT_KEYS: Mapping[Sort, tuple[SortKey, ...]] = MappingProxyType(
    {
        Sort.RELEVANCE: (SortKey("relevance", True), SortKey("listed_at", True), SortKey("id", True)),
        Sort.NEWEST: (SortKey("listed_at", True), SortKey("id", True)),
        Sort.PAY: (SortKey("most_pay", True), SortKey("id", True)),
        Sort.CLOSING: (SortKey("closes_at", False), SortKey("id", True)),
        Sort.TITLE: (SortKey("title", False), SortKey("id", True)),
    }
)
PEOPLE_SORT_KEYS: Mapping[Sort, tuple[SortKey, ...]] = MappingProxyType(
    {
        Sort.RELEVANCE: (SortKey("relevance", True), SortKey("id", True)),
        Sort.NEWEST: (SortKey("id", True),),
    }
)


def sort_keys(search: Search) -> tuple[SortKey, ...]:
    """Raises KeyError for a sort that the subject does not have."""
    return (SORT_KEYS if search.about is Subject.OPPORTUNITY else PEOPLE_SORT_KEYS)[search.sort]


def place(search: Search, document: Document, worth: int) -> Place:
    """Where a document that is found stands."""
    values = {"relevance": worth, "id": document.pk}
    return tuple(values[key.name] if key.name in values else getattr(document, key.name) for key in sort_keys(search))


def comes_before(search: Search, one: Place, other: Place) -> bool:
    """Whether one place is nearer to the beginning than another."""
    for key, mine, theirs in zip(sort_keys(search), one, other, strict=True):
        if mine != theirs:
            return (mine > theirs) is key.descending  # type: ignore[operator]
    return False
