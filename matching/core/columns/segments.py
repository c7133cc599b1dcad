"""Segments: the facts of some people, column by column, frozen.

A fact of one value is an array as long as there are people. Facts of several values (skills, languages, groups …) are
kept the other way round: for each skill the people who have it, so that a criterion reads only those. Numbers, days
and truth values are whole multiples of a ten-thousandth, kept in the coarsest unit and the narrowest type that hold
all of them exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from matching.core.attributes import (
    ATTRIBUTES,
    DECIMALS,
    LANGUAGE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Attribute,
    Kind,
)
from matching.core.columns.bits import Bits, of_rows

Ints: TypeAlias = npt.NDArray[np.signedinteger[Any]]
Rows: TypeAlias = npt.NDArray[np.integer[Any]]
"""People of a segment by their numbers, or entries by their places in a list."""
Inside: TypeAlias = Callable[[Rows], Rows]
"""Which of those on a list, ascending, are of certain people: by their places in the list."""
Key: TypeAlias = int | str
SCALE = 10**DECIMALS
MISSING = np.iinfo(np.int64).min
EPOCH = date(1970, 1, 1).toordinal()
FEW = 512  # numbers, of which each is sooner reckoned by itself


class Form(StrEnum):
    """How a column of the candidate projection is kept."""

    NUMBER = "number"
    DAY = "day"
    CODE = "code"
    MEMBERS = "members"  # an array: groups, commitments
    ENTRIES = "entries"  # a JSON object, each entry with fields of its own: skills, languages


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the projection. `by_id`: its entries are rows' ids, not codes. `fields` are those of each entry's
    own object; (VALUE,) where an entry is a plain value."""

    name: str
    form: Form
    by_id: bool = False
    fields: tuple[str, ...] = ()


VALUE = "value"
_FORMS = {
    Kind.WHOLE: Form.NUMBER,
    Kind.DECIMAL: Form.NUMBER,
    Kind.DATE: Form.DAY,
    Kind.CODE: Form.CODE,
    Kind.CODES: Form.MEMBERS,
    Kind.IDS: Form.MEMBERS,
}


def columns_for(attributes: Mapping[str, Attribute]) -> tuple[Column, ...]:
    """What has to be read for rules over these attributes, and for the criteria that have a form of their own."""
    plain = (Column(each.column, _FORMS[each.kind], each.kind is Kind.IDS) for each in attributes.values())
    structured = (
        Column(SKILL.column, Form.ENTRIES, by_id=True, fields=("level", "years", "last_used")),
        Column(LANGUAGE.column, Form.ENTRIES, fields=(VALUE,)),
        Column(WORK_AUTHORISATION.column, Form.ENTRIES, fields=(VALUE,)),
        Column(VETTING.column, Form.ENTRIES, fields=("passed", "until")),
        *(Column(name, Form.NUMBER) for name in WORKING_HOURS.columns),
    )
    return tuple({column.name: column for column in (*plain, *structured)}.values())


# What only scoring reads, each in the column of its name.
SCORED_COLUMNS = (
    Column("title_words", Form.MEMBERS),
    Column("occupations", Form.MEMBERS, by_id=True),
    Column("mentioned_skills", Form.MEMBERS, by_id=True),
    Column("worked_for", Form.MEMBERS, by_id=True),
    Column("invitations_answered", Form.NUMBER),
    Column("invitations_received", Form.NUMBER),
    Column("offers_accepted", Form.NUMBER),
    Column("offers_decided", Form.NUMBER),
    Column("placements_completed", Form.NUMBER),
    Column("placements_over", Form.NUMBER),
    Column("last_active_on", Form.DAY),
)
COLUMNS = (*columns_for(ATTRIBUTES), *SCORED_COLUMNS)


