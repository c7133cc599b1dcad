"""Searching the projections in Postgres: the default source."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, reduce
from operator import add
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Case, IntegerField, Model, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable, RawSQL

from accounts.queries.prepared import KEYS, Gap, IsAmong, Prepared, prepare
from matching.compile_sql import compile_rule, eligible
from matching.core.attributes import Subject
from matching.core.search.query import ANYWHERE, Segment
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
    SortKey,
    sort_keys,
)
from matching.core.search.vectors import anywhere_query, way_query
from matching.models import CandidateProjection, OpportunityProjection
from matching.queries.answering import Answers
from matching.retrieval.source import FacetCounts, Hit

MODELS: Mapping[Subject, type[Model]] = {
    Subject.OPPORTUNITY: OpportunityProjection,
    Subject.CANDIDATE: CandidateProjection,
}
HEADS = {Subject.OPPORTUNITY: "head", Subject.CANDIDATE: "words"}
"""The column that knows in which field a word is. Small: it decides the relevance of every row that is found."""


LEVELS = 2
"""Of relevance, the highest, that are looked through one by one; others in heads are ranked at once, as few have a word
just there. Unless it names a skill, which many have, whatever they say; or is a slip, which nobody's head has."""


class Postgres:
    """Never unavailable: what it cannot answer, nobody can."""

    name = "postgres"

    def hits(self, search: Search, *, after: Place | None, limit: int, without: Collection[int]) -> list[Hit]:
        if search.sort is Sort.RELEVANCE and len(search.segments) == 1:
            return _hits_by_level(search, after, limit, without)
        if after is None and not without and _is_all_there_is(search):
            return _first(search, limit)
        return _hits(found(search, without), search, after, limit)

    def count(self, search: Search, *, without: Collection[int]) -> int:
        return found(search, without).order_by().count()

    def facets(
        self, search: Search, facets: Collection[Facet], *, without: Collection[int]
    ) -> Mapping[Facet, FacetCounts]:
        """One statement, which finds whatever meets the filters that no facet leaves out, once."""
        if not facets:
            return {}
        apart = [facet for facet in facets if search.without(facet) is not search]
        rest = reduce(Search.without, apart, search)
        rows = found(rest, without)
        for facet in apart:
            rows = rows.annotate(**{f"meets_{facet}": _surely(search, facet)})
        columns = sorted({_FACETS[search.about][facet].column for facet in facets})
        chosen = rows.order_by().values(*columns, *(f"meets_{facet}" for facet in apart))
        counts = " UNION ALL ".join(_counted(facet, search.about, apart) for facet in facets)
        counted: dict[Facet, dict[str | int, int]] = {facet: {} for facet in facets}
        try:
            statement, values = chosen.query.sql_with_params()
        except EmptyResultSet:  # Django knows that there is nothing, such as for somebody of no organisation
            return counted
        with connection.cursor() as cursor:
            cursor.execute(f"WITH found AS MATERIALIZED ({statement}) {counts}", values)
            for facet, code, row_id, number in cursor.fetchall():
                counted[Facet(facet)][code if code is not None else row_id] = number
        return counted


POSTGRES = Postgres()


def found(search: Search, without: Collection[int]) -> QuerySet[Any]:
    """The rows that a search finds, in no order."""
    rows: QuerySet[Any] = MODELS[search.about]._default_manager.all()
    if search.nothing:
        return rows.none()
    rows = rows.filter(_reachable(search.reach, search.about))
    if search.segments:
        rows = rows.filter(Answers("words", anywhere_query(search.segments)))
    for rule in (search.rule, *search.filters.values()):
        rows = eligible(rows, rule, on=search.on)
    if search.states is not None:
        rows = rows.filter(state__in=sorted(search.states))
    if search.listed_since is not None:
        rows = rows.filter(listed_at__gte=search.listed_since)
    if search.open_to_offers is not None:
        rows = rows.filter(open_to_offers=search.open_to_offers)
    if search.pay is not None:
        rows = rows.filter(_paying(search.pay))
    if search.among is not None:
        rows = rows.filter(IsAmong(search.among))
    if without:
        rows = rows.exclude(IsAmong(without))
    return rows


