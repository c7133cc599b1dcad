"""The Elasticsearch evaluator: an eligibility rule as queries over the candidate index.

Every criterion compiles to two queries, `is_true` and `is_false`; where a document matches neither, a fact is missing.
A query itself matches or does not, so a criterion that fails is one whose fact is there and that does not hold; above
the leaves nothing is ever negated. No query needs a script. `matching.core.truth` is the specification, and the
conformance tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from elasticsearch.dsl.query import Bool, Exists, MatchAll, MatchNone, Nested, Query, Range, Term, Terms

from matching.core.attributes import (
    CEFR,
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
    Missing,
    Operator,
)
from matching.core.clock import DAY_MINUTES, months_before
from matching.core.facts import CandidateFacts
from matching.core.rules import (
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    Literal,
    LivesIn,
    MayWorkIn,
    Quorum,
    RateWithinPay,
    Rule,
    Vetted,
    normal,
)
from matching.core.truth import ANY_RATE, NO_RATE, pay_range
from matching.documents import ENDLESS, LIVES_IN, WORK_ENDS_UTC, encoded, scaled

Conditions: TypeAlias = tuple[Query, Query]
"""When something holds and when it fails."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """Two queries. No document matches both; one that matches neither is unknown."""

    is_true: Query
    is_false: Query


def compile_rule(rule: Rule, *, on: date) -> CompiledRule:
    """A resolved rule, as judged on that day. Raises `UnresolvedRule` for pay that is not known."""
    return compile_normal(normal(rule), on=on)


def compile_normal(node: Literal | Quorum, *, on: date) -> CompiledRule:
    """A rule, or a part of one, in normal form."""
    if isinstance(node, Literal):
        holds, fails = _criterion(node.criterion, on)
        return CompiledRule(holds, fails) if node.wanted else CompiledRule(fails, holds)
    parts = [compile_normal(part, on=on) for part in node.of]
    return CompiledRule(
        is_true=_at_least(node.n, [part.is_true for part in parts]),
        is_false=_at_least(len(parts) - node.n + 1, [part.is_false for part in parts]),
    )


def _criterion(criterion: Criterion, on: date) -> Conditions:
    match criterion:
        case Compare():
            return _compare(criterion)
        case HasSkill():
            return _has_skill(criterion, on)
        case HasLanguage(language, min_level):
            enough = _keyed(LANGUAGE.index_fields[0], language, str(min_level), str(len(CEFR)))
            return _if_known(Exists(field=LANGUAGE.index_fields[0]), enough)
        case MayWorkIn(country):
            valid = _keyed(WORK_AUTHORISATION.index_fields[0], country, on.isoformat(), ENDLESS)
            return _if_known(Exists(field=WORK_AUTHORISATION.index_fields[0]), valid)
        case LivesIn():
            return _lives_in(criterion)
        case HoursOverlap():
            return _if_known(Exists(field=WORKING_HOURS.index_fields[0]), _overlap(criterion, on))
        case RateWithinPay():
            return _rate_within_pay(criterion)
        case Vetted(check):
            result = f"{VETTING.index_fields[0]}.{check}"
            passed = _is(f"{result}.passed", "true")
            return _if_known(
                Exists(field=f"{result}.passed"), _all(passed, _keyed(result, "until", on.isoformat(), ENDLESS))
            )
    raise TypeError(criterion)


# Comparisons


def _compare(criterion: Compare) -> Conditions:
    attribute, field = criterion.attribute, criterion.attribute.index_field
    known = Exists(field=field)
    if criterion.op is Operator.EXISTS:
        return (known, _none(known)) if criterion.value else (_none(known), known)
    holds = _COMPARISONS[criterion.op](field, _operand(attribute.kind, criterion.value))
    return _if_known(known, holds) if attribute.missing is Missing.UNKNOWN else (holds, _none(holds))


def _operand(kind: Kind, value: object) -> Any:
    return [encoded(kind, one) for one in value] if isinstance(value, tuple) else encoded(kind, value)


def _is(field: str, value: Any) -> Query:
    return Term(field, {"value": value})


def _bound(name: str) -> Callable[[str, Any], Query]:
    return lambda field, value: Range(field, {name: value})


# A field of several values matches where one of them does, which is what `eq` and `in` ask of such an attribute.
_COMPARISONS: Mapping[Operator, Callable[[str, Any], Query]] = {
    Operator.EQ: _is,
    Operator.IN: Terms,
    Operator.LT: _bound("lt"),
    Operator.LTE: _bound("lte"),
    Operator.GT: _bound("gt"),
    Operator.GTE: _bound("gte"),
    Operator.BETWEEN: lambda field, ends: Range(field, {"gte": ends[0], "lte": ends[1]}),
}


# Structures


def _has_skill(criterion: HasSkill, on: date) -> Conditions:
    """It holds where one accepted skill meets everything, and fails where each of them is known to miss something."""
    field = SKILL.index_fields[0]
    meets: list[Query] = []
    misses: list[Query] = []
    if criterion.min_years is not None:
        years = scaled(criterion.min_years)
        meets.append(Range(f"{field}.years", {"gte": years}))
        misses.append(Range(f"{field}.years", {"lt": years}))
    if criterion.used_within_months is not None:
        since = months_before(on, criterion.used_within_months).isoformat()
        meets.append(Range(f"{field}.last_used", {"gte": since}))
        misses.append(Range(f"{field}.last_used", {"lt": since}))
    accepted = [Terms(f"{field}.id", criterion.accepted), Range(f"{field}.level", {"gte": criterion.min_level})]
    holds = Nested(path=field, query=_all(*accepted, *meets))
    may_hold = Nested(path=field, query=Bool(filter=accepted, must_not=misses)) if misses else holds
    return holds, _none(may_hold)


def _lives_in(criterion: LivesIn) -> Conditions:
    """Somebody whose region is not known may live in any of their country's."""
    country, region = PLACE.index_fields
    here = Terms(LIVES_IN, criterion.places)
    fails = [Exists(field=LIVES_IN)]
    countries_of_regions = sorted({place[:2] for place in criterion.places if "-" in place})
    unclear = _all(Terms(country, countries_of_regions), _none(Exists(field=region)))
    return here, Bool(filter=fails, must_not=[here, unclear] if countries_of_regions else [here])


