"""From JSON to a rule, or to every fault in it with its path.

`parse` is for rules that somebody writes: it refuses whatever makes no sense. `load` is for stored ones: it checks
the form alone, so that a rule which was saved stays readable when checks are added later.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar, cast

from matching.core.attributes import (
    ATTRIBUTES,
    CEFR,
    COUNTRY_PATTERN,
    LANGUAGE_PATTERN,
    OPERATORS,
    BadValue,
    Operator,
    Value,
    cefr_rank,
    code_from,
    id_from,
    is_protected,
    number_from,
)
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
    MayWorkIn,
    Not,
    Rule,
)
from matching.core.rules.normal import ROOT
from matching.core.rules.soundness import check

T = TypeVar("T")
N = TypeVar("N", int, Decimal)

MAX_CRITERIA = 64
MAX_LEVELS = 8
MAX_LISTED = 200

_FIELDS = {
    "all": {"all"},
    "any": {"any"},
    "not": {"not"},
    "atLeast": {"atLeast"},
    "attribute": {"attribute", "op", "value", "disclosure"},
    "skill": {"skill", "minLevel", "minYears", "disclosure"},
    "language": {"language", "minLevel", "disclosure"},
    "workAuthorisation": {"workAuthorisation", "disclosure"},
}


def parse(raw: object, *, known_skills: Container[int] | None = None) -> Rule:
    """The rule that `raw`, decoded JSON, states. Raises `InvalidRule` with every fault found.

    None and {} are open to all. With `known_skills`, a skill that is not among them is a fault.
    """
    rule = load(raw, known_skills=known_skills)
    faults = Faults()
    check(rule, faults)
    faults.raise_if_any()
    return rule


def load(raw: object, *, known_skills: Container[int] | None = None) -> Rule:
    """The rule that `raw` states, form checked only. Raises `InvalidRule`."""
    if raw is None or raw == {}:
        return OPEN_TO_ALL
    reader = _Reader(known_skills)
    rule = reader.node(raw, ROOT, 1)
    reader.faults.raise_if_any()
    return cast(Rule, rule)


@dataclass
class _Reader:
    """Reads one rule, noting faults. A node that cannot be read is None, and its parent reads on."""

    known_skills: Container[int] | None
    faults: Faults = field(default_factory=Faults)
    count: int = 0

    def node(self, raw: object, path: str, level: int) -> Rule | None:
        if not isinstance(raw, dict):
            return self.faults.add(path, "NOT_AN_OBJECT", "must be an object")
        if level > MAX_LEVELS:
            return self.faults.add(path, "TOO_DEEP", f"a rule has at most {MAX_LEVELS} levels")
        kinds = [kind for kind in _FIELDS if kind in raw]
        if len(kinds) != 1:
            code = "AMBIGUOUS_NODE" if kinds else "UNKNOWN_NODE"
            return self.faults.add(path, code, f"must have exactly one of: {', '.join(_FIELDS)}")
        kind = kinds[0]
        unknown = sorted(str(name)[:64] for name in raw.keys() - _FIELDS[kind])[:5]
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
        disclosure = self.disclosure(raw, path)
        criterion: Rule | None
        match kind:
            case "attribute":
                criterion = self.compare(raw, path, disclosure)
            case "skill":
                criterion = self.skill(raw, path, disclosure)
            case "language":
                criterion = self.language(raw, path, disclosure)
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
        attribute = ATTRIBUTES.get(name)
        if attribute is None:
            if is_protected(name[:200]):
                problem = "names a protected characteristic, which no rule may ask about"
                return self.faults.add(f"{path}.attribute", "PROTECTED_ATTRIBUTE", problem)
            problem = f"{name[:64]!r} is no declared attribute"
            return self.faults.add(f"{path}.attribute", "UNDECLARED_ATTRIBUTE", problem)
        raw_op, raw_value = raw.get("op"), raw.get("value")
        if not isinstance(raw_op, str) or raw_op not in set(Operator):
            return self.faults.add(f"{path}.op", "UNKNOWN_OPERATOR", f"must be one of: {', '.join(Operator)}")
        op = Operator(raw_op)
        if op not in OPERATORS[attribute.kind]:
            allowed = ", ".join(OPERATORS[attribute.kind])
            return self.faults.add(f"{path}.op", "OPERATOR_DOES_NOT_APPLY", f"{name} can be asked: {allowed}")
        if op is Operator.EXISTS:
            if not isinstance(raw_value, bool):
                return self.faults.add(value_path, "WRONG_TYPE", "must be true or false")
            return Compare(name, op, raw_value, disclosure)
        if op not in (Operator.IN, Operator.BETWEEN):
            value = self.value(value_path, lambda: attribute.parse(raw_value))
            return Compare(name, op, value, disclosure) if value is not None else None
        values = self.values(raw_value, value_path, attribute.parse)
        if values is None:
            return None
        if op is Operator.IN:
            return Compare(name, op, tuple(sorted(set(values))), disclosure)
        if len(values) != 2:
            return self.faults.add(value_path, "WRONG_TYPE", "must be a list of two: lowest and highest")
        if values[0] > values[1]:  # type: ignore[operator]
            return self.faults.add(value_path, "MIN_ABOVE_MAX", "the lowest is above the highest")
        return Compare(name, op, values, disclosure)

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
        return HasSkill(skill_id, level, min_years, disclosure) if skill_id and level else None

    def language(self, raw: dict[str, object], path: str, disclosure: Disclosure) -> Rule | None:
        code = self.value(f"{path}.language", lambda: code_from(raw["language"], LANGUAGE_PATTERN, "language"))
        level = raw.get("minLevel", CEFR[0])
        if not isinstance(level, str) or level not in CEFR:
            return self.faults.add(f"{path}.minLevel", "BAD_CODE", f"must be one of: {', '.join(CEFR)}")
        return HasLanguage(code, cefr_rank(level), disclosure) if code is not None else None

    def disclosure(self, raw: dict[str, object], path: str) -> Disclosure:
        value = raw.get("disclosure", Disclosure.PUBLIC.value)
        if not isinstance(value, str) or value not in set(Disclosure):
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


def _count(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise BadValue("WRONG_TYPE", "must be a whole number")
    return raw


def _within(number: N, low: int, high: int) -> N:
    if not low <= number <= high:
        raise BadValue("OUT_OF_RANGE", f"must be from {low} to {high}")
    return number


__all__ = ["MAX_CRITERIA", "MAX_LEVELS", "MAX_LISTED", "InvalidRule", "load", "parse"]
