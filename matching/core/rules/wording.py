"""A rule in words, on one line: `experience at least 5 years and (German at B2 or better, or English at C2)`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from matching.core.attributes import CEFR, Attribute, Kind, Operator, cefr_level, plain_number
from matching.core.names import NO_NAMES, Names
from matching.core.opportunity_attributes import SKILL_ATTRIBUTES
from matching.core.rules.grammar import (
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
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
    clock_text,
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


def text(rule: Rule, names: Names = NO_NAMES) -> str:
    """The rule as one line of English. A skill without a name reads `skill 12`."""
    return OPEN if rule == All(()) else _text(rule, names, inner=False)


def _text(rule: Rule, names: Names, *, inner: bool = True) -> str:
    match rule:
        case All(of):
            return _joined(of, "and", names, inner)
        case Any(of):
            return _joined(of, "or", names, inner)
        case AtLeast(n, of):
            return f"at least {n} of ({'; '.join(_text(part, names) for part in of)})"
        case Not(inside):
            if isinstance(inside, Criterion):
                return criterion_text(inside, names, wanted=False)
            return f"not ({_text(inside, names, inner=False)})"
    return criterion_text(rule, names)


def _joined(of: Sequence[Rule], word: str, names: Names, inner: bool) -> str:
    parts = [_text(part, names, inner=len(of) > 1) for part in of]
    if len(parts) < 2:
        return "".join(parts)
    # A comma tells where a part ends that has a comma, an "or" or an "and" of its own.
    open_parts = [part for part in parts if not part.startswith(("(", "not (", "at least "))]
    comma = "," if any(mark in part for part in open_parts for mark in (", ", " or ", " and ")) else ""
    line = f"{', '.join(parts[:-1])}{comma} {word} {parts[-1]}"
    return f"({line})" if inner else line


def criterion_text(criterion: Criterion, names: Names, *, wanted: bool = True) -> str:
    """What a criterion asks; with `wanted` false, the opposite."""
    line = _criterion_text(criterion, names, wanted)
    return line if criterion.disclosure is Disclosure.PUBLIC else f"{line} [{criterion.disclosure.value} only]"


def _criterion_text(criterion: Criterion, names: Names, wanted: bool) -> str:
    match criterion:
        case HasSkill():
            return skill_text(criterion, names) if wanted else f"no {skill_text(criterion, names)}"
        case HasLanguage(language, min_level):
            line = f"{names.language(language)} at {level_text(min_level)}"
            return line if wanted else f"no {line}"
        case MayWorkIn(country):
            return f"{'may' if wanted else 'may not'} work in {names.place(country)}"
        case LivesIn(places):
            return f"{'lives' if wanted else 'does not live'} in {any_of([names.place(place) for place in places])}"
        case HoursOverlap():
            return f"{'works' if wanted else 'does not work'} {overlap_text(criterion)}"
        case RateWithinPay():
            return "asks no more than is paid" if wanted else "asks more than is paid"
        case Vetted(check):
            return f"{check_name(check)} {'passed' if wanted else 'not passed'}"
        case Compare(_, op, value):
            attribute = criterion.attribute
            if op is Operator.EXISTS:
                return f"{attribute.label} {'known' if value is wanted else 'not known'}"
            return f"{attribute.label} {'' if wanted else 'not '}{comparison_text(criterion, names)}"
    raise TypeError(criterion)


def skill_text(criterion: HasSkill, names: Names = NO_NAMES) -> str:
    """`Kafka or a narrower skill at level 3 for at least 2 years, used within 24 months`."""
    line = names.skill(criterion.skill_id)
    line += " or a narrower skill" if criterion.narrower else ""
    line += f" at level {criterion.min_level}" if criterion.min_level > 1 else ""
    line += f" for at least {years(criterion.min_years)}" if criterion.min_years else ""
    months = criterion.used_within_months
    return line + (f", used within {counted(months, 'month')}" if months is not None else "")


def level_text(rank: int) -> str:
    """A language level that is asked for: `B2 or better`."""
    return cefr_level(rank) if rank == len(CEFR) else f"{cefr_level(rank)} or better"


def overlap_text(criterion: HoursOverlap) -> str:
    """`4 hours on end between 09:00 and 17:00 Europe/Berlin`."""
    line = f"{duration(criterion.minutes)} on end between {clock_text(criterion.starts_minute)}"
    return f"{line} and {clock_text(criterion.ends_minute)} {criterion.timezone}"


def comparison_text(criterion: Compare, names: Names = NO_NAMES) -> str:
    """What a comparison asks, without the attribute's name: `at least 30 hours a week`."""
    attribute, op, value = criterion.attribute, criterion.op, criterion.value
    if op is Operator.IN:
        listed = list(dict.fromkeys(value_text(item, attribute, names) for item in value))  # type: ignore[union-attr]
        return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}"
    unit = f" {attribute.unit}" if attribute.unit else ""
    if op is Operator.BETWEEN:
        low, high = cast(tuple[object, object], value)
        return f"from {value_text(low)} to {value_text(high)}{unit}"
    relation = _DATE_RELATION if attribute.kind is Kind.DATE else _RELATION
    return relation[op].format(value_text(value, attribute, names) + unit)


_NAMED = {"country": Names.place, "region": Names.place}


def value_text(value: object, attribute: Attribute | None = None, names: Names = NO_NAMES) -> str:
    """A value, or several, as people read it. Ids of rows are for nobody's eyes."""
    if isinstance(value, frozenset):
        return ", ".join(dict.fromkeys(value_text(item, attribute, names) for item in sorted(value)))
    if attribute is not None and isinstance(value, int) and attribute.kind is Kind.IDS:
        return names.skill(value) if attribute.name in SKILL_ATTRIBUTES else names.group(value)
    if attribute is not None and isinstance(value, str):
        if attribute.kind is Kind.CODES:
            return value.replace("_", " ")
        return _NAMED[attribute.name](names, value) if attribute.name in _NAMED else value
    return str(plain(value))  # type: ignore[arg-type]


def any_of(parts: Sequence[str]) -> str:
    """`Austria, Germany or Paris (FR-75C)`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def check_name(check: str) -> str:
    return f"{check.replace('_', ' ')} check"


def years(number: Decimal) -> str:
    return f"{plain_number(number)} {'year' if number == 1 else 'years'}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(minutes: int) -> str:
    """`4 hours`, `45 minutes`, `1 hour 30 minutes`."""
    hours, rest = divmod(minutes, 60)
    parts = [counted(hours, "hour")] if hours else []
    return " ".join(parts + ([counted(rest, "minute")] if rest or not hours else []))
