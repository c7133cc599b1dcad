"""Every way one fact can be, as far as some criteria can tell: so that what they mean together can be tried out.

Between the values that criteria name for a fact, none of them changes its answer. One candidate for every such cell
stands for all; the evaluator itself answers for them. What holds in every world of a fact holds for everybody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, islice, pairwise, product
from typing import Any

from matching.core.attributes import ORDERED, SEVERAL, Attribute, Kind, Operator
from matching.core.clock import DAY_MINUTES, months_before
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.rules.grammar import (
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    PayCeiling,
    RateWithinPay,
    Vetted,
)
from matching.core.rules.normal import Literal

MAX_WORLDS = 1024
"""Worlds, and values named, beyond which a fact is not searched: a tenth of a second, and more than anybody writes by
hand."""

_ON = date(2026, 1, 1)  # any day: criteria about one fact relate to each other alike on all days
_ELSEWHERE, _OTHER, _NO_ID = "--", "~", 0  # values that no rule can name


def subject(criterion: Criterion) -> tuple[Hashable, ...]:
    """The fact that a criterion asks about: criteria about different facts never rule each other out."""
    match criterion:
        case LivesIn() | Compare("country" | "region"):
            return ("place",)
        case Compare(name):
            return ("attribute", name)
        case HasSkill(skill_id):
            return ("skill", skill_id)
        case HasLanguage(language):
            return ("language", language)
        case MayWorkIn(country):
            return ("workAuthorisation", country)
        case HoursOverlap(_, timezone):  # clocks of different zones move against each other in the course of a year
            return ("hoursOverlap", timezone)
        case RateWithinPay():
            return ("rateWithinPay",)
        case Vetted(check):
            return ("vetted", check)
    raise TypeError(criterion)


@dataclass(frozen=True, slots=True)
class Answers:
    """In which worlds a literal holds, and in which it does not, as bits; in the others it is unknown."""

    yes: int
    no: int


def answers(literals: Sequence[Literal]) -> list[Answers] | None:
    """How literals about one fact answer in all its worlds. None where these are too many.

    A skill's narrower kinds are left out of account: every literal asks about the skill itself.
    """
    from matching.core.truth import literal_truth  # which imports the grammar of this package

    if sum(len(_named(literal.criterion)) for literal in literals) > MAX_WORLDS:
        return None
    worlds = list(islice(_worlds(literals), MAX_WORLDS + 1))
    if len(worlds) > MAX_WORLDS:
        return None
    found = []
    for literal in literals:
        ready = replace(literal, criterion=_ready(literal.criterion))
        yes = no = 0
        for place, facts in enumerate(worlds):
            answer = literal_truth(ready, facts, _ON)
            if answer is not None:
                yes, no = (yes | 1 << place, no) if answer else (yes, no | 1 << place)
        found.append(Answers(yes, no))
    return found


def _ready(criterion: Criterion) -> Criterion:
    """The criterion as it can be judged here, and quickly."""
    match criterion:
        case Compare(_, Operator.IN, value):
            return replace(criterion, value=frozenset(value))  # type: ignore[arg-type]
        case LivesIn(places):
            return replace(criterion, places=frozenset(places))  # type: ignore[arg-type]
        case RateWithinPay():
            return replace(criterion, ceilings=(PayCeiling("", Decimal(1)),))
    return criterion


def _worlds(literals: Sequence[Literal]) -> Iterator[CandidateFacts]:
    asked: list[Any] = [literal.criterion for literal in literals]
    match asked[0]:
        case LivesIn() | Compare("country" | "region"):
            yield from _places(asked)
        case Compare() if asked[0].attribute.kind in SEVERAL:
            yield from _sets(literals)
        case Compare():
            attribute = asked[0].attribute
            for value in (None, *_values(attribute, set(chain.from_iterable(map(named, asked))))):
                yield _person(**{attribute.fact: value})
        case HasSkill(skill_id):
            yield _person()
            yield from (_person(skills={skill_id: skill}) for skill in _skills(asked))
        case HasLanguage(language):
            yield _person()
            yield from (_person(languages={_OTHER: 1, language: rank}) for rank in range(7))
        case MayWorkIn(country):
            yield from (_person(work_authorisations=known) for known in ({}, {_OTHER: None}, {country: None}))
        case HoursOverlap():
            yield _person()
            for starts, minutes in windows_around((one.starts_utc(_ON), one.length, one.minutes) for one in asked):
                yield _person(
                    utc_offset_minutes=0, work_starts_minute=starts, work_ends_minute=(starts + minutes) % DAY_MINUTES
                )
        case RateWithinPay():
            yield from (_person(hourly_rate=rate) for rate in (None, Decimal(1), Decimal(2)))
        case Vetted(check):
            yield _person()
            yield from (_person(vetting={check: VettingFact(passed)}) for passed in (True, False))


def _named(criterion: Criterion) -> tuple[Any, ...]:
    """The values that a criterion lists, as far as there can be many."""
    match criterion:
        case Compare():
            return named(criterion)
        case LivesIn(places):
            return places
    return ()


def _person(**facts: Any) -> CandidateFacts:
    return CandidateFacts(0, **facts)


def named(criterion: Compare) -> tuple[Any, ...]:
    """The values of an attribute that a comparison names."""
    if criterion.op is Operator.EXISTS:
        return ()
    return criterion.value if isinstance(criterion.value, tuple) else (criterion.value,)


def _values(attribute: Attribute, named: set[Any]) -> Iterator[Any]:
    """The named values of a fact that holds one, and one for every gap between, below and above them."""
    yield from named
    if attribute.kind not in ORDERED:
        yield _OTHER
        return
    low, high = attribute.lowest, attribute.highest
    if attribute.kind is Kind.DECIMAL:
        ends = {end for end in (low, high) if end is not None}
        known = sorted(named | ends) or [Decimal(0)]
        yield from known
        yield from ((one + other) / 2 for one, other in pairwise(known))
        return
    step: Any = timedelta(days=1) if attribute.kind is Kind.DATE else 1
    for value in named or {_ON if attribute.kind is Kind.DATE else int(low or 0)}:
        yield value
        for away in (-step, step):
            try:
                neighbour = value + away
            except OverflowError:  # the calendar's first or last day
                continue
            if (low is None or neighbour >= low) and (high is None or neighbour <= high):
                yield neighbour


def _places(asked: Iterable[Criterion]) -> Iterator[CandidateFacts]:
    """Countries and regions that are named, one of each that is not, and countries whose region is not known. A region
    lies in its country."""
    codes = set(chain.from_iterable(map(_named, asked)))
    regions = {code for code in codes if "-" in code}
    countries = {code[:2] for code in codes} | {_ELSEWHERE}
    yield _person()
    for country in countries:
        yield _person(country=country)
        yield _person(country=country, region=f"{country}-{_OTHER}")
    yield from (_person(country=region[:2], region=region) for region in regions)


def _sets(literals: Sequence[Literal]) -> Iterator[CandidateFacts]:
    """Of a fact that holds several values: none, and the largest sets that keep clear of what some literals name. These
    decide whether all hold at once, whether one follows from the others, and whether none holds."""
    asked: list[Any] = [literal.criterion for literal in literals]
    attribute = asked[0].attribute
    values = [frozenset(named(criterion)) for criterion in asked]
    every = frozenset({_NO_ID if attribute.kind is Kind.IDS else _OTHER}).union(*values)
    wanted = frozenset[Any]().union(*(each for literal, each in zip(literals, values, strict=True) if literal.wanted))
    barred = [frozenset() if literal.wanted else each for literal, each in zip(literals, values, strict=True)]
    bars = frozenset[Any]().union(*barred)
    yield _person()
    for avoided in (frozenset[Any](), wanted, bars):
        yield _person(**{attribute.fact: every - avoided})
    for place, literal in enumerate(literals):
        if literal.wanted:
            avoided = bars | values[place]
        else:
            avoided = frozenset[Any]().union(*barred[:place], *barred[place + 1 :])
        yield _person(**{attribute.fact: every - avoided})


def _skills(asked: Sequence[HasSkill]) -> Iterator[SkillFact]:
    years = sorted({one.min_years for one in asked if one.min_years})
    months = {one.used_within_months for one in asked if one.used_within_months}
    days = {months_before(_ON, number) for number in months}
    practice: list[Decimal | None] = [None, *([years[0] / 2, *years] if years else [])]
    uses: list[date | None] = [None, *([min(days) - timedelta(days=1), *days] if days else [])]
    yield from (SkillFact(*each) for each in product(range(1, 6), practice, uses))


def windows_around(
    asked: Iterable[tuple[int, int, int]], now: tuple[int, int] | None = None
) -> Iterator[tuple[int, int]]:
    """Working windows (start, minutes) of every kind that some windows to overlap with (start, length, minutes asked)
    can tell apart; with `now`, also those of each kind that are nearest to it.

    Sharing `minutes` with (start, length) means to begin by start + length − minutes, to end after start + minutes and
    to last as long; so these starts, ends and lengths, and those a minute beyond, bound all the cells.
    """
    starts, ends, lengths = set(), set(), {1, DAY_MINUTES - 1}
    for start, length, minutes in asked:
        starts |= {start + length - minutes, start + length - minutes + 1}
        ends |= {start + minutes, start + minutes - 1}
        lengths |= {minutes, minutes - 1}
    if now is not None:
        starts.add(now[0])
        ends.add(sum(now))
        lengths.add(now[1])
    found = {(start % DAY_MINUTES, (end - start) % DAY_MINUTES) for start, end in product(starts, ends)}
    found |= {(start % DAY_MINUTES, length) for start, length in product(starts, lengths)}
    found |= {((end - length) % DAY_MINUTES, length) for end, length in product(ends, lengths)}
    yield 0, DAY_MINUTES
    yield from sorted(window for window in found if 0 < window[1] < DAY_MINUTES)
