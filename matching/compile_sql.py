"""The SQL evaluator: an eligibility rule as Django expressions over the candidate projection.

Every criterion compiles to two conditions, `is_true` and `is_false`, each of which is itself true or false and never
null; where neither holds, a fact is missing. Negation only swaps the two, so nothing above a leaf is ever negated:
`~Q` and `exclude` over a nullable column would turn unknown into true. `matching.core.truth` is the specification,
and the conformance tests hold the two together.

Whatever asks for skills reads `skill_ids @> {…}` or `skill_ids && {…}`, which `projection_skills_idx` serves; what is
asked of the skill besides is read from its JSON for those whom the index finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import combinations
from math import comb
from operator import add, and_, or_
from typing import Any, TypeAlias, cast

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Expression,
    F,
    FloatField,
    Func,
    IntegerField,
    JSONField,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import GreaterThanOrEqual, In, IsNull, LessThan

from matching.core.attributes import (
    LANGUAGE,
    SEVERAL,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    Kind,
    Missing,
    Operator,
)
from matching.core.clock import DAY_MINUTES, months_before
from matching.core.eligibility import Outcome
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
    PayCeiling,
    Quorum,
    RateWithinPay,
    Rule,
    Vetted,
    normal,
)
from matching.core.truth import ANY_RATE, NO_RATE, pay_range

Projections: TypeAlias = QuerySet[Any]
"""Rows of a projection: of candidates, or of opportunities for rules about these."""

Conditions: TypeAlias = tuple[Q, Q]
"""When something holds and when it fails."""

ALWAYS = Q(pk__isnull=False)
NEVER = Q(pk__isnull=True)

BOOL = BooleanField()

MOST_CHOICES = 16
"""Of n criteria among k that are written out, each to be looked up in the index on skills; more are counted."""

NO_END = Value("9999-12-31", output_field=TextField())
"""Stands for the last day of what does not run out. JSON holds days in ISO form, which sorts as text."""

HAS_COUNTRY = Q(country__isnull=False, country__gt="")
HAS_REGION = Q(region__isnull=False, region__gt="")
NO_REGION = Q(region__isnull=True) | Q(region="")

WORK_ENDS = F("work_starts_utc") + F("work_minutes")
"""Minutes after the midnight before the working day starts, UTC; beyond 1440 where it runs over the next."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """Two conditions, neither ever null. No row meets both; one that meets neither is unknown."""

    is_true: Q
    is_false: Q

    @property
    def outcome(self) -> Case:
        """`Outcome` as a column, for annotations and counts."""
        return Case(
            When(self.is_true, then=Value(Outcome.ELIGIBLE.value)),
            When(self.is_false, then=Value(Outcome.INELIGIBLE.value)),
            default=Value(Outcome.UNKNOWN.value),
            output_field=CharField(),
        )


def eligible(rows: Projections, rule: Rule, *, on: date) -> Projections:
    """Those that the rule surely accepts on that day.

    A filter drops null like false, and nothing above a leaf is negated; so conditions here go without the guards
    against null that `compile_rule` sets, which a scan would pay for row by row.
    """
    return rows.filter(_Compiler(on, guarded=False).compiled(normal(rule)).is_true)


def with_outcome(rows: Projections, rule: Rule, *, on: date) -> Projections:
    """The rows with their `outcome`."""
    return rows.annotate(outcome=compile_rule(rule, on=on).outcome)


def compile_rule(rule: Rule, *, on: date) -> CompiledRule:
    """For querysets of `CandidateProjection` itself: over a join, a candidate without projection would be all nulls."""
    return compile_normal(normal(rule), on=on)


def compile_normal(node: Literal | Quorum, *, on: date) -> CompiledRule:
    """A rule, or a part of one, in normal form."""
    return _Compiler(on).compiled(node)


@dataclass(frozen=True, slots=True)
class _Compiler:
    on: date
    guarded: bool = True

    def guard(self, known: Q) -> Q:
        """What keeps a condition from being null, where that is asked for."""
        return known if self.guarded else Q()

    def compiled(self, node: Literal | Quorum) -> CompiledRule:
        if isinstance(node, Literal):
            holds, fails = self.criterion(node.criterion)
            return CompiledRule(holds, fails) if node.wanted else CompiledRule(fails, holds)
        parts = [self.compiled(part) for part in node.of]
        trues, falses = [part.is_true for part in parts], [part.is_false for part in parts]
        is_true = _at_least(node.n, trues)
        if 1 < node.n < len(parts) and (needed := _skills_needed(node)):  # no index serves a sum of conditions
            few = comb(len(parts), node.n) <= MOST_CHOICES and all(isinstance(part, Literal) for part in node.of)
            choices = (reduce(and_, choice) for choice in combinations(trues, node.n))
            is_true = reduce(or_, choices) if few else needed & is_true
        return CompiledRule(is_true, _at_least(len(parts) - node.n + 1, falses))

    def criterion(self, criterion: Criterion) -> Conditions:
        """When it holds and when it fails."""
        match criterion:
            case Compare():
                return self.several(criterion) if criterion.attribute.kind in SEVERAL else self.single(criterion)
            case HasSkill():
                return self.skill(criterion)
            case HasLanguage(language, min_level):
                level = Coalesce(_whole(KeyTextTransform(language, LANGUAGE.column)), 0)
                fails = ~Q(languages={}) & Q(LessThan(level, min_level))
                return Q(GreaterThanOrEqual(level, min_level)), fails
            case MayWorkIn(country):
                last_day = Coalesce(KeyTextTransform(country, WORK_AUTHORISATION.column), NO_END)
                here, on = Q(work_authorisations__has_key=country), self.on.isoformat()
                fails = ~Q(work_authorisations={}) & (~here | Q(LessThan(last_day, on)))
                return here & Q(GreaterThanOrEqual(last_day, on)), fails
            case Vetted(check):
                last_day = Coalesce(KeyTextTransform("until", KeyTransform(check, VETTING.column)), NO_END)
                passed, on = Q(vetting__contains={check: {"passed": True}}), self.on.isoformat()
                fails = Q(vetting__has_key=check) & (~passed | Q(LessThan(last_day, on)))
                return passed & Q(GreaterThanOrEqual(last_day, on)), fails
            case LivesIn(places):
                return self.place(places)
            case HoursOverlap():
                return self.hours(criterion)
            case RateWithinPay(_, ceilings):
                return self.pay(ceilings)
        raise TypeError(criterion)

    def skill(self, criterion: HasSkill) -> Conditions:
        several = len(criterion.accepted) > 1
        has = _has(criterion.accepted)
        demands = self.demands(criterion, HELD_FACT if several else KeyTransform(str(criterion.skill_id), SKILL.column))
        if not demands:
            return has, ~has  # never null: the columns have no nulls
        enough, short = reduce(and_, (met for met, _ in demands)), reduce(or_, (unmet for _, unmet in demands))
        if not several:
            return has & enough, ~has | (has & short)
        return has & _some_skill(criterion.accepted, enough), ~has | ~_some_skill(criterion.accepted, ~short)

    def demands(self, criterion: HasSkill, fact: Expression) -> list[Conditions]:
        """What is asked of a skill besides being there, of its JSON."""
        level, years, last_used = (KeyTextTransform(name, fact) for name in ("level", "years", "last_used"))
        demands = []
        if criterion.min_level > 1:
            demands.append(_at_least_value(_whole(level), criterion.min_level))
        if criterion.min_years is not None:
            demands.append(self.known_to_be(years, Cast(years, FloatField()), criterion.min_years))
        if criterion.used_within_months is not None:
            since = months_before(self.on, criterion.used_within_months)
            demands.append(self.known_to_be(last_used, last_used, since.isoformat()))
        return demands

    def known_to_be(self, stored: Expression, value: Expression, least: object) -> Conditions:
        """Whether what is stored, read as a value, is there and high enough; whether it is there and is not."""
        known, (enough, short) = Q(IsNull(stored, False)), _at_least_value(value, least)
        return self.guard(known) & enough, known & short

    def place(self, places: Sequence[str]) -> Conditions:
        """A region lies in the country that its code begins with, whatever the country column says. Written so that
        `projection_place_idx` serves it."""
        countries, regions = _countries_and_regions(places)
        inside = reduce(or_, [*map(_in_country, countries), *([Q(region__in=regions)] if regions else [])])
        undecided = {region[:2] for region in regions}
        holds = self.guard(HAS_REGION) & inside
        if countries:
            holds |= NO_REGION & self.guard(HAS_COUNTRY) & Q(country__in=countries)
        fails = HAS_REGION & ~inside
        return holds, fails | (NO_REGION & HAS_COUNTRY & ~Q(country__in={*countries, *undecided}))

    def hours(self, criterion: HoursOverlap) -> Conditions:
        """`longest_overlap` as comparisons: windows share so many minutes if each is that long and, on one of the days
        around, neither starts too late for the other's end. One round the clock meets any."""
        minutes, length, starts = criterion.minutes, criterion.length, criterion.starts_utc(self.on)
        known = Q(work_starts_utc__isnull=False, work_minutes__isnull=False)
        if length < minutes:
            return NEVER, known
        long_enough, too_short = Q(work_minutes__gte=minutes), Q(work_minutes__lt=minutes)
        if length == DAY_MINUTES:
            return self.guard(known) & long_enough, known & too_short
        meets, misses = Q(work_minutes__gte=DAY_MINUTES), Q(work_minutes__lt=DAY_MINUTES)
        for turn in (-DAY_MINUTES, 0, DAY_MINUTES):
            latest_start, earliest_end = starts + turn + length - minutes, starts + turn + minutes
            if latest_start >= 0 and earliest_end < 2 * DAY_MINUTES:
                meets |= Q(work_starts_utc__lte=latest_start) & Q(GreaterThanOrEqual(WORK_ENDS, earliest_end))
                misses &= Q(work_starts_utc__gt=latest_start) | Q(LessThan(WORK_ENDS, earliest_end))
        return self.guard(known) & long_enough & meets, known & (too_short | misses)

    def pay(self, ceilings: tuple[PayCeiling, ...] | None) -> Conditions:
        known, paid = Q(hourly_rate__isnull=False), _paid_by_place(ceilings)

        def within(low: Decimal) -> Q:
            return _ALWAYS_OR_NEVER.get(low) or self.guard(known) & Q(hourly_rate__lte=low)

        def above(high: Decimal) -> Q:
            return _ALWAYS_OR_NEVER.get(-high) or known & Q(hourly_rate__gt=high)

        return (
            _where_they_live([(where, low) for where, (low, _) in paid], within),
            _where_they_live([(where, high) for where, (_, high) in paid], above),
        )

    def single(self, criterion: Compare) -> Conditions:
        attribute, value = criterion.attribute, criterion.value
        column = attribute.column
        stored = Q(**{f"{column}__isnull": False})
        known, missing = stored, Q(**{f"{column}__isnull": True})
        if attribute.kind is Kind.CODE:  # an empty text says nothing, like null; and no code equals it
            known, missing = stored & Q(**{f"{column}__gt": ""}), missing | Q(**{column: ""})
        if criterion.op is Operator.EXISTS:
            return (known, missing) if value else (missing, known)
        holds, fails = _COMPARISONS[criterion.op](column, value)
        fails = known & fails
        return self.guard(stored) & holds, fails if attribute.missing is Missing.UNKNOWN else fails | missing

    def several(self, criterion: Compare) -> Conditions:
        attribute, value = criterion.attribute, criterion.value
        column = attribute.column
        missing = Q(**{column: []})
        known = ~missing  # the column has no nulls
        if criterion.op is Operator.EXISTS:
            return (known, missing) if value else (missing, known)
        holds = (
            Q(**{f"{column}__contains": [value]})
            if criterion.op is Operator.EQ
            else Q(**{f"{column}__overlap": list(value)})  # type: ignore[arg-type]
        )
        return holds, ~holds & known if attribute.missing is Missing.UNKNOWN else ~holds