def _overlap(criterion: HoursOverlap, on: date) -> Query:
    """`longest_overlap` of hours that are known, as conditions on when they start and end."""
    starts, length = WORKING_HOURS.index_fields
    minutes, window = criterion.minutes, criterion.length
    if window < minutes:
        return MatchNone()
    long_enough = Range(length, {"gte": minutes})
    if window >= DAY_MINUTES:
        return long_enough
    opens = criterion.starts_utc(on)
    turns = [
        _all(
            Range(starts, {"lte": opens + turn + window - minutes}),
            Range(WORK_ENDS_UTC, {"gte": opens + turn + minutes}),
        )
        for turn in (-DAY_MINUTES, 0, DAY_MINUTES)
    ]
    return _all(long_enough, _any(Range(length, {"gte": DAY_MINUTES}), *turns))


def _rate_within_pay(criterion: RateWithinPay) -> Conditions:
    """Where somebody lives decides which pay counts. One person of each class of places is put to `pay_range`."""
    holds: list[Query] = []
    fails: list[Query] = []
    for place, resident in _classes({one.place for one in criterion.ceilings or ()} - {""}):
        low, high = pay_range(criterion.ceilings, resident)
        if low != NO_RATE:
            holds.append(place if low == ANY_RATE else _all(place, _asks({"lte": scaled(low)})))
        if high != ANY_RATE:
            fails.append(place if high == NO_RATE else _all(place, _asks({"gt": scaled(high)})))
    return _at_least(1, holds), _at_least(1, fails)


def _classes(named: set[str]) -> Iterator[tuple[Query, CandidateFacts]]:
    """The classes of places between which pay by these places can differ, each with a person of it."""
    _, country, region = PAY.index_fields
    regions = sorted(place for place in named if "-" in place)
    countries = sorted({place[:2] for place in named})
    region_known, country_known = Exists(field=region), Exists(field=country)
    for name in regions:
        yield _is(region, name), CandidateFacts(0, region=name)
    for name in countries:
        another_region = Bool(filter=[_is(LIVES_IN, name), region_known], must_not=[Terms(region, regions)])
        yield another_region, CandidateFacts(0, region=f"{name}-?")
        yield Bool(filter=[_is(country, name)], must_not=[region_known]), CandidateFacts(0, country=name)
    yield Bool(filter=[region_known], must_not=[Terms(LIVES_IN, countries)]), CandidateFacts(0, region="??-?")
    yield (
        Bool(filter=[country_known], must_not=[region_known, Terms(country, countries)]),
        CandidateFacts(0, country="??"),
    )
    yield _none(region_known, country_known), CandidateFacts(0)


def _asks(bounds: dict[str, int]) -> Query:
    return Range(PAY.index_fields[0], bounds)


# Combinations


def _keyed(field: str, key: str, low: str, high: str) -> Query:
    """What a flattened field holds under a key, within bounds that are compared as texts. It takes both bounds."""
    return Range(f"{field}.{key}", {"gte": low, "lte": high})


def _if_known(known: Query, holds: Query) -> Conditions:
    return holds, Bool(filter=[known], must_not=[holds])


def _all(*queries: Query) -> Query:
    return Bool(filter=queries)


def _any(*queries: Query) -> Query:
    return Bool(should=queries, minimum_should_match=1)


def _none(*queries: Query) -> Query:
    return Bool(must_not=queries)


def _at_least(n: int, queries: Sequence[Query]) -> Query:
    if n <= 0:
        return MatchAll()
    if n > len(queries):
        return MatchNone()
    if n == len(queries):
        return _all(*queries)
    return Bool(should=queries, minimum_should_match=n)
