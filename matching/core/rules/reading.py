"""From JSON to a rule, or to every fault in it with its path.

`parse` is for rules that somebody writes: it refuses whatever makes no sense. `load` is for stored ones: it checks
the form alone, so that a rule which was saved stays readable when checks are added later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import TypeVar, cast

from matching.core.attributes import (
    ATTRIBUTES,
    CEFR,
    COUNTRY_PATTERN,
    LANGUAGE_PATTERN,
    OPERATORS,
    PLACE_PATTERN,
    VETTING_CHECKS,
    BadValue,
    Operator,
    Subject,
    Value,
    cefr_rank,
    code_from,
    id_from,
    is_protected,
    number_from,
)
from matching.core.clock import DAY_MINUTES, utc_offset_minutes
from matching.core.opportunity_attributes import DECLARED
from matching.core.rules.faults import Faults, InvalidRule
from matching.core.rules.grammar import (
    OPEN_TO_ALL,
    All,
    Any,
    AtLeast,
    Compare,
    Disclosure,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    Not,
    RateWithinPay,
    Rule,
    Vetted,
)
from matching.core.rules.normal import ROOT
from matching.core.rules.soundness import check

T = TypeVar("T")
N = TypeVar("N", int, Decimal)

MAX_CRITERIA = 64
MAX_LEVELS = 8
MAX_LISTED = 200
MAX_MONTHS = 600
_ANY_DAY = date(2000, 1, 1)

_FIELDS = {
    "all": {"all"},
    "any": {"any"},
    "not": {"not"},
    "atLeast": {"atLeast"},
    "attribute": {"attribute", "op", "value", "disclosure"},
    "skill": {"skill", "minLevel", "minYears", "usedWithinMonths", "narrower", "disclosure"},
    "language": {"language", "minLevel", "disclosure"},
    "workAuthorisation": {"workAuthorisation", "disclosure"},
    "livesIn": {"livesIn", "disclosure"},
    "hoursOverlap": {"hoursOverlap", "disclosure"},
    "rateWithinPay": {"rateWithinPay", "disclosure"},
    "vetted": {"vetted", "disclosure"},
}
_KINDS = {
    Subject.CANDIDATE: tuple(_FIELDS),
    Subject.OPPORTUNITY: ("all", "any", "not", "atLeast", "attribute"),  # all that is asked of one is declared
}
_WINDOW = {"minutes", "timezone", "from", "to"}
_DISCLOSURES = frozenset(Disclosure)
_OPERATORS = frozenset(Operator)


def parse(raw: object, *, known_skills: Container[int] | None = None) -> Rule:
    """The rule that `raw`, decoded JSON, states. Raises `InvalidRule` with every fault found.

    None and {} are open to all. With `known_skills`, a skill that is not among them is a fault.
    """
    rule = load(raw, known_skills=known_skills)
    faults = Faults()
    check(rule, faults)
    faults.raise_if_any()
    return rule


def load(raw: object, *, known_skills: Container[int] | None = None, about: Subject = Subject.CANDIDATE) -> Rule:
    """The rule that `raw` states, form checked only. Raises `InvalidRule`."""
    if raw is None or raw == {}:
        return OPEN_TO_ALL
    reader = _Reader(known_skills, about)
    rule = reader.node(raw, ROOT, 1)
    reader.faults.raise_if_any()
    return cast(Rule, rule)


@dataclass
class _Reader:
    """Reads one rule, noting faults. A node that cannot be read is None, and its parent reads on."""

    known_skills: Container[int] | None
    about: Subject
    faults: Faults = field(default_factory=Faults)
    count: int = 0

    def node(self, raw: object, path: str, level: int) -> Rule | None:
        if not isinstance(raw, dict):
            return self.faults.add(path, "NOT_AN_OBJECT", "must be an object")
        if level > MAX_LEVELS:
            return self.faults.add(path, "TOO_DEEP", f"a rule has at most {MAX_LEVELS} levels")
        known = _KINDS[self.about]
        kinds = raw.keys() & set(known)
        if len(kinds) != 1:
            code = "AMBIGUOUS_NODE" if kinds else "UNKNOWN_NODE"
            return self.faults.add(path, code, f"must have exactly one of: {', '.join(known)}")
        (kind,) = kinds
        unknown = sorted(ascii(str(name)[:64]) for name in raw.keys() - _FIELDS[kind])[:5]
        if unknown:
            return self.faults.add(path, "UNKNOWN_FIELD", f"{kind} has no field {', '.join(unknown)}")
        match kind:
            case "all" | "any":
                parts = self.parts(raw[kind], f"{path}.{kind}", level)
                return (All(parts) if kind == "all" else Any(parts)) if parts is not None else None
            case "not":
                inner = self.node(raw["not"], f"{path}.not", level + 1)
                return Not(inner) if inner is not None else None
            case "atLeast":
                return self.at_least(raw["atLeast"], f"{path}.atLeast", level)
        self.count += 1
        if self.count > MAX_CRITERIA:
            if self.count == MAX_CRITERIA + 1:
                self.faults.add(path, "TOO_MANY_CRITERIA", f"a rule has at most {MAX_CRITERIA} criteria")
            return None
        return (
            self.criterion(kind, raw, path) if self.known_skills is not None else self.known_criterion(kind, raw, path)
        )

    def known_criterion(self, kind: str, raw: dict[str, object], path: str) -> Rule | None:
        """The criterion, by memory if it was read before: rules are many, and ask for the same again and again."""
        try:
            key = json.dumps(raw)
        except (TypeError, ValueError):  # no JSON, but what a caller made of it
            return self.criterion(kind, raw, path)
        known = _sound_criterion(self.about, kind, key)
        return known if known is not None else self.criterion(kind, raw, path)

    def criterion(self, kind: str, raw: dict[str, object], path: str) -> Rule | None:
        disclosure = self.disclosure(raw, path)
        criterion: Rule | None
        match kind:
            case "attribute":
                criterion = self.compare(raw, path, disclosure)
            case "skill":
                criterion = self.skill(raw, path, disclosure)
            case "language":
                criterion = self.language(raw, path, disclosure)
            case "livesIn":
                criterion = self.lives_in(raw[kind], f"{path}.livesIn", disclosure)
            case "hoursOverlap":
                criterion = self.hours_overlap(raw[kind], f"{path}.hoursOverlap", disclosure)
            case "rateWithinPay":
                criterion = RateWithinPay(disclosure)
                if raw[kind] is not True:
                    criterion = self.faults.add(f"{path}.rateWithinPay", "WRONG_TYPE", "must be true")
            case "vetted":
                name = raw[kind]
                criterion = Vetted(name, disclosure) if isinstance(name, str) else None
                if name not in VETTING_CHECKS:
                    problem = f"must be one of: {', '.join(VETTING_CHECKS)}"
                    criterion = self.faults.add(f"{path}.vetted", "UNKNOWN_CHECK", problem)
            case _:
                country = self.value(
                    f"{path}.workAuthorisation", lambda: code_from(raw[kind], COUNTRY_PATTERN, "country")
                )
                criterion = MayWorkIn(country, disclosure) if country is not None else None
        return criterion

    def parts(self, raw: object, path: str, level: int) -> tuple[Rule, ...] | None:
        if not isinstance(raw, list | tuple):
            return self.faults.add(path, "WRONG_TYPE", "must be a list")
        if not raw:
            return self.faults.add(path, "EMPTY_GROUP", "must hold at least one criterion")
        if len(raw) > MAX_CRITERIA:
            return self.faults.add(path, "TOO_MANY_CRITERIA", f"a rule has at most {MAX_CRITERIA} criteria")
        read = [self.node(part, f"{path}[{place}]", level + 1) for place, part in enumerate(raw)]
        parts = tuple(part for part in read if part is not None)
        return parts if len(parts) == len(read) else None

    def at_least(self, raw: object, path: str, level: int) -> Rule | None:
        if not isinstance(raw, dict):
            return self.faults.add(path, "NOT_AN_OBJECT", "must be an object with n and of")
        if raw.keys() != {"n", "of"}:
            return self.faults.add(path, "UNKNOWN_FIELD", "must have n and of, and nothing else")
        parts = self.parts(raw["of"], f"{path}.of", level)
        n = self.value(f"{path}.n", lambda: _count(raw["n"]))
        if n is not None and isinstance(raw["of"], list | tuple) and raw["of"] and not 1 <= n <= len(raw["of"]):
            return self.faults.add(f"{path}.n", "BAD_COUNT", f"must be from 1 to {len(raw['of'])}")
        return AtLeast(n, parts) if n is not None and parts is not None else None

    def compare(self, raw: dict[str, object], path: str, disclosure: Disclosure) -> Rule | None:
        name, value_path = raw["attribute"], f"{path}.value"
        if not isinstance(name, str):
            return self.faults.add(f"{path}.attribute", "WRONG_TYPE", "must be a text")
        attribute = DECLARED[self.about].get(name)
        if attribute is None:
            if is_protected(name[:200]):
                problem = "names a protected characteristic, which no rule may ask about"
                return self.faults.add(f"{path}.attribute", "PROTECTED_ATTRIBUTE", problem)
            problem = f"{name[:64]!a} is no declared attribute"
            return self.faults.add(f"{path}.attribute", "UNDECLARED_ATTRIBUTE", problem)
        raw_op, raw_value = raw.get("op"), raw.get("value")
        if not isinstance(raw_op, str) or raw_op not in _OPERATORS:
            return self.faults.add(f"{path}.op", "UNKNOWN_OPERATOR", f"must be one of: {', '.join(Operator)}")
        op = Operator(raw_op)
        if op not in OPERATORS[attribute.kind]:
            allowed = ", ".join(OPERATORS[attribute.kind])
            return self.faults.add(f"{path}.op", "OPERATOR_DOES_NOT_APPLY", f"{name} can be asked: {allowed}")
        if op is Operator.EXISTS:
            if not isinstance(raw_value, bool):
                return self.faults.add(value_path, "WRONG_TYPE", "must be true or false")
            return Compare(name, op, raw_value, disclosure, self.about)
        if op not in (Operator.IN, Operator.BETWEEN):
            value = self.value(value_path, lambda: attribute.parse(raw_value))
            return Compare(name, op, value, disclosure, self.about) if value is not None else None
        values = self.values(raw_value, value_path, attribute.parse)
        if values is None:
            return None
        if op is Operator.IN:
            return Compare(name, op, tuple(sorted(set(values))), disclosure, self.about)
        if len(values) != 2:
            return self.faults.add(value_path, "WRONG_TYPE", "must be a list of two: lowest and highest")
        if values[0] > values[1]:  # type: ignore[operator]
            return self.faults.add(value_path, "MIN_ABOVE_MAX", "the lowest is above the highest")
        return Compare(name, op, values, disclosure, self.about)

    def skill(self, raw: dict[str, object], path: str, disclosure: Disclosure) -> Rule | None:
        skill_id = self.value(f"{path}.skill", lambda: id_from(raw["skill"]))
        if skill_id is not None and self.known_skills is not None and skill_id not in self.known_skills:
            self.faults.add(f"{path}.skill", "UNKNOWN_SKILL", "is no skill of the taxonomy")
            skill_id = None
        level = self.value(f"{path}.minLevel", lambda: _within(_count(raw.get("minLevel", 1)), 1, 5))
        min_years = None
        if raw.get("minYears") is not None:
            min_years = self.value(f"{path}.minYears", lambda: _within(number_from(raw["minYears"]), 0, 80))
            if min_years is None:
                return None
            min_years = min_years or None  # no years asked: the same rule, written shorter
        months = None
        if raw.get("usedWithinMonths") is not None:
            months = self.value(
                f"{path}.usedWithinMonths", lambda: _within(_count(raw["usedWithinMonths"]), 1, MAX_MONTHS)
            )
            if months is None:
                return None
        narrower = raw.get("narrower", False)
        if not isinstance(narrower, bool):
            return self.faults.add(f"{path}.narrower", "WRONG_TYPE", "must be true or false")
        return HasSkill(skill_id, level, min_years, months, narrower, disclosure) if skill_id and level else None

    def lives_in(self, raw: object, path: str, disclosure: Disclosure) -> Rule | None:
        places = self.values(raw, path, lambda item: code_from(item, PLACE_PATTERN, "country or region"))
        return LivesIn(tuple(sorted(set(cast("tuple[str, ...]", places)))), disclosure) if places is not None else None

    def hours_overlap(self, raw: object, path: str, disclosure: Disclosure) -> Rule | None:
        if not isinstance(raw, dict):
            return self.faults.add(path, "NOT_AN_OBJECT", f"must be an object with {', '.join(sorted(_WINDOW))}")
        if raw.keys() != _WINDOW:
            return self.faults.add(path, "UNKNOWN_FIELD", f"must have {', '.join(sorted(_WINDOW))}, and nothing else")
        minutes = self.value(f"{path}.minutes", lambda: _within(_count(raw["minutes"]), 1, DAY_MINUTES))
        zone = self.value(f"{path}.timezone", lambda: _zone(raw["timezone"]))
        starts = self.value(f"{path}.from", lambda: _clock(raw["from"]))
        ends = self.value(f"{path}.to", lambda: _clock(raw["to"]))
        if minutes is None or zone is None or starts is None or ends is None:
            return None
        return HoursOverlap(minutes, zone, starts, ends, disclosure)

    def language(self, raw: dict[str, object], path: str, disclosure: Disclosure) -> Rule | None:
        code = self.value(f"{path}.language", lambda: code_from(raw["language"], LANGUAGE_PATTERN, "language"))
        level = raw.get("minLevel", CEFR[0])
        if not isinstance(level, str) or level not in CEFR:
            return self.faults.add(f"{path}.minLevel", "BAD_CODE", f"must be one of: {', '.join(CEFR)}")
        return HasLanguage(code, cefr_rank(level), disclosure) if code is not None else None

    def disclosure(self, raw: dict[str, object], path: str) -> Disclosure:
        value = raw.get("disclosure", Disclosure.PUBLIC.value)
        if not isinstance(value, str) or value not in _DISCLOSURES:
            self.faults.add(f"{path}.disclosure", "BAD_CODE", f"must be one of: {', '.join(Disclosure)}")
            return Disclosure.PUBLIC
        return Disclosure(value)

    def values(self, raw: object, path: str, read: Callable[[object], Value]) -> tuple[Value, ...] | None:
        if not isinstance(raw, list | tuple):
            return self.faults.add(path, "WRONG_TYPE", "must be a list")
        if not raw:
            return self.faults.add(path, "EMPTY_LIST", "must hold at least one value")
        if len(raw) > MAX_LISTED:
            return self.faults.add(path, "LONG_LIST", f"holds at most {MAX_LISTED} values")
        values = [self.value(f"{path}[{place}]", partial(read, item)) for place, item in enumerate(raw)]
        return tuple(value for value in values if value is not None) if None not in values else None

    def value(self, path: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except BadValue as bad:
            return self.faults.add(path, bad.code, bad.problem)


@lru_cache(maxsize=65_536)
def _sound_criterion(about: Subject, kind: str, text: str) -> Rule | None:
    """The criterion that a JSON text states; None where anything is wrong with it."""
    reader = _Reader(None, about)
    criterion = reader.criterion(kind, json.loads(text), ROOT)
    return None if reader.faults else criterion


def _zone(raw: object) -> str:
    name = code_from(raw, ATTRIBUTES["timezone"].pattern, "time zone")
    if utc_offset_minutes(name, _ANY_DAY) is None:
        raise BadValue("BAD_CODE", "is no time zone")
    return name


def _clock(raw: object) -> int:
    if not isinstance(raw, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", raw, flags=re.ASCII):
        raise BadValue("WRONG_TYPE", "must be a time of day, as in 09:00")
    return int(raw[:2]) * 60 + int(raw[3:])


def _count(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise BadValue("WRONG_TYPE", "must be a whole number")
    return raw


def _within(number: N, low: int, high: int) -> N:
    if not low <= number <= high:
        raise BadValue("OUT_OF_RANGE", f"must be from {low} to {high}")
    return number


__all__ = ["MAX_CRITERIA", "MAX_LEVELS", "MAX_LISTED", "InvalidRule", "load", "parse"]