def _ordered(lookup: str, opposite: str) -> Callable[[str, object], Conditions]:
    return lambda column, value: (Q(**{f"{column}__{lookup}": value}), Q(**{f"{column}__{opposite}": value}))


def _among(lookup: str) -> Callable[[str, object], Conditions]:
    return lambda column, value: (Q(**{f"{column}__{lookup}": value}), ~Q(**{f"{column}__{lookup}": value}))


def _between(column: str, value: object) -> Conditions:
    low, high = cast(tuple[object, object], value)
    inside = Q(**{f"{column}__gte": low, f"{column}__lte": high})
    return inside, Q(**{f"{column}__lt": low}) | Q(**{f"{column}__gt": high})


# When a comparison holds and when it fails, of a column that is known not to be null.
_COMPARISONS: Mapping[Operator, Callable[[str, object], Conditions]] = {
    Operator.EQ: _among("exact"),
    Operator.IN: _among("in"),
    Operator.LT: _ordered("lt", "gte"),
    Operator.LTE: _ordered("lte", "gt"),
    Operator.GT: _ordered("gt", "lte"),
    Operator.GTE: _ordered("gte", "lt"),
    Operator.BETWEEN: _between,
}


def _at_least(n: int, conditions: Sequence[Q]) -> Q:
    if n <= 0:
        return ALWAYS
    if n > len(conditions):
        return NEVER
    if n == len(conditions):
        return reduce(and_, conditions)
    if n == 1:
        return reduce(or_, conditions)
    met = (Case(When(condition, then=1), default=0, output_field=IntegerField()) for condition in conditions)
    return Q(GreaterThanOrEqual(reduce(add, met), n))


