"""The grammar of an eligibility rule: what a stored rule means, as values.

A rule is a tree. Its leaves are *criteria*, each about one fact of a candidate; its inner nodes combine them.
`All(())` is the empty rule, open to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, cast

from matching.core.attributes import ATTRIBUTES, SEVERAL, Attribute, Operator, Value, cefr_level, plain_number

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Disclosure(StrEnum):
    """To whom a criterion may be shown; also names an audience. Each audience sees what those before it see."""

    PUBLIC = "public"
    ORGANISATION = "organisation"
    STAFF = "staff"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def is_open_to(self, audience: Disclosure) -> bool:
        return self.rank <= audience.rank


_RANKS = {disclosure: rank for rank, disclosure in enumerate(Disclosure)}


@dataclass(frozen=True, slots=True)
class All:
    of: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Any:
    of: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


@dataclass(frozen=True, slots=True)
class AtLeast:
    n: int
    of: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A declared attribute against a value: one `Value`; a sorted tuple for `in`; (low, high) for `between`; a
    bool for `exists`."""

    name: str
    op: Operator
    value: Value | tuple[Value, ...] | bool
    disclosure: Disclosure = Disclosure.PUBLIC

    @property
    def attribute(self) -> Attribute:
        return ATTRIBUTES[self.name]


@dataclass(frozen=True, slots=True)
class HasSkill:
    skill_id: int
    min_level: int = 1  # 1–5
    min_years: Decimal | None = None
    disclosure: Disclosure = Disclosure.PUBLIC


@dataclass(frozen=True, slots=True)
class HasLanguage:
    language: str
    min_level: int = 1  # rank of the CEFR level, A1 = 1
    disclosure: Disclosure = Disclosure.PUBLIC


@dataclass(frozen=True, slots=True)
class MayWorkIn:
    """Work authorisation for a country, valid on the day judged."""

    country: str
    disclosure: Disclosure = Disclosure.PUBLIC


Criterion: TypeAlias = Compare | HasSkill | HasLanguage | MayWorkIn
Rule: TypeAlias = All | Any | Not | AtLeast | Criterion

OPEN_TO_ALL = All(())


def children(rule: Rule) -> tuple[Rule, ...]:
    match rule:
        case All(of) | Any(of) | AtLeast(_, of):
            return of
        case Not(inner):
            return (inner,)
    return ()


def criteria(rule: Rule) -> Iterator[Criterion]:
    """The leaves, in the order written."""
    if isinstance(rule, Criterion):
        yield rule
    for child in children(rule):
        yield from criteria(child)


def skill_ids(rule: Rule) -> frozenset[int]:
    """Every skill that the rule names."""
    return frozenset(criterion.skill_id for criterion in criteria(rule) if isinstance(criterion, HasSkill))


def with_merges(rule: Rule, merged_into: Mapping[int, int]) -> Rule:
    """The rule with every merged skill replaced by the one that it became, however many merges later.

    A circle of merges, which the database forbids, leaves the skill as it is.
    """
    match rule:
        case All(of):
            return All(tuple(with_merges(child, merged_into) for child in of))
        case Any(of):
            return Any(tuple(with_merges(child, merged_into) for child in of))
        case AtLeast(n, of):
            return AtLeast(n, tuple(with_merges(child, merged_into) for child in of))
        case Not(inner):
            return Not(with_merges(inner, merged_into))
        case HasSkill(skill_id):
            seen, survivor = {skill_id}, skill_id
            while survivor in merged_into:
                survivor = merged_into[survivor]
                if survivor in seen:
                    return rule
                seen.add(survivor)
            return replace(rule, skill_id=survivor)
    return rule


def dump(rule: Rule) -> dict[str, Json]:
    """The rule as canonical JSON: `load` gives the same rule back, and equal rules give equal JSON."""
    match rule:
        case All(()):
            return {}
        case All(of):
            return {"all": [dump(child) for child in of]}
        case Any(of):
            return {"any": [dump(child) for child in of]}
        case Not(inner):
            return {"not": dump(inner)}
        case AtLeast(n, of):
            return {"atLeast": {"n": n, "of": [dump(child) for child in of]}}
    return dump_criterion(rule)


def dump_criterion(criterion: Criterion) -> dict[str, Json]:
    node: dict[str, Json]
    match criterion:
        case Compare(name, op, value):
            node = {"attribute": name, "op": op.value, "value": plain(value)}
        case HasSkill(skill_id, min_level, min_years):
            node = {"skill": skill_id, "minLevel": min_level}
            if min_years is not None:
                node["minYears"] = plain_number(min_years)
        case HasLanguage(language, min_level):
            node = {"language": language, "minLevel": cefr_level(min_level)}
        case MayWorkIn(country):
            node = {"workAuthorisation": country}
    if criterion.disclosure is not Disclosure.PUBLIC:
        node["disclosure"] = criterion.disclosure.value
    return node


def plain(value: Value | Iterable[Value] | bool | None) -> Json:
    """A value, or several, as JSON."""
    match value:
        case None | bool() | str():
            return value
        case int() | Decimal():
            return plain_number(value)
        case date():
            return value.isoformat()
        case frozenset():
            return [plain(item) for item in sorted(cast("frozenset[str]", value))]
    return [plain(item) for item in value]


def compared(attribute: Attribute, op: Operator, value: object, has: object) -> bool:
    """Whether a fact that is there satisfies a comparison. `exists` is judged elsewhere: it needs no fact."""
    if attribute.kind in SEVERAL:
        return value in has if op is Operator.EQ else not has.isdisjoint(value)  # type: ignore
    return _COMPARE[op](has, value)


_COMPARE = {
    Operator.EQ: lambda has, value: has == value,
    Operator.IN: lambda has, value: has in value,
    Operator.LT: lambda has, value: has < value,
    Operator.LTE: lambda has, value: has <= value,
    Operator.GT: lambda has, value: has > value,
    Operator.GTE: lambda has, value: has >= value,
    Operator.BETWEEN: lambda has, value: value[0] <= has <= value[1],
}