def _reachable(reach: Reach, about: Subject) -> Q:
    """`is_open_to` of the specification."""
    if about is Subject.CANDIDATE:
        if reach.is_staff:
            return Q(present=True)
        if not reach.organisations:
            return Q(pk__in=[])
        return Q(present=True, discoverable=True) & ~Q(blocked_organisations__contains=sorted(reach.organisations))
    if reach.is_staff:
        return Q()
    public = Q(state=PUBLISHED, visibility=PUBLIC)
    if reach.suspended:
        public &= ~Q(IsAmong(reach.suspended, "organisation_id"))
    if reach.organisations:
        public |= Q(IsAmong(reach.organisations, "organisation_id"))
    if reach.related:
        public |= Q(IsAmong(reach.related)) & ~Q(state__in=sorted(UNPUBLISHED))
    return public


_BAND = "EXISTS (SELECT FROM unnest(least_pay, most_pay_by_band) AS band (least, most) WHERE {bounds})"


def _paying(wanted: PayRange) -> Q | RawSQL:
    if wanted.most is None:
        return Q(most_pay__gte=max(wanted.least or 0, 0))  # an index serves it; no band pays -1
    bounds, values = ["band.least <= %s"], [wanted.most]
    if wanted.least is not None:
        bounds.append("band.most >= %s")
        values.append(wanted.least)
    return RawSQL(_BAND.format(bounds=" AND ".join(bounds)), values, output_field=BooleanField())


def most_skilled(search: Search, skill_ids: Collection[int], *, limit: int, without: Collection[int]) -> list[int]:
    """Of the people that a search finds, so many by inner id, those first who have most of these skills."""
    rows = found(search, without)
    if not skill_ids:
        return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    asked = sorted(set(skill_ids))
    able = rows.filter(skill_ids__overlap=asked).annotate(
        shared=RawSQL("(SELECT count(*) FROM unnest(skill_ids) AS one WHERE one = ANY(%s))", [asked])
    )
    ids = list(able.order_by("-shared", "pk").values_list("pk", flat=True)[:limit])
    if len(ids) < limit:
        others = rows.exclude(skill_ids__overlap=asked).order_by("pk").values_list("pk", flat=True)
        ids += others[: limit - len(ids)]
    return ids


# Order


def _hits(
    rows: QuerySet[Any], search: Search, after: Place | None, limit: int, relevance: Combinable | None = None
) -> list[Hit]:
    keys = sort_keys(search)
    if keys[0].name == "relevance":
        rows = rows.annotate(relevance=relevance or _relevance(search))
    return [Hit(row[0], row[1:]) for row in _in_order(rows, keys, after, limit)]


def _is_all_there_is(search: Search) -> bool:
    """Whether it asks for whatever opportunities there are: the page where everybody begins."""
    whatever = Search(about=Subject.OPPORTUNITY, reach=search.reach, sort=search.sort, on=search.on)
    return search == whatever and search.sort is not Sort.RELEVANCE


def _first(search: Search, limit: int) -> list[Hit]:
    whose = {name: getattr(search.reach, name) for name in ("organisations", "related", "suspended")}
    given = {name: sorted(keys) for name, keys in whose.items() if keys}
    gaps: dict[str, Any] = {name: Gap(name, KEYS) for name in given}
    rows = _firsts(replace(search.reach, **gaps), search.sort).tuples(limit=limit, **given)
    return [Hit(row[0], row[1:]) for row in rows]


@cache
def _firsts(reach: Reach, sort: Sort) -> Prepared:
    """Of a reach with gaps."""
    search = Search(about=Subject.OPPORTUNITY, reach=reach, sort=sort)
    return prepare(_in_order(found(search, ()), sort_keys(search), None, None)).first("limit")


_LEAST = Case(When(pk__gt=0, then=Value(ANYWHERE)), default=Value(0), output_field=IntegerField())
"""What all are worth that are answered in no head. It looks as if it depended on the row, so that Postgres finds the
rows before it sorts them: for those few that have a rare word it would read all others in the order asked for."""


def _hits_by_level(search: Search, after: Place | None, limit: int, without: Collection[int]) -> list[Hit]:
    """The same where one segment decides the relevance, level by level. On each the first are found in the order of the
    rest, which an index has: where a common word is in the best field of many, none of the others are looked at."""
    head = HEADS[search.about]
    whatever = found(replace(search, segments=()), without)  # a level asks for the words, and says so better
    above = Q()
    hits: list[Hit] = []
    for worth, query in _levels(search):
        rows = whatever.filter(Answers(head, query)).filter(above)
        if worth is None:
            hits += _hits(rows, search, after, limit - len(hits))
        elif after is None or after[0] >= worth:  # type: ignore[operator]
            within = after[1:] if after is not None and after[0] == worth else None
            following = _in_order(rows, sort_keys(search)[1:], within, limit - len(hits))
            hits += [Hit(row[0], (worth, *row[1:])) for row in following]
        if len(hits) == limit:
            return hits
        above &= ~Q(Answers(head, query))
    rest = found(search, without).filter(above)
    return hits + _hits(rest, search, after, limit - len(hits), _LEAST)