def _at_least_value(expression: Expression, least: object) -> Conditions:
    return Q(GreaterThanOrEqual(expression, least)), Q(LessThan(expression, least))


def _whole(text: Expression) -> Expression:
    return Cast(text, IntegerField())


# Skills


def _has(accepted: Sequence[int]) -> Q:
    return Q(**{f"skill_ids__{'overlap' if len(accepted) > 1 else 'contains'}": sorted(accepted)})


def _skills_needed(node: Literal | Quorum) -> Q | None:
    """A condition, served by the index on skills, that everybody meets whom the rule accepts. None if it accepts people
    without any skill."""
    if isinstance(node, Literal):
        return _has(node.criterion.accepted) if node.wanted and isinstance(node.criterion, HasSkill) else None
    needed = [condition for part in node.of if (condition := _skills_needed(part))]
    n = node.n - (len(node.of) - len(needed))  # as many of them are met at least, if all others are
    return reduce(and_ if n == len(needed) else or_, needed) if n > 0 else None


HELD = RawSQL("held.id", (), output_field=IntegerField())


class FactOfHeld(Func):
    """The JSON of the skill `held`."""

    template = "(%(expressions)s -> held.id::text)"
    output_field = JSONField()


HELD_FACT = FactOfHeld(SKILL.column)


