"""A rule in words, on one line: `experience at least 5 years, and (German at B2 or English at C1)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from matching.core.attributes import Kind, Operator, cefr_level, plain_number
from matching.core.rules.grammar import (
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    MayWorkIn,
    Not,
    Rule,
    plain,
)

OPEN = "Open to all"

_RELATION = {
    Operator.EQ: "{}",
    Operator.LT: "below {}",
    Operator.LTE: "at most {}",
    Operator.GT: "above {}",
    Operator.GTE: "at least {}",
}
_DATE_RELATION = {
    Operator.EQ: "{}",
    Operator.LT: "before {}",
    Operator.LTE: "{} or earlier",
    Operator.GT: "after {}",
    Operator.GTE: "{} or later",
}


def text(rule: Rule, skill_names: Mapping[int, str] | None = None) -> str:
    """The rule as one line of English. A skill without a name reads `skill 12`."""
    return OPEN if rule == All(()) else _text(rule, skill_names or {}, inner=False)


def _text(rule: Rule, names: Mapping[int, str], *, inner: bool = True) -> str:
    match rule:
        case All(of):
            return _joined(of, "and", names, inner)
        case Any(of):
            return _joined(of, "or", names, inner)
        case AtLeast(n, of):
            return f"at least {n} of ({'; '.join(_text(part, names) for part in of)})"
        case Not(inside):
            line = _text(inside, names, inner=False)
            return f"not {line}" if isinstance(inside, Criterion) else f"not ({line})"
    return criterion_text(rule, names)


def _joined(of: Sequence[Rule], word: str, names: Mapping[int, str], inner: bool) -> str:
    parts = [_text(part, names, inner=len(of) > 1) for part in of]
    if len(parts) < 2:
        return "".join(parts)
    line = f" {word} ".join(parts) if len(parts) == 2 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"
    return f"({line})" if inner else line


def criterion_text(criterion: Criterion, names: Mapping[int, str]) -> str:
    line = _criterion_text(criterion, names)
    return line if criterion.disclosure is Disclosure.PUBLIC else f"{line} [{criterion.disclosure.value} only]"


def _criterion_text(criterion: Criterion, names: Mapping[int, str]) -> str:
    match criterion:
        case HasSkill(skill_id, min_level, min_years):
            line = skill_name(skill_id, names)
            line += f" at level {min_level}" if min_level > 1 else ""
            return line + (f" for at least {years(min_years)}" if min_years else "")
        case HasLanguage(language, min_level):
            return f"language {language} at {cefr_level(min_level)}"
        case MayWorkIn(country):
            return f"may work in {country}"
        case Compare(_, op, value):
            attribute = criterion.attribute
            if op is Operator.EXISTS:
                return f"{attribute.label} {'known' if value else 'not known'}"
            return f"{attribute.label} {comparison_text(criterion)}"
    raise TypeError(criterion)


def comparison_text(criterion: Compare) -> str:
    """What a comparison asks, without the attribute's name: `at least 30 hours a week`."""
    attribute, op, value = criterion.attribute, criterion.op, criterion.value
    if attribute.kind is Kind.IDS:
        return "one of the organisation's own"  # ids of rows are for nobody's eyes, and lists have telling names
    if op is Operator.IN:
        listed = [value_text(item) for item in value]  # type: ignore[union-attr]
        return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}"
    unit = f" {attribute.unit}" if attribute.unit else ""
    if op is Operator.BETWEEN:
        low, high = cast(tuple[object, object], value)
        return f"from {value_text(low)} to {value_text(high)}{unit}"
    relation = _DATE_RELATION if attribute.kind is Kind.DATE else _RELATION
    return relation[op].format(value_text(value) + unit)


def value_text(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(map(str, sorted(value)))
    return str(plain(value))  # type: ignore[arg-type]


def skill_name(skill_id: int, names: Mapping[int, str]) -> str:
    return names.get(skill_id, f"skill {skill_id}")


def years(number: Decimal) -> str:
    return f"{plain_number(number)} {'year' if number == 1 else 'years'}"
