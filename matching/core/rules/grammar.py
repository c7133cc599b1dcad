"""The grammar of an eligibility rule: what a stored rule means, as values.

A rule is a tree. Its leaves are *criteria*, each about one fact of a candidate; its inner nodes combine them.
`All(())` is the empty rule, open to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from matching.core.attributes import SEVERAL, Attribute, Operator, Subject, Value, cefr_level, plain_number
from matching.core.clock import DAY_MINUTES, utc_offset_minutes
from matching.core.facts import HUNG
from matching.core.opportunity_attributes import DECLARED, SKILL_ATTRIBUTES

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
    subject: Subject = Subject.CANDIDATE  # whose attribute; its JSON is read by those who know

    @property
    def attribute(self) -> Attribute:
        return DECLARED[self.subject][self.name]

    @property
    def skills(self) -> tuple[int, ...]:
        """The skills that it names, by inner id."""
        if self.subject is not Subject.OPPORTUNITY or self.name not in SKILL_ATTRIBUTES or self.op is Operator.EXISTS:
            return ()
        return cast("tuple[int, ...]", self.value if isinstance(self.value, tuple) else (self.value,))


@dataclass(frozen=True, slots=True)
class HasSkill:
    """One skill that meets everything asked. With `narrower`, any narrower kind of it counts like itself: `counted`
    holds their ids once the rule is resolved."""

    skill_id: int
    min_level: int = 1  # 1–5
    min_years: Decimal | None = None
    used_within_months: int | None = None
    narrower: bool = False
    disclosure: Disclosure = Disclosure.PUBLIC
    counted: tuple[int, ...] = ()

    @property
    def accepted(self) -> tuple[int, ...]:
        """The skills of which one will do."""
        return (self.skill_id, *self.counted)


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


@dataclass(frozen=True, slots=True)
class LivesIn:
    """Residence in one of these places, each a country (ISO 3166-1) or a region (ISO 3166-2), in order. A region lies
    in the country that its code begins with. Excluded places are those of `not`."""

    places: tuple[str, ...]
    disclosure: Disclosure = Disclosure.PUBLIC


@dataclass(frozen=True, slots=True)
class HoursOverlap:
    """Working hours that share `minutes` on end with a daily window, given by a zone's own clock. A window that ends
    before it starts runs over midnight; equal ends are the whole day."""

    minutes: int
    timezone: str  # IANA name
    starts_minute: int  # after midnight, local
    ends_minute: int
    disclosure: Disclosure = Disclosure.PUBLIC

    @property
    def length(self) -> int:
        return (self.ends_minute - self.starts_minute) % DAY_MINUTES or DAY_MINUTES

    def starts_utc(self, on: date) -> int:
        """When the window starts on a day, in minutes after midnight UTC. A zone that is gone counts as UTC."""
        return (self.starts_minute - (utc_offset_minutes(self.timezone, on) or 0)) % DAY_MINUTES


class PayCeiling(NamedTuple):
    """The most that a band pays, for a place (region, country, or empty for everywhere else)."""

    place: str
    hourly: Decimal | None  # EUR an hour; None where the band has no hourly figure, such as a project's


@dataclass(frozen=True, slots=True)
class RateWithinPay:
    """The rate asked is at most what the opportunity pays where the person lives: the band of their region, else of
    their country, else of everywhere else. A band without an hourly figure asks for nothing; where no band holds, no
    rate will do. `ceilings` come with resolving; None before."""

    disclosure: Disclosure = Disclosure.PUBLIC
    ceilings: tuple[PayCeiling, ...] | None = None


@dataclass(frozen=True, slots=True)
class Vetted:
    """A check that was passed and has not run out on the day judged."""

    check: str
    disclosure: Disclosure = Disclosure.PUBLIC


Criterion: TypeAlias = Compare | HasSkill | HasLanguage | MayWorkIn | LivesIn | HoursOverlap | RateWithinPay | Vetted
Rule: TypeAlias = All | Any | Not | AtLeast | Criterion

OPEN_TO_ALL = All(())
OPEN_TO_NOBODY = Any(())
"""What stands for a stored rule that cannot be read any more. Nobody can set it."""


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


_STRUCTURED: Mapping[type, str] = MappingProxyType(
    {HasSkill: "skills", HasLanguage: "languages", MayWorkIn: "work_authorisations", Vetted: "vetting"}
)


def facts_asked(rule: Rule) -> frozenset[str]:
    """What the rule, about candidates, asks of the facts that hang on them (`matching.core.facts.HUNG`)."""
    asked = {one.attribute.fact if isinstance(one, Compare) else _STRUCTURED.get(type(one)) for one in criteria(rule)}
    return frozenset(fact for fact in asked if fact in HUNG)


def skills_counted(rule: Rule) -> frozenset[int]:
    """Every skill that may do for a criterion of the rule, which is resolved."""
    return frozenset(pk for one in criteria(rule) if isinstance(one, HasSkill) for pk in one.accepted)


def skill_ids(rule: Rule) -> frozenset[int]:
    """Every skill that the rule names."""
    found: set[int] = set()
    for criterion in criteria(rule):
        if isinstance(criterion, HasSkill):
            found.add(criterion.skill_id)
        elif isinstance(criterion, Compare):
            found.update(criterion.skills)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a stored rule refers to and does not hold itself: what merged skills became, which skills are narrower
    kinds of others (by surviving id, transitively), and what the opportunity pays."""

    merged_into: Mapping[int, int] = field(default_factory=dict)
    narrower: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ceilings: tuple[PayCeiling, ...] | None = None


