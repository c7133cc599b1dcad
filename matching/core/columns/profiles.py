"""Profiles: what a feature reads of a person besides skills, as the number of one of few cases.

Thirty countries, a hundred rates, forty kinds of week: a feature's value depends on the case alone, so it is reckoned
once a case and looked up for each person. The numbers of one person's cases stand side by side, two bytes each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from matching.core.attributes import PLACE, WORKING_HOURS
from matching.core.columns.segments import MISSING, SCALE, Segment

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cases:
    """The different cases of one kind: `facts` holds each as one line an aspect, MISSING where nothing is known.
    `texts` are the codes that aspects of codes count from one."""

    facts: Sequence[Whole]
    texts: Sequence[tuple[str, ...]] = ()

    @property
    def count(self) -> int:
        return len(self.facts[0])


@dataclass(frozen=True, eq=False)
class Profiles:
    """`codes[person, place]` is the number of the person's case of the kind at that place of `kinds`."""

    codes: npt.NDArray[np.unsignedinteger]
    kinds: Mapping[str, Cases]

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {kind: place for place, kind in enumerate(self.kinds)}

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes


class Profiled:
    """The profiles of a segment, made when they are first asked for. Safe for threads."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._lock = Lock()
        self._made: Profiles | None = None

    @property
    def profiles(self) -> Profiles:
        with self._lock:
            if self._made is None:
                self._made = profiles_of(self._segment)
            return self._made

    @property
    def nbytes(self) -> int:
        return self._made.nbytes if self._made is not None else 0


def profiles_of(segment: Segment) -> Profiles:
    kinds: dict[str, Cases] = {}
    numbered: list[Whole] = []
    for kind, aspects_of in _ASPECTS.items():
        aspects, texts = aspects_of(segment)
        codes, examples = _told_apart(aspects, segment.people)
        numbered.append(codes)
        kinds[kind] = Cases([aspect[examples] for aspect in aspects], texts)
    most = max(cases.count for cases in kinds.values())
    stored = np.empty((segment.people, len(kinds)), np.uint16 if most <= 2**16 else np.uint32)
    for place, codes in enumerate(numbered):
        stored[:, place] = codes
    return Profiles(stored, kinds)


Aspects = tuple[Sequence[Whole], Sequence[tuple[str, ...]]]


def _numbers(*columns: str) -> Callable[[Segment], Aspects]:
    return lambda segment: ([segment.numbers[column].ten_thousandths for column in columns], ())


def _free_hours(segment: Segment) -> Aspects:
    """All hours wanted count as free where the free ones are not known."""
    free, wanted = (segment.numbers[name].ten_thousandths for name in ("free_hours", "weekly_hours"))
    return [np.where(free == MISSING, wanted, free)], ()


def _home(segment: Segment) -> Aspects:
    codes = [segment.codes[name] for name in PLACE.columns]
    return [each.stored.astype(np.int64) for each in codes], [each.texts for each in codes]


def _clock(segment: Segment) -> Aspects:
    """Offset from UTC, start of the working day in UTC, and its length, in minutes."""
    names = ("utc_offset_minutes", *WORKING_HOURS.columns)
    minutes = [segment.numbers[name].ten_thousandths for name in names]
    return [np.where(each == MISSING, MISSING, each // SCALE) for each in minutes], ()


def _commitments(segment: Segment) -> Aspects:
    """One aspect for each kind of commitment: 1 where it is wanted."""
    lists = segment.lists["commitments"]
    kinds = sorted(map(str, lists.slots))
    wanted = np.zeros((len(kinds), segment.people), np.int64)
    for place, kind in enumerate(kinds):
        wanted[place, lists.rows[lists.entries(kind)]] = 1
    return list(wanted) or [np.zeros(segment.people, np.int64)], [tuple(kinds)]


_ASPECTS: Mapping[str, Callable[[Segment], Aspects]] = {
    "experience": _numbers("years_experience"),
    "rate": _numbers("hourly_rate"),
    "hours": _free_hours,
    "start": _numbers("available_from"),
    "home": _home,
    "clock": _clock,
    "commitments": _commitments,
    "responses": _numbers("invitations_answered", "invitations_received"),
    "offers": _numbers("offers_accepted", "offers_decided"),
    "placements": _numbers("placements_completed", "placements_over"),
    "activity": _numbers("last_active_on"),
}


def _told_apart(aspects: Sequence[Whole], people: int) -> tuple[Whole, npt.NDArray[np.intp]]:
    """Number the different combinations: the number of each person's, and one person who has each."""
    codes, examples = np.zeros(people, np.int64), np.zeros(min(people, 1), np.intp)
    for aspect in aspects:
        ranks, some = _ranked(aspect)
        codes, examples = _ranked(codes * max(len(some), 1) + ranks)
    return codes, examples


def _ranked(values: Whole) -> tuple[Whole, npt.NDArray[np.intp]]:
    """The rank of each value among the different ones, and where one of each stands."""
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.intp)
    known = values[values != MISSING]
    lowest, highest = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    if highest - lowest > max(4 * len(values), 2**16):
        _, some, ranks = np.unique(values, return_index=True, return_inverse=True)
        return ranks.astype(np.int64), some
    # So near together that counting is faster than sorting. A missing value stands before the lowest.
    places = np.where(values == MISSING, 0, values - (lowest - 1))
    someone = np.full(highest - lowest + 2, -1, np.intp)
    someone[places] = np.arange(len(values))
    there = someone >= 0
    return (np.cumsum(there) - 1)[places], someone[there]