def _levels(search: Search) -> list[tuple[int | None, str]]:
    """What the ways of answering the only segment are worth, the best first, and the queries for heads that are
    answered so. None stands for several that are ranked at once."""
    (segment,), scheme = search.segments, SCHEMES[search.about]
    levels: dict[int, list[str]] = {}
    for way in scheme.ways(segment):
        levels.setdefault(way.worth, []).append(f"({way_query(way, segment, scheme)})")
    joined = [(worth, " | ".join(queries)) for worth, queries in levels.items()]
    alone = len(joined) if segment.skills or segment.near else LEVELS
    ranked = " | ".join(query for _, query in joined[alone:])
    return [*joined[:alone], *([(None, ranked)] if ranked else [])]


def _in_order(rows: QuerySet[Any], keys: Sequence[SortKey], after: Place | None, limit: int | None) -> QuerySet[Any]:
    """Id and place of the first that follow a place."""
    columns = ["pk" if key.name == "id" else key.name for key in keys]
    if after is not None:
        rows = rows.filter(_follows(keys, columns, after))
    ordered = rows.order_by(*(f"-{name}" if key.descending else name for key, name in zip(keys, columns, strict=True)))
    return ordered.values_list("pk", *columns)[:limit]


def _relevance(search: Search) -> Combinable:
    worth = [_worth(segment, search.about) for segment in search.segments]
    return reduce(add, worth) if worth else Value(0)


def _worth(segment: Segment, about: Subject) -> Combinable:
    """What the best way of answering a segment is worth, of a row that answers it."""
    scheme = SCHEMES[about]
    ways = (
        When(Answers(HEADS[about], way_query(way, segment, scheme)), then=Value(way.worth))
        for way in scheme.ways(segment)
    )
    return Case(*ways, default=Value(ANYWHERE), output_field=IntegerField())


def _follows(keys: Sequence[SortKey], columns: list[str], place: Place) -> Q:
    """What comes after a place; the first key bounds it, so that an index begins there."""
    follows, same = Q(), Q()
    for key, column, value in zip(keys, columns, place, strict=True):
        follows |= same & Q(**{f"{column}__{'lt' if key.descending else 'gt'}": value})
        same &= Q(**{column: value})
    first, column = keys[0], columns[0]
    return Q(**{f"{column}__{'lte' if first.descending else 'gte'}": place[0]}) & follows


# Facets


class _Listed(NamedTuple):
    """How a facet's values are read: from which column, each row having one, or several in an array."""

    column: str
    are_ids: bool = False
    are_several: bool = False
    only: str = "true"

    @property
    def value(self) -> str:
        return f"unnest({self.column})" if self.are_several else self.column  # rows are made faster than joined


_COUNTRY = "length(value) = 2"  # not a region, nor anywhere
_FACETS: Mapping[Subject, Mapping[Facet, _Listed]] = {
    Subject.OPPORTUNITY: {
        Facet.COMMITMENT: _Listed("commitment"),
        Facet.ARRANGEMENT: _Listed("arrangement"),
        Facet.COUNTRY: _Listed("places", are_several=True, only=_COUNTRY),
        Facet.SKILL: _Listed("skill_ids", are_ids=True, are_several=True),
        Facet.ORGANISATION: _Listed("organisations", are_ids=True, are_several=True),
    },
    Subject.CANDIDATE: {
        Facet.COMMITMENT: _Listed("commitments", are_several=True),
        Facet.COUNTRY: _Listed("country"),
        Facet.SKILL: _Listed("skill_ids", are_ids=True, are_several=True),
    },
}


def _counted(facet: Facet, about: Subject, apart: Collection[Facet]) -> str:
    listed = _FACETS[about][facet]
    code, row_id = ("NULL", "value") if listed.are_ids else ("value", "NULL")
    met = " AND ".join(["true", *(f"meets_{other}" for other in apart if other is not facet)])
    return (
        f"SELECT '{facet.value}', {code}::text, {row_id}::bigint, count(*)"
        f" FROM (SELECT {listed.value} AS value FROM found WHERE {met}) AS listed"
        f" WHERE value IS NOT NULL AND {listed.only} GROUP BY value"
    )


def _surely(search: Search, facet: Facet) -> Case:
    is_true = compile_rule(search.filters[facet], on=search.on).is_true
    return Case(When(is_true, then=Value(True)), default=Value(False), output_field=BooleanField())