def resolved(rule: Rule, grounds: Grounds) -> Rule:
    """The rule ready to be judged: every merged skill replaced by the one that it became, narrower skills counted,
    the pay known. A circle of merges, which the database forbids, leaves the skill as it is."""
    match rule:
        case All(of):
            return All(tuple(resolved(child, grounds) for child in of))
        case Any(of):
            return Any(tuple(resolved(child, grounds) for child in of))
        case AtLeast(n, of):
            return AtLeast(n, tuple(resolved(child, grounds) for child in of))
        case Not(inner):
            return Not(resolved(inner, grounds))
        case HasSkill(skill_id):
            survivor = _survivor(skill_id, grounds.merged_into)
            counted = grounds.narrower.get(survivor, ()) if rule.narrower else ()
            return replace(rule, skill_id=survivor, counted=counted)
        case RateWithinPay():
            return replace(rule, ceilings=grounds.ceilings)
        case Compare(_, op) if rule.skills:
            became = {_survivor(skill_id, grounds.merged_into) for skill_id in rule.skills}
            return replace(rule, value=tuple(sorted(became)) if op is Operator.IN else became.pop())
    return rule


def _survivor(skill_id: int, merged_into: Mapping[int, int]) -> int:
    seen, survivor = {skill_id}, skill_id
    while survivor in merged_into:
        survivor = merged_into[survivor]
        if survivor in seen:
            return skill_id
        seen.add(survivor)
    return survivor


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
        case HasSkill(skill_id, min_level, min_years, months, narrower):
            node = {"skill": skill_id, "minLevel": min_level}
            if min_years is not None:
                node["minYears"] = plain_number(min_years)
            if months is not None:
                node["usedWithinMonths"] = months
            if narrower:
                node["narrower"] = True
        case HasLanguage(language, min_level):
            node = {"language": language, "minLevel": cefr_level(min_level)}
        case MayWorkIn(country):
            node = {"workAuthorisation": country}
        case LivesIn(places):
            node = {"livesIn": list(places)}
        case HoursOverlap(minutes, timezone, starts, ends):
            window: dict[str, Json] = {"timezone": timezone, "from": clock_text(starts), "to": clock_text(ends)}
            node = {"hoursOverlap": {"minutes": minutes, **window}}
        case RateWithinPay():
            node = {"rateWithinPay": True}
        case Vetted(check):
            node = {"vetted": check}
    if criterion.disclosure is not Disclosure.PUBLIC:
        node["disclosure"] = criterion.disclosure.value
    return node


def clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


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
