"""Criteria about facts with an inside of their own, each kind judged together: skills, languages, places, hours, pay.

A kind has `add(cell, criterion)`, which tells whether it could take the criterion in, and `judge`, which writes the
truth of each into its cell. Cells are false before. What each means is `matching.core.truth`'s to say.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np

from matching.core.clock import DAY_MINUTES, months_before, utc_offset_minutes
from matching.core.facts import CandidateFacts
from matching.core.inverse.columns import (
    FALSE,
    LEAST,
    MOST,
    TRUE,
    UNKNOWN,
    Cells,
    Column,
    Numbers,
    measure_of,
    measured,
)
from matching.core.rules.grammar import HasLanguage, HasSkill, HoursOverlap, LivesIn, RateWithinPay
from matching.core.truth import UnresolvedRule

NOT_ASKED = -1


class _OneSkill:
    """What all criteria ask of one skill; months index the last days on which it must have been used since."""

    def __init__(self) -> None:
        self.cells, self.levels, self.years, self.months = Column(), Column(), Column(), Column()


class Skills:
    """Only the criteria on skills that the person has are looked at; all others are false."""

    def __init__(self) -> None:
        self._by_skill: dict[int, _OneSkill] = defaultdict(_OneSkill)
        self._longest = 0
        self._since: tuple[date, Numbers] = (date.min, np.zeros(0, dtype=np.int64))

    def add(self, cell: int, criterion: HasSkill) -> bool:
        years = NOT_ASKED if criterion.min_years is None else measure_of(criterion.min_years)
        if years is None:
            return False
        months = NOT_ASKED if criterion.used_within_months is None else criterion.used_within_months
        self._longest = max(self._longest, months)
        for skill_id in set(criterion.accepted):
            asked = self._by_skill[skill_id]
            asked.cells.append(cell)
            asked.levels.append(criterion.min_level)
            asked.years.append(years)
            asked.months.append(months)
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        since = self._first_days(on)
        for skill_id, has in facts.skills.items():
            asked = self._by_skill.get(skill_id)
            if asked is None:
                continue
            years, months = asked.years.values, asked.months.values
            truths = np.where(has.level >= asked.levels.values, TRUE, FALSE)
            if has.years is None:
                truths = np.minimum(truths, np.where(years == NOT_ASKED, TRUE, UNKNOWN))
            else:
                truths = np.where(measured(has.years) >= years, truths, FALSE)
            if has.last_used_on is None:
                truths = np.minimum(truths, np.where(months == NOT_ASKED, TRUE, UNKNOWN))
            else:
                truths = np.where(has.last_used_on.toordinal() >= since[months], truths, FALSE)
            at = asked.cells.values
            cells[at] = np.maximum(cells[at], truths)  # any of those accepted will do

    def _first_days(self, on: date) -> Numbers:
        """By months, the first day that is recent enough, as an ordinal; at `NOT_ASKED`, the last place, any day is."""
        if self._since[0] != on or len(self._since[1]) != self._longest + 2:
            days = [months_before(on, months).toordinal() for months in range(self._longest + 1)]
            self._since = on, np.array([*days, 0], dtype=np.int64)
        return self._since[1]


class Languages:
    def __init__(self) -> None:
        self._all = Column()
        self._by_language: dict[str, tuple[Column, Column]] = defaultdict(lambda: (Column(), Column()))

    def add(self, cell: int, criterion: HasLanguage) -> bool:
        if criterion.min_level < 1:  # which those meet who do not speak it
            return False
        self._all.append(cell)
        cells, levels = self._by_language[criterion.language]
        cells.append(cell)
        levels.append(criterion.min_level)
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        if not facts.languages:
            cells[self._all.values] = UNKNOWN
        for language, level in facts.languages.items():
            if language in self._by_language:
                at, levels = self._by_language[language]
                cells[at.values] = np.where(level >= levels.values, TRUE, FALSE)


class Places:
    def __init__(self) -> None:
        self._all = Column()
        self._at: dict[str, Column] = defaultdict(Column)
        self._within: dict[str, Column] = defaultdict(Column)  # country → those that name a region of it

    def add(self, cell: int, criterion: LivesIn) -> bool:
        self._all.append(cell)
        for place in criterion.places:
            self._at[place].append(cell)
            country, dash, _ = place.partition("-")
            if dash:
                self._within[country].append(cell)
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        if facts.region:
            self._mark(cells, self._at, facts.region, TRUE)
            self._mark(cells, self._at, facts.region[:2], TRUE)
        elif facts.country:
            self._mark(cells, self._within, facts.country, UNKNOWN)
            self._mark(cells, self._at, facts.country, TRUE)
        else:
            cells[self._all.values] = UNKNOWN

    @staticmethod
    def _mark(cells: Cells, named: dict[str, Column], place: str, truth: int) -> None:
        if place in named:
            cells[named[place].values] = truth


class Overlaps:
    def __init__(self) -> None:
        self._cells, self._minutes, self._starts, self._lengths, self._zones = (Column() for _ in range(5))
        self._place_of: dict[str, int] = {}
        self._offsets: tuple[date, Numbers] = (date.min, np.zeros(0, dtype=np.int64))

    def add(self, cell: int, criterion: HoursOverlap) -> bool:
        self._cells.append(cell)
        self._minutes.append(criterion.minutes)
        self._starts.append(criterion.starts_minute)
        self._lengths.append(criterion.length)
        self._zones.append(self._place_of.setdefault(criterion.timezone, len(self._place_of)))
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        window = facts.working_window
        if window is None:
            cells[self._cells.values] = UNKNOWN
            return
        start, length = window
        starts = (self._starts.values - self._offsets_on(on)[self._zones.values]) % DAY_MINUTES
        lengths = self._lengths.values
        shared = np.zeros(len(starts), dtype=np.int64)
        for turn in (-DAY_MINUTES, 0, DAY_MINUTES):
            begins = np.maximum(start, starts + turn)
            shared = np.maximum(shared, np.minimum(start + length, starts + turn + lengths) - begins)
        whole = (lengths >= DAY_MINUTES) | (length >= DAY_MINUTES)
        shared = np.where(whole, np.minimum(lengths, length), shared)
        cells[self._cells.values] = np.where(shared >= self._minutes.values, TRUE, FALSE)

    def _offsets_on(self, on: date) -> Numbers:
        if self._offsets[0] != on or len(self._offsets[1]) != len(self._place_of):
            offsets = [utc_offset_minutes(zone, on) or 0 for zone in self._place_of]
            self._offsets = on, np.array(offsets, dtype=np.int64)
        return self._offsets[1]


class PayCeilings:
    """Rows, one a criterion, with the pay that holds where no other does; and by place, those that name it."""

    def __init__(self) -> None:
        self._cells, self._elsewhere, self._lowest, self._highest = (Column() for _ in range(4))
        self._at: dict[str, tuple[Column, Column]] = defaultdict(lambda: (Column(), Column()))  # rows and their pay
        self._within: dict[str, set[str]] = defaultdict(set)  # country → places in it

    def add(self, cell: int, criterion: RateWithinPay) -> bool:
        if criterion.ceilings is None:
            raise UnresolvedRule("the pay of the opportunity is not known to the rule")
        by_place = {one.place: MOST if one.hourly is None else measure_of(one.hourly) for one in criterion.ceilings}
        pays = [pay for pay in by_place.values() if pay is not None]
        if len(pays) < len(by_place):
            return False
        elsewhere = by_place.get("", LEAST)
        row = len(self._cells)
        self._cells.append(cell)
        self._elsewhere.append(elsewhere if elsewhere is not None else LEAST)
        self._lowest.append(min(pays, default=LEAST) if "" in by_place else LEAST)
        self._highest.append(max(pays, default=LEAST))
        for place, pay in zip(by_place, pays, strict=True):
            if place:
                rows, paid = self._at[place]
                rows.append(row)
                paid.append(pay)
                country, dash, _ = place.partition("-")
                if dash:
                    self._within[country].add(place)
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        low, high = self._range(facts)
        if facts.hourly_rate is None:
            truths = np.where(low == MOST, TRUE, np.where(high == LEAST, FALSE, UNKNOWN))
        else:
            rate = measured(facts.hourly_rate)
            truths = np.where(rate <= low, TRUE, np.where(rate > high, FALSE, UNKNOWN))
        cells[self._cells.values] = truths

    def _range(self, facts: CandidateFacts) -> tuple[Numbers, Numbers]:
        """The lowest and the highest pay that may hold where they live, by row."""
        country = facts.region[:2] if facts.region else facts.country
        if not country:
            return self._lowest.values, self._highest.values
        low = self._elsewhere.values.copy()
        for place in (country, facts.region):
            if place in self._at:
                rows, pay = self._at[place]
                low[rows.values] = pay.values
        if facts.region:
            return low, low
        high = low.copy()
        for place in self._within.get(country, ()):
            rows, pay = self._at[place]
            low[rows.values] = np.minimum(low[rows.values], pay.values)
            high[rows.values] = np.maximum(high[rows.values], pay.values)
        return low, high