def scaled(value: int | Decimal | date) -> int:
    """A rule's value as the columns hold it. Exact: rules have no finer numbers."""
    return (value.toordinal() - EPOCH) * SCALE if isinstance(value, date) else int(value * SCALE)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Numbers, each `stored` × `unit` ten-thousandths; the type's lowest number stands for a missing one."""

    stored: Ints
    unit: int

    @classmethod
    def of(cls, values: npt.NDArray[np.int64]) -> Numbers:
        """From ten-thousandths, MISSING where there is none."""
        known = values[values != MISSING]
        unit = next(unit for unit in (SCALE, SCALE // 10, SCALE // 100, SCALE // 1000, 1) if not (known % unit).any())
        lowest, highest = (int(known.min()) // unit, int(known.max()) // unit) if len(known) else (0, 0)
        dtype = _narrowest(lowest - 1, highest)
        stored = np.full(len(values), np.iinfo(dtype).min, dtype)
        stored[values != MISSING] = known // unit
        return cls(stored, unit)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        return self.stored == np.iinfo(self.stored.dtype).min

    def at_least(self, value: int) -> npt.NDArray[np.bool_]:
        """Which are known and not below so many ten-thousandths."""
        least = -(-value // self.unit)
        return self.stored >= max(least, int(np.iinfo(self.stored.dtype).min) + 1)

    def above(self, value: int) -> npt.NDArray[np.bool_]:
        return self.at_least(value + 1)

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest stored; zeros where nothing is known."""
        known = self.stored[~self.missing]
        return (int(known.min()), int(known.max())) if len(known) else (0, 0)

    def recast(self, unit: int, dtype: type[np.signedinteger[Any]]) -> Ints:
        """The same numbers in a unit that divides theirs, in a type that holds them."""
        if unit == self.unit and dtype == self.stored.dtype:
            return self.stored
        values = (self.stored.astype(np.int64) * (self.unit // unit)).astype(dtype)
        values[self.missing] = np.iinfo(dtype).min
        return values

    def part(self, which: slice | Rows) -> Numbers:
        return Numbers(self.stored[which], self.unit)

    @property
    def ten_thousandths(self) -> npt.NDArray[np.int64]:
        """MISSING where there is none."""
        values = self.stored.astype(np.int64) * self.unit
        values[self.missing] = MISSING
        return values

    def mapped(self, what: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]) -> npt.NDArray[np.int16]:
        """What a function of ten-thousandths, or of MISSING, gives for each, in small numbers: asked once for every
        number that lies between them where these are fewer."""
        stored, kind = self.stored, np.iinfo(self.stored.dtype)
        if kind.bits > 16 or len(stored) < FEW:
            return what(self.ten_thousandths).astype(np.int16)
        lowest = int(np.min(stored, where=stored != kind.min, initial=kind.max))
        between = np.array([kind.min, *range(lowest, int(stored.max()) + 1)], stored.dtype)
        unsigned = np.dtype(f"u{stored.itemsize}")
        table = np.empty(2**kind.bits, np.int16)
        table[between.view(unsigned)] = what(Numbers(between, self.unit).ten_thousandths)
        return table[stored.view(unsigned)]

    @property
    def nbytes(self) -> int:
        return self.stored.nbytes


def _narrowest(lowest: int, highest: int) -> type[np.signedinteger[Any]]:
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= lowest and highest <= np.iinfo(dtype).max:
            return dtype
    return np.int64


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """One code a person: its place among `texts`, counted from one; 0 where there is none."""

    stored: npt.NDArray[np.uint16]
    texts: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        return self.stored.nbytes


@dataclass(frozen=True, eq=False)
class Lists:
    """For each key the people who have it. Those of the key in slot n are `rows[starts[n]:starts[n + 1]]`, ascending,
    and the fields of these entries stand at the same places."""

    people: int
    slots: Mapping[Key, int]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    fields: Mapping[str, Numbers]

    def entries(self, key: Key) -> slice:
        slot = self.slots.get(key)
        return slice(0, 0) if slot is None else slice(int(self.starts[slot]), int(self.starts[slot + 1]))

    def held(self, key: Key, inside: Inside | None = None) -> tuple[Rows, dict[str, Numbers]]:
        """Who has a key, and the fields of these entries; of those alone that are `inside`, if it is given."""
        entries = self.entries(key)
        rows, fields = self.rows[entries], {name: field.part(entries) for name, field in self.fields.items()}
        if inside is None:
            return rows, fields
        chosen = inside(rows)
        return rows[chosen], {name: field.part(chosen) for name, field in fields.items()}

    @cached_property
    def listed(self) -> Bits:
        """Those who have any entry."""
        return of_rows(self.rows, self.people)

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.rows.nbytes + sum(one.nbytes for one in self.fields.values())


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """People by number, 0 … people − 1; `ids` are their candidates' inner ids, ascending."""

    ids: npt.NDArray[np.int64]
    numbers: Mapping[str, Numbers]
    codes: Mapping[str, Codes]
    lists: Mapping[str, Lists]

    @property
    def people(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        columns: list[Numbers | Codes | Lists] = [*self.numbers.values(), *self.codes.values(), *self.lists.values()]
        return self.ids.nbytes + sum(column.nbytes for column in columns)

    def rows_of(self, candidate_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """The numbers of those of these candidates who are in the segment."""
        at = np.searchsorted(self.ids, candidate_ids)
        inside = at < len(self.ids)
        inside[inside] = self.ids[at[inside]] == candidate_ids[inside]
        return at[inside]


def joined(segments: Sequence[Segment], kept: Sequence[npt.NDArray[np.bool_]] | None = None) -> Segment:
    """One segment of the people of several, in order of their ids; `kept` tells which of each to take, if not all.
    Nobody is in two of them."""
    kept = kept or [np.ones(segment.people, np.bool_) for segment in segments]
    ids = np.concatenate([segment.ids[keep] for segment, keep in zip(segments, kept, strict=True)])
    order = np.argsort(ids, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    moved: list[npt.NDArray[np.int32]] = []  # for each segment where its people go, −1 for those left out
    first = 0
    for segment, keep in zip(segments, kept, strict=True):
        to = np.full(segment.people, -1, np.int32)
        stay = int(keep.sum())
        to[keep] = place[first : first + stay]
        moved.append(to)
        first += stay
    one = segments[0]
    return Segment(
        ids=ids[order],
        numbers={name: _joined_numbers([each.numbers[name] for each in segments], kept, order) for name in one.numbers},
        codes={name: _joined_codes([each.codes[name] for each in segments], kept, order) for name in one.codes},
        lists={name: _joined_lists([each.lists[name] for each in segments], moved, len(ids)) for name in one.lists},
    )


def _joined_numbers(
    parts: Sequence[Numbers], kept: Sequence[npt.NDArray[np.bool_]], order: npt.NDArray[np.intp]
) -> Numbers:
    unit, dtype = _common(parts)
    stored = [part.recast(unit, dtype)[keep] for part, keep in zip(parts, kept, strict=True)]
    return Numbers(np.concatenate(stored)[order], unit)


def _common(parts: Sequence[Numbers]) -> tuple[int, type[np.signedinteger[Any]]]:
    """The unit and the type that hold the numbers of all parts."""
    unit = min(part.unit for part in parts)
    bounds = [part.bounds for part in parts]
    factors = [part.unit // unit for part in parts]
    lowest = min(low * factor for (low, _), factor in zip(bounds, factors, strict=True))
    highest = max(high * factor for (_, high), factor in zip(bounds, factors, strict=True))
    return unit, _narrowest(lowest - 1, highest)


def _joined_codes(parts: Sequence[Codes], kept: Sequence[npt.NDArray[np.bool_]], order: npt.NDArray[np.intp]) -> Codes:
    texts = tuple(sorted({text for part in parts for text in part.texts}))
    place = {text: at for at, text in enumerate(texts, start=1)}
    stored = [
        np.array([0, *(place[text] for text in part.texts)], np.uint16)[part.stored[keep]]
        for part, keep in zip(parts, kept, strict=True)
    ]
    return Codes(np.concatenate(stored)[order], texts)


def _joined_lists(parts: Sequence[Lists], moved: Sequence[npt.NDArray[np.int32]], people: int) -> Lists:
    """Entries that have a key stand together in every part: where each goes among all follows by counting."""
    keys: list[Key] = sorted({key for part in parts for key in part.slots})
    slots = {key: slot for slot, key in enumerate(keys)}
    theirs = [np.array([slots[key] for key in part.slots], np.int64) for part in parts]  # the new slot of each old one
    stays = [to[part.rows] >= 0 for part, to in zip(parts, moved, strict=True)]
    olds = [_slots_of(part)[stay] for part, stay in zip(parts, stays, strict=True)]
    counts = [np.bincount(old, minlength=len(part.slots)) for old, part in zip(olds, parts, strict=True)]
    totals = np.zeros(len(keys), np.int64)
    for their, count in zip(theirs, counts, strict=True):
        totals[their] += count
    starts = np.concatenate([[0], np.cumsum(totals)]).astype(np.int64)
    filled = starts[:-1].copy()
    places: list[npt.NDArray[np.int64]] = []
    for old, their, count in zip(olds, theirs, counts, strict=True):
        before = np.cumsum(count) - count
        places.append((filled[their] - before)[old] + np.arange(len(old)))
        filled[their] += count
    rows = np.empty(int(starts[-1]), np.int32)
    for part, to, stay, at in zip(parts, moved, stays, places, strict=True):
        rows[at] = to[part.rows[stay]]
    fields: dict[str, Numbers] = {}
    for name in parts[0].fields:
        unit, dtype = _common([part.fields[name] for part in parts])
        stored = np.empty(len(rows), dtype)
        for part, stay, at in zip(parts, stays, places, strict=True):
            stored[at] = part.fields[name].recast(unit, dtype)[stay]
        fields[name] = Numbers(stored, unit)
    _put_in_order(starts, rows, [field.stored for field in fields.values()])
    return Lists(people, slots, starts, rows, fields)


def _put_in_order(starts: npt.NDArray[np.int64], rows: npt.NDArray[np.int32], fields: Sequence[Ints]) -> None:
    """Entries of each key by the people's numbers, so that few people are found among many by halving."""
    falls = np.flatnonzero(rows[1:] < rows[:-1]) + 1
    unordered = np.unique(np.searchsorted(starts, falls, side="right") - 1)
    for first, last in zip(starts[unordered].tolist(), starts[unordered + 1].tolist(), strict=True):
        order = np.argsort(rows[first:last])
        for stored in (rows, *fields):
            stored[first:last] = stored[first:last][order]


def _slots_of(part: Lists) -> npt.NDArray[np.int32]:
    """The slot of each entry."""
    return np.repeat(np.arange(len(part.slots), dtype=np.int32), np.diff(part.starts))
