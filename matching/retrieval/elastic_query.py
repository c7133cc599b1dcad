"""A search as an Elasticsearch request: what `matching.core.search.search` specifies, clause by clause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from elasticsearch.dsl.query import (
    Bool,
    ConstantScore,
    DisMax,
    Exists,
    MatchAll,
    MatchNone,
    Prefix,
    Query,
    Range,
    Term,
    Terms,
)

from matching.compile_elastic import compile_rule
from matching.core.attributes import Subject
from matching.core.rules import Rule
from matching.core.search.query import ANYWHERE as ANYWHERE_WORTH
from matching.core.search.query import By, Scheme, Segment, Way
from matching.core.search.search import (
    PUBLIC,
    PUBLISHED,
    SCHEMES,
    UNPUBLISHED,
    Facet,
    PayRange,
    Place,
    Reach,
    Search,
    Sort,
    sort_keys,
)
from matching.documents.encoding import ANYWHERE, instant_from, microseconds, word_field
from matching.retrieval.source import SourceUnavailable

MOST_TERMS = 65_536
"""What a `terms` query takes by default: `index.max_terms_count`."""

FACET_FIELDS: Mapping[Subject, Mapping[Facet, str]] = MappingProxyType(
    {
        Subject.OPPORTUNITY: MappingProxyType(
            {
                Facet.COMMITMENT: "commitment",
                Facet.ARRANGEMENT: "arrangement",
                Facet.COUNTRY: "places",
                Facet.SKILL: "skill_ids",
                Facet.ORGANISATION: "organisations",
            }
        ),
        Subject.CANDIDATE: MappingProxyType(
            {Facet.COMMITMENT: "commitments", Facet.COUNTRY: "country", Facet.SKILL: "skill_ids"}
        ),
    }
)
_INSTANTS = frozenset({"listed_at", "closes_at"})


def terms(field: str, values: Collection[Any]) -> Query:
    """Raises SourceUnavailable where there are more values than the server takes."""
    if len(values) > MOST_TERMS:
        raise SourceUnavailable("among")
    return Terms(field, sorted(values))


def term(field: str, value: str | int) -> Query:
    return Term(field, {"value": value})


def query(search: Search, *, without: Collection[int], filters: Iterable[Rule] | None = None) -> Query:
    """What a search finds. It scores by relevance where the order asks for that, else it scores nothing. `filters` in
    the place of the search's own."""
    rules = search.filters.values() if filters is None else filters
    clauses = [_is_open_to(search), *_given(search), *(rule_query(search, rule) for rule in (search.rule, *rules))]
    scheme = SCHEMES[search.about]
    if search.sort is not Sort.RELEVANCE:
        clauses += [_answers(segment) for segment in search.segments]
    return Bool(
        filter=clauses,
        must=[_relevance(segment, scheme) for segment in search.segments] if search.sort is Sort.RELEVANCE else [],
        must_not=[terms("id", without)] if without else [],
    )


def rule_query(search: Search, rule: Rule) -> Query:
    """Only what surely meets a rule is found."""
    return compile_rule(rule, on=search.on).is_true


# Who may find what


def _is_open_to(search: Search) -> Query:
    return _opportunity_reach(search.reach) if search.about is Subject.OPPORTUNITY else _people_reach(search.reach)


def _opportunity_reach(reach: Reach) -> Query:
    if reach.is_staff:
        return MatchAll()
    public = [term("state", PUBLISHED), term("visibility", PUBLIC)]
    ways: list[Query] = [
        Bool(filter=public, must_not=[terms("organisation", reach.suspended)] if reach.suspended else [])
    ]
    if reach.organisations:
        ways.append(terms("organisation", reach.organisations))
    if reach.related:
        ways.append(Bool(filter=[terms("id", reach.related)], must_not=[terms("state", UNPUBLISHED)]))
    return _any(ways)


def _people_reach(reach: Reach) -> Query:
    """Some organisation of the asker's is not among those that are blocked."""
    present = term("present", True)
    if reach.is_staff:
        return present
    if not reach.organisations:
        return MatchNone()
    all_blocked = Bool(filter=[term("blocked_organisations", each) for each in sorted(reach.organisations)])
    return Bool(filter=[present, term("discoverable", True)], must_not=[all_blocked])


def _given(search: Search) -> list[Query]:
    clauses: list[Query] = []
    if search.among is not None:
        clauses.append(terms("id", search.among))
    if search.open_to_offers is not None:
        clauses.append(term("open_to_offers", search.open_to_offers))
    if search.states is not None:
        clauses.append(terms("state", search.states))
    if search.listed_since is not None:
        clauses.append(Range("listed_at", {"gte": microseconds(search.listed_since)}))
    if search.pay is not None:
        clauses.append(_pays(search.pay))
    return clauses


