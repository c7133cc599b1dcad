"""Small steps by which a rule lets more people in: what a recruiter might give up first.

A step changes one criterion, or how many of several are asked for. Its `effort` says how much is given up, in natural
steps: one for a year, five hours, a language level or one more country; dropping a criterion is the last resort.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any as Anything
from typing import cast

from matching.core.attributes import CEFR, Attribute, Kind, Operator, Value
from matching.core.rules import (
    OPEN_TO_ALL,
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    Not,
    Rule,
)
from matching.core.rules.normal import ROOT
from matching.core.rules.reading import MAX_LISTED, MAX_MONTHS

DROPPED = 10
"""The effort of dropping a criterion."""
LOWERED_QUORUM = 2
HOUR = 60


@dataclass(frozen=True, slots=True)
class Step:
    """`part` in place of what stands at `path` now; None: that is dropped."""

    path: str
    part: Rule | None
    effort: int


def nodes(rule: Rule, wanted: bool = True, path: str = ROOT) -> Iterator[tuple[str, Rule, bool]]:
    """Every part of a rule with its path, in the order written; `wanted` is False under a negation."""
    yield path, rule, wanted
    for child_path, child in _children(rule, path):
        yield from nodes(child, wanted is not isinstance(rule, Not), child_path)


def _children(rule: Rule, path: str) -> list[tuple[str, Rule]]:
    match rule:
        case All(of):
            return [(f"{path}.all[{at}]", part) for at, part in enumerate(of)]
        case Any(of):
            return [(f"{path}.any[{at}]", part) for at, part in enumerate(of)]
        case AtLeast(_, of):
            return [(f"{path}.atLeast.of[{at}]", part) for at, part in enumerate(of)]
        case Not(inner):
            return [(f"{path}.not", inner)]
    return []


def steps(rule: Rule) -> Iterator[Step]:
    """The steps that follow from the rule itself; those that depend on who there is come from `with_code`."""
    for path, node, wanted in nodes(rule):
        if isinstance(node, AtLeast):
            n = node.n - 1 if wanted else node.n + 1
            if 1 <= n <= len(node.of):
                yield Step(path, AtLeast(n, node.of), LOWERED_QUORUM)
        elif isinstance(node, Criterion):
            for changed, effort in _loosened(node, wanted):
                yield Step(path, changed, effort)
            yield Step(path, None, DROPPED)


def _loosened(criterion: Criterion, wanted: bool) -> Iterator[tuple[Criterion, int]]:
    """The criterion asking less; where it is negated, asking more."""
    match criterion:
        case Compare():
            yield from _compared(criterion, wanted)
        case HasSkill():
            yield from _skilled(criterion, wanted)
        case HasLanguage(_, level):
            eased = level - 1 if wanted else level + 1
            if 1 <= eased <= len(CEFR):
                yield replace(criterion, min_level=eased), 1
        case HoursOverlap(minutes):
            for effort in (1, 2):
                eased = minutes - effort * HOUR if wanted else minutes + effort * HOUR
                if 1 <= eased <= criterion.length:
                    yield replace(criterion, minutes=eased), effort
        case LivesIn(places) if not wanted and len(places) > 1:
            for place in places:
                yield replace(criterion, places=tuple(other for other in places if other != place)), 1


def _skilled(criterion: HasSkill, wanted: bool) -> Iterator[tuple[Criterion, int]]:
    if not wanted:
        if criterion.min_level < 5:
            yield replace(criterion, min_level=criterion.min_level + 1), 1
        return
    if criterion.min_level > 1:
        yield replace(criterion, min_level=criterion.min_level - 1), 1
    if criterion.min_years is not None:
        for effort in (1, 2):
            fewer = criterion.min_years - effort
            yield replace(criterion, min_years=fewer if fewer > 0 else None), effort
            if fewer <= 0:
                break
    if criterion.used_within_months is not None:
        for effort in (1, 2):
            months = criterion.used_within_months + 12 * effort
            if months <= MAX_MONTHS:
                yield replace(criterion, used_within_months=months), effort
    if not criterion.narrower:
        yield replace(criterion, narrower=True), 1


def _compared(criterion: Compare, wanted: bool) -> Iterator[tuple[Criterion, int]]:
    attribute, value = criterion.attribute, criterion.value
    match criterion.op:
        case Operator.GT | Operator.GTE:
            for moved, effort in _moved(attribute, value, up=not wanted):
                yield replace(criterion, value=moved), effort
        case Operator.LT | Operator.LTE:
            for moved, effort in _moved(attribute, value, up=wanted):
                yield replace(criterion, value=moved), effort
        case Operator.BETWEEN if wanted:
            low, high = cast(tuple[Value, Value], value)
            for moved, effort in _moved(attribute, low, up=False):
                yield replace(criterion, value=(moved, high)), effort
            for moved, effort in _moved(attribute, high, up=True):
                yield replace(criterion, value=(low, moved)), effort
        case Operator.IN if not wanted and len(value) > 1:  # type: ignore[arg-type]
            for barred in value:  # type: ignore[union-attr]
                yield replace(criterion, value=tuple(each for each in value if each != barred)), 1  # type: ignore


# How far one step goes, by unit; whatever has none of these moves by shares of itself.
_STRIDES = {"years": (1, 2), "hours a week": (5, 10), "minutes": (60, 120)}
_WEEKS = (1, 2, 4)
_PERCENT = ((5, 1), (10, 2), (25, 5))


def _moved(attribute: Attribute, value: Anything, *, up: bool) -> Iterator[tuple[Value, int]]:
    """A threshold a few natural steps up or down, within what the fact can be."""
    sign = 1 if up else -1
    if isinstance(value, date):
        for weeks in _WEEKS:
            try:
                yield value + sign * timedelta(weeks=weeks), weeks
            except OverflowError:
                return
    elif attribute.unit in _STRIDES:
        for effort, stride in enumerate(_STRIDES[attribute.unit], start=1):
            yield from _within(attribute, Decimal(value) + sign * stride, effort)
    else:
        rounding = ROUND_CEILING if up else ROUND_FLOOR
        for percent, effort in _PERCENT:
            steps_in = Decimal(value) * (100 + sign * percent) / 100 / attribute.step
            yield from _within(attribute, steps_in.to_integral_value(rounding) * attribute.step, effort)


def _within(attribute: Attribute, value: Decimal, effort: int) -> Iterator[tuple[Value, int]]:
    """At the very end of what a fact can be a threshold excludes nobody: then dropping it is the honest step."""
    beyond = (attribute.lowest is not None and value <= attribute.lowest) or (
        attribute.highest is not None and value >= attribute.highest
    )
    if not beyond:
        yield attribute.parse(value), effort


def code_columns(criterion: Criterion, wanted: bool) -> tuple[str, ...]:
    """The columns whose codes a criterion could accept more of."""
    match criterion:
        case LivesIn(places) if wanted:
            return ("country", "region") if any("-" in place for place in places) else ("country",)
        case Compare(_, Operator.EQ | Operator.IN) if wanted and criterion.attribute.kind in (Kind.CODE, Kind.CODES):
            return (criterion.attribute.column,)
    return ()


def with_code(criterion: Criterion, code: str) -> Criterion | None:
    """The criterion accepting one more code; None where it does already, or holds as many as it may."""
    match criterion:
        case LivesIn(places):
            if code in places or code[:2] in places or len(places) >= MAX_LISTED:
                return None
            return replace(criterion, places=tuple(sorted((*places, code))))
        case Compare(_, op, value):
            accepted = value if op is Operator.IN else (value,)
            if code in accepted or len(accepted) >= MAX_LISTED:  # type: ignore
                return None
            return replace(criterion, op=Operator.IN, value=tuple(sorted((*accepted, code))))  # type: ignore
    return None


def stepped(rule: Rule, step: Step) -> Rule:
    """The rule after a step. A dropped criterion counts as met: what it alone was enough for goes with it."""
    after = _stepped(rule, step, ROOT, True)
    return OPEN_TO_ALL if isinstance(after, bool) else after


def _stepped(rule: Rule, step: Step, path: str, wanted: bool) -> Rule | bool:
    """What is left of a part: a rule, or its answer where that is settled."""
    if path == step.path:
        return wanted if step.part is None else step.part
    children = _children(rule, path)
    if not any(step.path.startswith(child_path) for child_path, _ in children):
        return rule
    wanted = wanted is not isinstance(rule, Not)
    left = [_stepped(child, step, child_path, wanted) for child_path, child in children]
    open_ = tuple(part for part in left if not isinstance(part, bool))
    met = left.count(True)
    match rule:
        case Not():
            return Not(open_[0]) if open_ else not met
        case All():
            n = len(left)
        case Any():
            n = 1
        case AtLeast(n):
            pass
    if met >= n:
        return True
    if met + len(open_) < n:
        return False
    if isinstance(rule, AtLeast):
        return AtLeast(n - met, open_)
    return All(open_) if isinstance(rule, All) else Any(open_)