class SomeHeld(Func):
    """Whether a condition on `held` is met by one of somebody's skills."""

    template = "EXISTS (SELECT FROM unnest(%(expressions)s))"
    arg_joiner = ") AS held (id) WHERE ("
    output_field = BOOL


def _some_skill(accepted: Iterable[int], condition: Q) -> Q:
    """Whether somebody has one of these skills of which the condition is true. Never null."""
    return Q(SomeHeld("skill_ids", Q(In(HELD, sorted(accepted))) & condition))


# Places and pay


def _in_country(code: str) -> Q:
    """Whether a region lies in a country; a range, which an index serves."""
    return Q(region__range=(f"{code}-", f"{code}-ZZZZ"))


def _countries_and_regions(places: Sequence[str]) -> tuple[list[str], list[str]]:
    return [place for place in places if "-" not in place], [place for place in places if "-" in place]


_ALWAYS_OR_NEVER = {ANY_RATE: ALWAYS, NO_RATE: NEVER}


def _where_they_live(pays: list[tuple[Q, Decimal]], condition: Callable[[Decimal], Q]) -> Q:
    """The condition on the pay of the first place that somebody lives in; the last is everywhere."""
    while len(pays) > 1 and pays[-2][1] == pays[-1][1]:
        del pays[-2]
    *places, (_, otherwise) = pays
    if not places:
        return condition(otherwise)
    cases = (When(where, then=condition(pay)) for where, pay in places)
    return Q(Case(*cases, default=condition(otherwise), output_field=BOOL))


def _paid_by_place(ceilings: tuple[PayCeiling, ...] | None) -> list[tuple[Q, tuple[Decimal, Decimal]]]:
    """What `pay_range` says of everybody: the first place decides that somebody lives in, as far as is known."""

    def paid(country: str | None = None, region: str | None = None) -> tuple[Decimal, Decimal]:
        return pay_range(ceilings, CandidateFacts(0, country=country, region=region))

    places = sorted({one.place for one in ceilings or ()} - {""})
    regions = _countries_and_regions(places)[1]
    countries = sorted({place[:2] for place in places})
    return [
        *((Q(region=region), paid(region=region)) for region in regions),
        *((_in_country(country), paid(region=f"{country}-")) for country in countries),
        (HAS_REGION, paid(region="--")),
        *((Q(country=country), paid(country)) for country in countries),
        (HAS_COUNTRY, paid("--")),
        (ALWAYS, paid()),
    ]