def _pays(wanted: PayRange) -> Query:
    """Some band overlaps what is wanted. Where that ends before it begins, the band has to reach over both ends."""
    least, most = wanted
    if least is None and most is None:
        return Exists(field="pay")
    if least is not None and most is not None and least > most:
        return Range("pay", {"gte": most, "lte": least, "relation": "contains"})
    bounds = {name: end for name, end in (("gte", least), ("lte", most)) if end is not None}
    return Range("pay", {**bounds, "relation": "intersects"})


# Words


def _answers(segment: Segment) -> Query:
    """Whether the document answers it in any way."""
    ways = [_words(ANYWHERE, segment, by) for by in (By.WORDS, By.OPEN, By.NEAR)]
    return _any([way for way in [*ways, *map(_named(segment), (By.SKILL, By.FAMILY))] if way is not None])


def _relevance(segment: Segment, scheme: Scheme) -> Query:
    """It scores what the best way of answering is worth: a small whole number, which a float holds exactly, as it does
    their sum."""
    ways = [(way.worth, _way(way, segment)) for way in scheme.ways(segment)]
    return DisMax(
        queries=[
            *(ConstantScore(filter=found, boost=worth) for worth, found in ways if found is not None),
            ConstantScore(filter=_answers(segment), boost=ANYWHERE_WORTH),
        ]
    )


def _way(way: Way, segment: Segment) -> Query | None:
    if way.by in (By.SKILL, By.FAMILY):
        return _named(segment)(way.by)
    return _words(word_field(way.field), segment, way.by)


def _named(segment: Segment) -> Callable[[By], Query | None]:
    """How a skill that the words name is found, if they name one."""
    fields = {By.SKILL: "skill_ids", By.FAMILY: "skill_families"}
    return lambda by: terms(fields[by], segment.skills) if segment.skills else None


def _words(field: str, segment: Segment, by: By) -> Query | None:
    match by:
        case By.WORDS:
            return _all(term(field, word) for word in segment.words)
        case By.OPEN if segment.begun:
            return _all([*(term(field, word) for word in segment.words[:-1]), Prefix(field, {"value": segment.begun})])
        case By.NEAR if segment.near:
            return terms(field, segment.near)
    return None


def _all(queries: Iterable[Query]) -> Query:
    return Bool(filter=list(queries))


def _any(queries: list[Query]) -> Query:
    return Bool(should=queries, minimum_should_match=1)


# Places in an order


def order(search: Search) -> list[dict[str, str]]:
    return [
        {"_score" if key.name == "relevance" else key.name: "desc" if key.descending else "asc"}
        for key in sort_keys(search)
    ]


def stored_place(place: Place) -> list[int | str]:
    """A place as Elasticsearch takes it, after which to go on."""
    return [microseconds(part) if isinstance(part, datetime) else part for part in place]


def place_from(search: Search, stored: list[Any]) -> Place:
    return tuple(_part(key.name, value) for key, value in zip(sort_keys(search), stored, strict=True))


def _part(name: str, value: Any) -> int | str | datetime:
    if name in _INSTANTS:
        return instant_from(value)
    return round(value) if name == "relevance" else value


# Facets


def facet_aggregations(search: Search, facets: Collection[Facet]) -> dict[str, Any]:
    """Each facet's values, counted under all filters that count for it. To be asked of what the search finds without
    its filters."""
    return {facet.value: _aggregation(search, facet) for facet in facets}


def _aggregation(search: Search, facet: Facet) -> dict[str, Any]:
    rules = search.without(facet).filters.values()
    return {
        "filter": _all(rule_query(search, rule) for rule in rules).to_dict() if rules else {"match_all": {}},
        "aggs": {"values": {"terms": {"field": FACET_FIELDS[search.about][facet], "size": MOST_TERMS}}},
    }


def facet_counts(facet: Facet, answer: Mapping[str, Any]) -> dict[str | int, int]:
    """Raises SourceUnavailable where there are more values than the server gives."""
    values = answer["values"]
    if values["sum_other_doc_count"]:
        raise SourceUnavailable("facets")
    counts = {bucket["key"]: bucket["doc_count"] for bucket in values["buckets"]}
    if facet is Facet.COUNTRY:  # places hold regions, too
        return {place: count for place, count in counts.items() if len(place) == 2}
    return counts
