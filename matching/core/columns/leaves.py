"""One criterion judged over all people of a segment: who surely meets it and who surely fails it, as two sets.

Whoever is in neither lacks a fact. `matching.core.truth` is the specification; where a fact has few values, such as a
country, it is asked itself, once for each value.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from threading import Lock
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from matching.core.attributes import (
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
    Missing,
    Operator,
    Value,
)
from matching.core.clock import DAY_MINUTES, months_before
from matching.core.columns.bits import WORD, Bits, of_rows, packed, rows_of, size, unpacked, words_for
from matching.core.columns.profiles import Profiled
from matching.core.columns.segments import MISSING, SCALE, VALUE, Codes, Key, Numbers, Rows, Segment, scaled
from matching.core.facts import CandidateFacts
from matching.core.rules import (
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    RateWithinPay,
    Vetted,
)
from matching.core.truth import ANY_RATE, NO_RATE, compare_truth, criterion_truth, pay_range

Mask = npt.NDArray[np.bool_]
FEW_OF = 64  # a set is small that holds fewer than one person of so many
REMEMBERED = 256
"""Criteria of which a segment keeps the answer: 64 MB of them over a million people."""


class Leaf(NamedTuple):
    holds: Bits
    fails: Bits


class Leaves:
    """The criteria of one segment, each judged once; the least recently used is forgotten first. Safe for threads."""

    def __init__(self, segment: Segment, remembered: int = REMEMBERED) -> None:
        self.segment = segment
        self.words = words_for(segment.people)
        self.profiled = Profiled(segment)
        self._remembered = remembered
        self._known: OrderedDict[tuple[Criterion, date], Leaf] = OrderedDict()
        self._lock = Lock()

    def judged(self, criterion: Criterion, on: date, among: Bits | None = None) -> Leaf:
        """The criterion has to be resolved. Of others than those `among` the answer may say anything: where these are
        few, and the answer is not known yet, nobody else is looked at. Raises UnresolvedRule."""
        key = replace(criterion, disclosure=Disclosure.PUBLIC), on
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        if among is not None and size(among) * FEW_OF < self.segment.people:
            if isinstance(criterion, HasSkill):
                return _has_skill(self.segment, criterion, on, among)
            if _is_plain(self.segment, criterion):
                return _compared_among(self.segment, cast(Compare, criterion), on, rows_of(among))
        leaf = _JUDGES[type(criterion)](self.segment, criterion, on)
        with self._lock:
            self._known[key] = leaf
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return leaf

    def forget(self) -> None:
        """The answers to all criteria."""
        with self._lock:
            self._known.clear()

    def codes_among(self, column: str, people: Mask) -> dict[str, int]:
        """How many of these people have each code of a column of codes, or each member of a column of members."""
        if column in self.segment.codes:
            codes = self.segment.codes[column]
            counts = np.bincount(codes.stored[people], minlength=len(codes.texts) + 1)[1:]
            return dict(zip(codes.texts, counts.tolist(), strict=True))
        lists = self.segment.lists[column]
        return {str(key): int(people[lists.rows[lists.entries(key)]].sum()) for key in lists.slots}


def _leaf(holds: Mask, fails: Mask) -> Leaf:
    return Leaf(packed(holds), packed(fails))


def _compare(segment: Segment, criterion: Compare, on: date) -> Leaf:
    attribute = criterion.attribute
    if attribute.kind is Kind.CODE:
        return _code(segment, criterion, on)
    if attribute.column in segment.lists:
        return _members(segment, criterion)
    numbers = segment.numbers[attribute.column]
    missing = numbers.missing
    if criterion.op is Operator.EXISTS:
        return _leaf(~missing, missing) if criterion.value else _leaf(missing, ~missing)
    holds = _NUMBERS[criterion.op](numbers, criterion.value) & ~missing
    return _leaf(holds, ~holds if attribute.missing is Missing.NO else ~holds & ~missing)


def _is_plain(segment: Segment, criterion: Criterion) -> bool:
    """Whether it looks at one value of each person, in a column of its own."""
    return isinstance(criterion, Compare) and criterion.attribute.column not in segment.lists


def _compared_among(segment: Segment, criterion: Compare, on: date, rows: npt.NDArray[np.int32]) -> Leaf:
    """The same of these people alone, by their numbers."""
    column = criterion.attribute.column
    numbers, codes = segment.numbers.get(column), segment.codes.get(column)
    few = Segment(
        ids=segment.ids[rows],
        numbers={} if numbers is None else {column: Numbers(numbers.stored[rows], numbers.unit)},
        codes={} if codes is None else {column: Codes(codes.stored[rows], codes.texts)},
        lists={},
    )
    holds, fails = (rows[unpacked(bits, len(rows))] for bits in _compare(few, criterion, on))
    return Leaf(of_rows(holds, segment.people), of_rows(fails, segment.people))


def _equal(numbers: Numbers, value: Value) -> Mask:
    number = scaled(value)  # type: ignore[arg-type]
    return numbers.at_least(number) & ~numbers.above(number)


def _one_of(numbers: Numbers, values: tuple[Value, ...]) -> Mask:
    return cast(Mask, np.logical_or.reduce([_equal(numbers, value) for value in values]))


# Which known numbers a comparison accepts; what it says of missing ones is cut off later.
_NUMBERS: Mapping[Operator, Callable[[Numbers, Any], Mask]] = {
    Operator.EQ: _equal,
    Operator.IN: _one_of,
    Operator.LT: lambda numbers, value: ~numbers.at_least(scaled(value)),
    Operator.LTE: lambda numbers, value: ~numbers.above(scaled(value)),
    Operator.GT: lambda numbers, value: numbers.above(scaled(value)),
    Operator.GTE: lambda numbers, value: numbers.at_least(scaled(value)),
    Operator.BETWEEN: lambda numbers, ends: numbers.at_least(scaled(ends[0])) & ~numbers.above(scaled(ends[1])),
}


def _code(segment: Segment, criterion: Compare, on: date) -> Leaf:
    codes = segment.codes[criterion.attribute.column]
    return _by_table([compare_truth(criterion, text) for text in (None, *codes.texts)], codes.stored)


def _by_table(answers: list[bool | None], which: npt.NDArray[np.integer[Any]]) -> Leaf:
    from matching.core.columns.telling import of_cases  # numba takes a second to import: only who judges waits

    holds, fails = (np.array([answer is wanted for answer in answers]) for wanted in (True, False))
    return Leaf(of_cases(which, holds), of_cases(which, fails))


def _members(segment: Segment, criterion: Compare) -> Leaf:
    attribute = criterion.attribute
    lists = segment.lists[attribute.column]
    unlisted = ~lists.listed
    if criterion.op is Operator.EXISTS:
        return Leaf(lists.listed, unlisted) if criterion.value else Leaf(unlisted, lists.listed)
    wanted = cast("tuple[Key, ...]", criterion.value if criterion.op is Operator.IN else (criterion.value,))
    rows = np.concatenate([lists.rows[lists.entries(key)] for key in wanted])
    holds = of_rows(rows, segment.people)
    return Leaf(holds, ~holds if attribute.missing is Missing.NO else ~holds & lists.listed)


def _has_skill(segment: Segment, criterion: HasSkill, on: date, among: Bits | None = None) -> Leaf:
    """Each skill accepted is judged by its own entries, if need be by those of some people; one that holds is
    enough."""
    lists = segment.lists[SKILL.column]
    inside = None if among is None else partial(_inside, among)
    holding, unsure = [], []
    for skill_id in criterion.accepted:
        rows, fields = lists.held(skill_id, inside)
        asked = [("level", criterion.min_level * SCALE)]
        if criterion.min_years is not None:
            asked.append(("years", scaled(criterion.min_years)))
        if criterion.used_within_months is not None:
            asked.append(("last_used", scaled(months_before(on, criterion.used_within_months))))
        enough, missing = np.ones(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
        for name, least in asked:
            field = fields[name]
            absent = field.missing
            enough &= field.at_least(least) | absent
            missing |= absent
        holding.append(rows[np.flatnonzero(enough & ~missing)])
        unsure.append(rows[np.flatnonzero(enough & missing)])
    holds, may = (of_rows(np.concatenate(rows), segment.people) for rows in (holding, unsure))
    return Leaf(holds, _all_but(holds | may, segment.people))


def _inside(among: Bits, rows: Rows) -> Rows:
    from matching.core.columns.adding import inside  # numba takes a second to import: only who judges waits

    found: Rows = inside(among, rows)
    return found


def _all_but(these: Bits, people: int) -> Bits:
    """Everybody else. Bits past the last person stay zero."""
    others = ~these
    if people % WORD:
        others[-1] &= np.uint64((1 << people % WORD) - 1)
    return others


def _has_language(segment: Segment, criterion: HasLanguage, on: date) -> Leaf:
    lists = segment.lists[LANGUAGE.column]
    entries = lists.entries(criterion.language)
    enough = lists.fields[VALUE].part(entries).at_least(criterion.min_level * SCALE)
    holds = of_rows(lists.rows[entries][enough], segment.people)
    return Leaf(holds, lists.listed & ~holds)


def _may_work_in(segment: Segment, criterion: MayWorkIn, on: date) -> Leaf:
    lists = segment.lists[WORK_AUTHORISATION.column]
    entries = lists.entries(criterion.country)
    last_day = lists.fields[VALUE].part(entries)
    holds = of_rows(lists.rows[entries][last_day.missing | last_day.at_least(scaled(on))], segment.people)
    return Leaf(holds, lists.listed & ~holds)


def _vetted(segment: Segment, criterion: Vetted, on: date) -> Leaf:
    lists = segment.lists[VETTING.column]
    entries = lists.entries(criterion.check)
    rows, until = lists.rows[entries], lists.fields["until"].part(entries)
    good = lists.fields["passed"].part(entries).at_least(SCALE) & (until.missing | until.at_least(scaled(on)))
    return Leaf(of_rows(rows[good], segment.people), of_rows(rows[~good], segment.people))


def _places(segment: Segment) -> tuple[npt.NDArray[np.uint16], list[CandidateFacts]]:
    """Where each person lives, as the number of one of these: nowhere known, each country, each region."""
    country, region = (segment.codes[name] for name in PLACE.columns)
    homes = [CandidateFacts(0)]
    homes += [CandidateFacts(0, country=text) for text in country.texts]
    homes += [CandidateFacts(0, region=text) for text in region.texts]
    in_region = region.stored > 0
    which = np.where(in_region, region.stored + np.uint16(len(country.texts)), country.stored)
    return which.astype(np.uint16), homes


def _lives_in(segment: Segment, criterion: LivesIn, on: date) -> Leaf:
    which, homes = _places(segment)
    return _by_table([criterion_truth(criterion, home, on) for home in homes], which)


def _hours_overlap(segment: Segment, criterion: HoursOverlap, on: date) -> Leaf:
    """As `longest_overlap` has it, for all at once."""
    starts, minutes = (segment.numbers[name] for name in WORKING_HOURS.columns)
    known = ~(starts.missing | minutes.missing)
    start = (starts.stored.astype(np.int32) * starts.unit) // SCALE
    length = (minutes.stored.astype(np.int32) * minutes.unit) // SCALE
    other, other_length = criterion.starts_utc(on), criterion.length
    shared = np.zeros(segment.people, np.int32)
    for turn in (-DAY_MINUTES, 0, DAY_MINUTES):
        end = np.minimum(start + length, other + turn + other_length)
        np.maximum(shared, end - np.maximum(start, other + turn), out=shared)
    whole_day = (length >= DAY_MINUTES) | (other_length >= DAY_MINUTES)
    shared = np.where(whole_day, np.minimum(length, other_length), shared)
    enough = shared >= criterion.minutes
    return _leaf(known & enough, known & ~enough)


def _rate_within_pay(segment: Segment, criterion: RateWithinPay, on: date) -> Leaf:
    which, homes = _places(segment)
    ranges = [pay_range(criterion.ceilings, home) for home in homes]
    lows = np.array([_bound(low) for low, _ in ranges])[which]
    highs = np.array([_bound(high) for _, high in ranges])[which]
    rates = segment.numbers[PAY.column]
    rate = rates.stored.astype(np.int64) * rates.unit
    rate[rates.missing] = MISSING
    anything, nothing = lows == _bound(ANY_RATE), highs == _bound(NO_RATE)
    known = rate != MISSING
    holds = anything | (~nothing & known & (rate <= lows))
    return _leaf(holds, ~holds & (nothing | (known & (rate > highs))))


def _bound(rate: Decimal) -> int:
    """A rate no finer than those of the column: they are all above it, or not, as they are of the exact one."""
    if rate.is_infinite():
        return 2**62 if rate > 0 else -(2**62)
    return int((rate * SCALE).to_integral_value(ROUND_FLOOR))


_JUDGES: Mapping[type, Callable[[Segment, Any, date], Leaf]] = {
    Compare: _compare,
    HasSkill: _has_skill,
    HasLanguage: _has_language,
    MayWorkIn: _may_work_in,
    LivesIn: _lives_in,
    HoursOverlap: _hours_overlap,
    RateWithinPay: _rate_within_pay,
    Vetted: _vetted,
}
