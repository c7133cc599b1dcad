"""The nearest change: the fewest things that a person can change so that a rule no longer refuses them.

Between the values that a rule names for a fact, its answer does not depend on the fact. So one value in every such
cell stands for all of them, and trying the cells of one fact, then of two, then of three finds the smallest set
whatever the shape of the rule. Every answer is checked with the evaluator itself. The search counts judgements, not
seconds, so it repeats exactly; a rule too tangled for the budget gets no answer rather than a wrong one.

Facts that nobody can change at will (where they live, where they may work, what checks found, experience) and facts
that are missing (those are asked for) stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, combinations, product
from math import prod
from typing import Any, NamedTuple, TypeAlias

from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    ORDERED,
    SEVERAL,
    SKILL,
    WORKING_HOURS,
    Attribute,
    Kind,
)
from matching.core.causes import shortfall
from matching.core.changes import Change, NearestChange, hours_text, with_change
from matching.core.clock import DAY_MINUTES
from matching.core.facts import CandidateFacts
from matching.core.rules.grammar import (
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    RateWithinPay,
    Rule,
)
from matching.core.rules.normal import Literal, Normal, literals, normal
from matching.core.rules.worlds import named, windows_around
from matching.core.truth import Truth, literal_truth, truth

__all__ = ["BUDGET", "Change", "NearestChange", "nearest_change", "with_change"]

BUDGET = 4096
"""Judgements that one search may spend: some ten milliseconds."""

MAX_ANSWERS = 4 * BUDGET
"""Answers of single criteria that finding the cells of one fact may take."""

MAX_CHANGES = 6
MAX_CODES = 5
"""Codes of one fact up to which every combination is tried; beyond it, one code more or less."""

Subject: TypeAlias = tuple[str, str | int | None]
"""What can be changed: an attribute's or a structure's name, and the skill or language."""


class TooTangled(Exception):
    """A rule whose cells would take too long to find."""


def nearest_change(rule: Rule, facts: CandidateFacts, *, on: date) -> NearestChange | None:
    """The smallest set of changes after which the rule does not refuse; None where it does not now, or where no change
    that people can make is found. Among sets of equal size, one that learns no new skill is preferred, then one that
    leaves no question open, then one earlier in the rule, then one that moves facts less."""
    if truth(rule, facts, on=on) is not False:
        return None
    node = normal(rule)
    failed = frozenset(each.path for each in literals(node) if literal_truth(each, facts, on) is False)
    try:
        options = _options(node, failed, facts, on)
    except TooTangled:
        return None
    spent = 0
    for size in range(1, min(MAX_CHANGES, len(options)) + 1):
        best: tuple[tuple[int, bool, int, int], tuple[Change, ...], bool] | None = None
        for place, chosen in enumerate(combinations(options, size)):
            hopeless = _refuses(node, failed.difference(*(option.mends for option in chosen)))
            spent += 1 if hopeless else prod(len(option.changes) for option in chosen)
            if spent > BUDGET:
                return None
            if hopeless:
                continue
            for changes, ranks, changed in _combined([option.changes for option in chosen], facts):
                answer = truth(rule, changed, on=on)
                if answer is False:
                    continue
                learnt = sum(change.subject == SKILL.name and change.has is None for change in changes)
                cost = (learnt, answer is None, place, ranks)
                if best is None or cost < best[0]:
                    best = (cost, changes, answer is True)
        if best is not None:
            return NearestChange(changes=best[1], settles=best[2])
    return None


def _refuses(node: Normal, failed: frozenset[str]) -> bool:
    """Whether a rule says no when these of its literals, by path, fail and no other does."""
    if isinstance(node, Literal):
        return node.path in failed
    return sum(_refuses(part, failed) for part in node.of) > len(node.of) - node.n


def _combined(
    options: list[list[Change]], facts: CandidateFacts
) -> Iterator[tuple[tuple[Change, ...], int, CandidateFacts]]:
    """Every choice of one change from each: the changes, the sum of their places, and the facts after them."""
    if not options:
        yield (), 0, facts
        return
    for rank, change in enumerate(options[0]):
        for more, ranks, changed in _combined(options[1:], with_change(facts, change)):
            yield (change, *more), rank + ranks, changed


class Option(NamedTuple):
    """One fact that could help: what it could become, nearest first, and the paths of the failed literals that one or
    other of these would mend."""

    changes: list[Change]
    mends: frozenset[str]


def _options(node: Normal, failed: frozenset[str], facts: CandidateFacts, on: date) -> list[Option]:
    """A fact all of whose criteria hold cannot help: nothing above a criterion is negated in the normal form."""
    asked: dict[Subject, list[Literal]] = {}
    for literal in literals(node):
        for subject in _subjects(literal.criterion, facts, on):
            asked.setdefault(subject, []).append(literal)
    spare = _interchangeable(asked, facts)
    options = (
        _option(list(_changes(subject, criteria, facts, on)), criteria, facts, on)
        for subject, criteria in asked.items()
        if subject not in spare and any(literal.path in failed for literal in criteria)
    )
    return [option for option in options if option.mends]


def _subjects(criterion: Criterion, facts: CandidateFacts, on: date) -> list[Subject]:
    """What one could change to meet a criterion, nearest first."""
    match criterion:
        case Compare(name) if criterion.attribute.changeable:
            return [(name, None)]
        case HasLanguage(language):
            return [(LANGUAGE.name, language)]
        case HoursOverlap():
            return [(WORKING_HOURS.name, None)]
        case RateWithinPay():
            return [("hourly_rate", None)]
        case HasSkill():
            there = [skill_id for skill_id in criterion.accepted if skill_id in facts.skills]
            there.sort(key=lambda skill_id: shortfall(criterion, facts.skills[skill_id], on))
            lacking = [skill_id for skill_id in criterion.accepted if skill_id not in facts.skills]
            return [(SKILL.name, skill_id) for skill_id in there + lacking]
    return []


def _interchangeable(asked: dict[Subject, list[Literal]], facts: CandidateFacts) -> set[Subject]:
    """Of the skills that a person lacks and that the very same criteria accept, all but one: that which a criterion
    names, where there is one. To learn any of them would serve the same."""
    lacking = [subject for subject in asked if subject[0] == SKILL.name and subject[1] not in facts.skills]
    lacking.sort(key=lambda subject: all(each.criterion.skill_id != subject[1] for each in asked[subject]))  # type: ignore[union-attr]
    kept: dict[tuple[str, ...], Subject] = {}
    for subject in lacking:
        kept.setdefault(tuple(literal.path for literal in asked[subject]), subject)
    return set(lacking) - set(kept.values())


def _option(changes: list[Change], asked: list[Literal], facts: CandidateFacts, on: date) -> Option:
    """Those of the changes that meet criteria which no nearer one meets: all others are never needed."""
    if len(changes) * len(asked) > MAX_ANSWERS:
        raise TooTangled
    met = [_met(asked, facts, on)]
    found = []
    for change in changes:
        answers = _met(asked, with_change(facts, change), on)
        if not any(all(new <= old for new, old in zip(answers, known, strict=True)) for known in met):
            met.append(answers)
            found.append(change)
    mends = {
        literal.path for place, literal in enumerate(asked) if not met[0][place] and any(each[place] for each in met)
    }
    return Option(found, frozenset(mends))


_RANK: dict[Truth, int] = {False: 0, None: 1, True: 2}


def _met(asked: list[Literal], facts: CandidateFacts, on: date) -> list[int]:
    return [_RANK[literal_truth(literal, facts, on)] for literal in asked]


# What a fact could become


def _changes(subject: Subject, asked: list[Literal], facts: CandidateFacts, on: date) -> Iterator[Change]:
    name, key = subject
    criteria: list[Any] = [literal.criterion for literal in asked]
    disclosure = max((criterion.disclosure for criterion in criteria), key=lambda each: each.rank)
    if name == SKILL.name:
        yield from _skill_changes(int(str(key)), criteria, facts, on, disclosure)
    elif name == WORKING_HOURS.name:
        yield from _hours_changes(criteria, facts, on, disclosure)
    elif name == LANGUAGE.name:
        spoken = facts.languages.get(str(key))
        for rank in sorted({criterion.min_level for criterion in criteria}):
            if rank > (spoken or 0):
                yield Change(subject=name, key=key, has=spoken, becomes=rank, disclosure=disclosure)
    else:
        attribute = ATTRIBUTES[name]
        has = attribute.read(facts)
        if has is None:
            return
        values = list(chain.from_iterable(map(_named, criteria)))
        for value in _cells(attribute, has, values):
            yield Change(subject=name, has=has, becomes=value, disclosure=disclosure)


def _named(criterion: Compare | RateWithinPay) -> tuple[Any, ...]:
    if isinstance(criterion, Compare):
        return named(criterion)
    return tuple(one.hourly for one in criterion.ceilings or () if one.hourly is not None)


def _skill_changes(
    skill_id: int, asked: list[HasSkill], facts: CandidateFacts, on: date, disclosure: Disclosure
) -> Iterator[Change]:
    """Skills are learnt and used again, never unlearnt: levels and years only grow. What is learnt now is used now."""
    known = facts.skills.get(skill_id)
    levels = {criterion.min_level for criterion in asked} | ({known.level} if known else set())
    wanted_years = {criterion.min_years for criterion in asked if criterion.min_years is not None}
    if known is None:
        all_years: set[Decimal | None] = {Decimal(0), *wanted_years}
    elif known.years is None:
        all_years = {None}
    else:
        all_years = {known.years, *(number for number in wanted_years if number > known.years)}
    last_used = known.last_used_on if known else on
    uses = {last_used, on if last_used is not None and last_used < on else last_used}
    grown = (
        (level, number, used)
        for level, number, used in product(levels, all_years, uses)
        if known is None
        or (level >= known.level and (level, number, used) != (known.level, known.years, known.last_used_on))
    )
    for level, number, used in sorted(grown, key=lambda each: (each[0], each[1] or 0, each[2] != last_used)):
        yield Change(
            subject=SKILL.name,
            key=skill_id,
            has=known.level if known else None,
            becomes=level,
            has_years=known.years if known else None,
            becomes_years=number,
            has_used_on=known.last_used_on if known else None,
            becomes_used_on=used,
            disclosure=disclosure,
        )


def _hours_changes(
    asked: list[HoursOverlap], facts: CandidateFacts, on: date, disclosure: Disclosure
) -> Iterator[Change]:
    """Working hours as long as they are but at another time, then longer ones, then shorter ones."""
    window, offset = facts.working_window, facts.utc_offset_minutes
    if window is None or offset is None or facts.work_starts_minute is None or facts.work_ends_minute is None:
        return
    now_starts, now_minutes = window

    def distance(other: tuple[int, int]) -> tuple[int, int, int, int]:
        starts, minutes = other
        longer = minutes - now_minutes
        shift = (starts - now_starts) % DAY_MINUTES
        return ((longer > 0) + 2 * (longer < 0), abs(longer), min(shift, DAY_MINUTES - shift), starts)

    wishes = [(one.starts_utc(on), one.length, one.minutes) for one in asked]
    has = hours_text(facts.work_starts_minute, facts.work_ends_minute)
    for starts, minutes in sorted(windows_around(wishes, window), key=distance):
        local = (starts + offset) % DAY_MINUTES
        becomes = hours_text(local, (local + minutes) % DAY_MINUTES)
        if (starts, minutes) != window:
            yield Change(subject=WORKING_HOURS.name, has=has, becomes=becomes, disclosure=disclosure)


def _cells(attribute: Attribute, has: Any, named: list[Any]) -> list[Any]:
    """One value for each cell that the named values cut the fact's range into, nearest to what it is first."""
    if attribute.kind in SEVERAL:
        codes = sorted(set(named))
        rest = has - frozenset(codes)
        if len(codes) <= MAX_CODES:
            subsets = chain.from_iterable(combinations(codes, size) for size in range(len(codes) + 1))
            values = {rest | frozenset(subset) for subset in subsets}
        else:
            values = {has ^ {code} for code in codes}
        return sorted(values - {has, frozenset()}, key=lambda value: (len(value ^ has), sorted(value)))
    if attribute.kind not in ORDERED:
        return sorted(set(named) - {has})
    return sorted(
        {value for value in _around(attribute, set(named)) if value != has},
        key=lambda value: (abs(value - has), value),
    )


def _around(attribute: Attribute, named: set[Any]) -> Iterator[Any]:
    """The named values and their neighbours, as far as the fact can be such."""
    steps: dict[Kind, Any] = {Kind.DATE: timedelta(days=1), Kind.WHOLE: int(attribute.step)}
    step = steps.get(attribute.kind, attribute.step)
    for value in named:
        yield value
        for away in (-step, step):
            try:
                neighbour = value + away
            except OverflowError:  # the calendar's last day
                continue
            low, high = attribute.lowest, attribute.highest
            if (low is None or neighbour >= low) and (high is None or neighbour <= high):
                yield neighbour
