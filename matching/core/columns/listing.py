"""Features told by lists: skills, words of titles, occupations and organisations are kept with those who have them.

So only those are touched who are on a list that an opportunity asks about; all others have what `Line.least` says.
`LISTED` names the features, each the same integers as `matching.core.features` has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from matching.core.attributes import SKILL
from matching.core.columns.bits import Bits, unpacked
from matching.core.columns.segments import SCALE, Key, Numbers, Rows, Segment
from matching.core.columns.valuing import recencies, share_of_years, shares
from matching.core.facts import OpportunityTerms, SkillTerm
from matching.core.features import FULL, NEUTRAL
from matching.core.features.skills import MENTIONED

FEW_OF = 5  # a set is small that holds fewer than every fifth person
LOOKED_UP = 64  # in the time that it takes to find somebody on a list, so many of a list are looked up in a set
MENTIONS, TITLES, OCCUPATIONS, EMPLOYERS = "mentioned_skills", "title_words", "occupations", "worked_for"


class Line(NamedTuple):
    """What a feature is worth to each of some people: `least` + `sums` ÷ `divisor`, rounded down."""

    sums: npt.NDArray[np.int32]
    divisor: int = 1
    least: int = 0


def loops() -> Any:
    """The compiled loops: numba takes a second to import, so only who scores waits for it."""
    from matching.core.columns import adding

    return adding


class Members:
    """A set of people of a segment, and lists that touch them."""

    def __init__(self, segment: Segment, bits: Bits) -> None:
        self.segment = segment
        self._bits = bits
        ones = np.bitwise_count(bits).astype(np.int32)
        self._before = np.cumsum(ones, dtype=np.int32) - ones
        self._is_everybody = int(ones.sum(dtype=np.int64)) == segment.people
        self.rows: npt.NDArray[np.int32] = loops().members(bits, int(ones.sum(dtype=np.int64)))

    def skilled(self, skill_id: int) -> tuple[Rows, dict[str, Numbers]]:
        """Who has a skill, and the fields of these entries; of the members alone where these are few."""
        are_few = len(self.rows) * FEW_OF < self.segment.people
        return self.segment.lists[SKILL.column].held(skill_id, self._inside if are_few else None)

    def _inside(self, rows: Rows) -> Rows:
        if len(self.rows) * LOOKED_UP >= len(rows):
            found: Rows = loops().inside(self._bits, rows)
            return found
        places = np.minimum(np.searchsorted(rows, self.rows), len(rows) - 1)
        return places[rows[places] == self.rows]

    def nothing(self) -> npt.NDArray[np.int32]:
        return np.zeros(len(self.rows), np.int32)

    def on(self, column: str, keys: Iterable[Key]) -> Sequence[npt.NDArray[np.int32]]:
        """For each key that somebody has, who has it."""
        lists = self.segment.lists[column]
        found = [lists.rows[lists.entries(key)] for key in keys]
        return [rows for rows in found if len(rows)]

    def listed(self, column: str) -> npt.NDArray[np.bool_]:
        """Which of the people are on any list of a column."""
        return unpacked(self.segment.lists[column].listed, self.segment.people)[self.rows]

    def add(self, sums: npt.NDArray[np.int32], rows: Rows, credit: Any, weight: int = 1) -> None:
        """Give those who are on a list weight × their credit; one credit for all, or one each."""
        each = np.ascontiguousarray(np.broadcast_to(np.asarray(credit, np.int16), rows.shape))
        if self._is_everybody:
            loops().add_to_all(sums, rows, each, weight)
        else:
            loops().add_credit(sums, self._bits, self._before, rows, each, weight)

    def raise_to(self, sums: npt.NDArray[np.int32], rows: npt.NDArray[np.int32], credit: int) -> None:
        """Give those who are on a list this credit, if they have less."""
        loops().raise_to(sums, self._bits, self._before, rows, credit)


def _coverage(required: bool) -> Callable[[Members, OpportunityTerms], Line | int]:
    def line(members: Members, terms: OpportunityTerms) -> Line | int:
        asked = [term for term in terms.skills if term.required is required]
        whole = sum(term.weight for term in asked)
        if whole <= 0:
            return NEUTRAL
        return Line(coverage(members, asked, terms.on), whole)

    return line


def coverage(members: Members, asked: Sequence[SkillTerm], on: date | None) -> npt.NDArray[np.int32]:
    """For each of the people, the credit of the skills asked, each times its weight."""
    sums = members.nothing()
    for term in asked:
        rows, fields = members.skilled(term.skill_id)
        if len(rows):  # most who have a skill may be none of them: their credit is not reckoned
            members.add(sums, rows, _credit(fields, term, on), term.weight)
    return sums


def _credit(fields: Mapping[str, Numbers], term: SkillTerm, on: date | None) -> npt.NDArray[np.int16]:
    """Thousandths of one asked skill, for each who has it."""
    credit = fields["level"].mapped(lambda level: shares(level // SCALE, term.min_level))

    def less(part: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        return (np.multiply(credit, part, dtype=np.int32) // FULL).astype(np.int16)

    if term.min_years is not None and term.min_years > 0:
        asked = term.min_years
        credit = less(fields["years"].mapped(lambda years: share_of_years(years, asked)))
    if on is not None:
        day = on
        credit = less(fields["last_used"].mapped(lambda used: recencies(used, day)))
    return credit


def _near_skills(members: Members, terms: OpportunityTerms) -> Line | int:
    whole = sum(term.weight for term in terms.skills)
    if whole <= 0:
        return NEUTRAL
    sums = members.nothing()
    for term in terms.skills:
        nearest = members.nothing()
        for skill_id, closeness in ((term.skill_id, FULL), *term.near):
            for rows in members.on(SKILL.column, [skill_id]):
                members.raise_to(nearest, rows, closeness)
            for rows in members.on(MENTIONS, [skill_id]):
                members.raise_to(nearest, rows, closeness * MENTIONED // FULL)
        sums += term.weight * nearest
    return Line(sums, whole)


def _title_affinity(members: Members, terms: OpportunityTerms) -> Line | int:
    if terms.occupation is None and not terms.title_words:
        return NEUTRAL
    value = np.full(len(members.rows), NEUTRAL, np.int32)
    if terms.occupation is not None:
        value[members.listed(OCCUPATIONS)] = 0
    if terms.title_words:
        common = members.nothing()
        for rows in members.on(TITLES, terms.title_words):
            members.add(common, rows, 1)
        told = members.listed(TITLES)
        value[told] = common[told] * FULL // len(terms.title_words)
    if terms.occupation is not None:
        for rows in members.on(OCCUPATIONS, [terms.occupation]):
            members.raise_to(value, rows, FULL)
    return Line(value)


def _text_affinity(members: Members, terms: OpportunityTerms) -> Line | int:
    if not terms.described_skills:
        return NEUTRAL
    sums = members.nothing()
    for skill_id in terms.described_skills:
        met = [*members.on(SKILL.column, [skill_id]), *members.on(MENTIONS, [skill_id])]
        if len(met) == 1:
            members.add(sums, met[0], FULL)
        elif met:
            once = members.nothing()
            for rows in met:
                members.raise_to(once, rows, FULL)
            sums += once
    return Line(sums, len(terms.described_skills))


def _past_work(members: Members, terms: OpportunityTerms) -> Line | int:
    known = members.on(EMPLOYERS, terms.organisations)
    if not known:
        return NEUTRAL
    sums = members.nothing()
    for rows in known:
        members.raise_to(sums, rows, FULL - NEUTRAL)
    return Line(sums, least=NEUTRAL)


LISTED: Mapping[str, Callable[[Members, OpportunityTerms], Line | int]] = {
    "required_skills": _coverage(required=True),
    "preferred_skills": _coverage(required=False),
    "near_skills": _near_skills,
    "title_affinity": _title_affinity,
    "text_affinity": _text_affinity,
    "past_work": _past_work,
}
