"""The SQL evaluator: an eligibility rule as Django expressions over the candidate projection.

Every criterion compiles to two conditions, `is_true` and `is_false`, each of which is itself true or false and never
null; where neither holds, a fact is missing. Negation only swaps the two, so nothing above a leaf is ever negated:
`~Q` and `exclude` over a nullable column would turn unknown into true. `matching.core.truth` is the specification,
and the conformance tests hold the two together.

Conditions on skills read `skill_ids @> {…}`, which `projection_skills_idx` serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import add, and_, or_
from typing import TypeAlias, cast

from django.db.models import Case, CharField, DateField, DecimalField, IntegerField, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThanOrEqual, IsNull, LessThan

from matching.core.attributes import LANGUAGE, SEVERAL, SKILL, WORK_AUTHORISATION, Kind, Missing, Operator
from matching.core.eligibility import Outcome
from matching.core.rules import Compare, Criterion, HasLanguage, HasSkill, Literal, MayWorkIn, Quorum, Rule, normal
from matching.models import CandidateProjection

Projections: TypeAlias = QuerySet[CandidateProjection]

SKILL_IDS = "skill_ids"
YEARS = DecimalField(max_digits=4, decimal_places=1)

Conditions: TypeAlias = tuple[Q, Q]
"""When something holds and when it fails."""

ALWAYS = Q(pk__isnull=False)
NEVER = Q(pk__in=())


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
        return CompiledRule(
            is_true=_at_least(node.n, [part.is_true for part in parts]),
            is_false=_at_least(len(parts) - node.n + 1, [part.is_false for part in parts]),
        )

    def criterion(self, criterion: Criterion) -> Conditions:
        """When it holds and when it fails."""
        match criterion:
            case Compare():
                return self.several(criterion) if criterion.attribute.kind in SEVERAL else self.single(criterion)
            case HasSkill():
                return self.skill(criterion)
            case HasLanguage(language, min_level):
                level = Cast(KeyTextTransform(language, LANGUAGE.column), IntegerField())
                here, absent = self.key(LANGUAGE.column, language)
                enough = Q(GreaterThanOrEqual(level, min_level))
                return self.guard(here) & enough, absent | (here & Q(LessThan(level, min_level)))
            case MayWorkIn(country):
                last_day = KeyTextTransform(country, WORK_AUTHORISATION.column)
                here, absent = self.key(WORK_AUTHORISATION.column, country)
                endless, ends = Q(IsNull(last_day, True)), Q(IsNull(last_day, False))
                day = Cast(last_day, DateField())
                valid = endless | (ends & Q(GreaterThanOrEqual(day, self.on)))
                return here & valid, absent | (here & ends & Q(LessThan(day, self.on)))
        raise TypeError(criterion)

    def key(self, column: str, key: str) -> Conditions:
        """Whether a mapping has the key; whether it has others, but not this."""
        has = Q(**{f"{column}__has_key": key})
        return has, ~Q(**{f"{column}": {}}) & ~has  # never null: the columns have no nulls

    def skill(self, criterion: HasSkill) -> Conditions:
        has = Q(**{f"{SKILL_IDS}__contains": [criterion.skill_id]})
        holds, fails = has, ~has  # never null, likewise
        fact = KeyTransform(str(criterion.skill_id), SKILL.column)
        known_level = has
        if criterion.min_level > 1:
            level = Cast(KeyTextTransform("level", fact), IntegerField())
            known_level = has & Q(GreaterThanOrEqual(level, criterion.min_level))
            holds, fails = known_level, fails | (has & Q(LessThan(level, criterion.min_level)))
        if criterion.min_years is not None:
            text = KeyTextTransform("years", fact)
            known, number = Q(IsNull(text, False)), Cast(text, YEARS)
            holds = known_level & self.guard(known) & Q(GreaterThanOrEqual(number, criterion.min_years))
            fails = fails | (known_level & known & Q(LessThan(number, criterion.min_years)))
        return holds, fails

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
