"""Linear scores of everybody at once: the same integers as `matching.core.features` and a linear model give.

Skills are kept with the people who have them, so only those are touched: whoever has none of the skills asked starts
from the same score. What else a feature reads is looked up by case (`profiles`). Weights of 0 cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from matching.core.attributes import SKILL
from matching.core.columns.bits import Bits
from matching.core.columns.counting import Crowd
from matching.core.columns.leaves import Leaves
from matching.core.columns.profiles import Profiles, Whole
from matching.core.columns.segments import SCALE, Segment
from matching.core.columns.valuing import VALUED, recencies, share_of_years, shares
from matching.core.facts import OpportunityTerms, SkillTerm
from matching.core.features import FULL, NEUTRAL
from matching.core.ranking import order_key
from matching.core.scoring import Head

HASHED_BY_HAND = 2_000
"""So many hashes the library makes sooner than the compiled ones are loaded."""

COVERAGE = {"required_skills": True, "preferred_skills": False}
SCORED = frozenset({*COVERAGE, *VALUED})
"""The features that can be told for everybody at once."""


class Best(NamedTuple):
    """Candidates (inner ids) and their scores, best first."""

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What the innermost loops read of one segment. `most` is the most that cases give anybody."""

    rows: npt.NDArray[np.int32]
    base: int
    sums: npt.NDArray[np.int32]
    factors: npt.NDArray[np.int64]
    codes: npt.NDArray[np.unsignedinteger]
    places: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    tables: npt.NDArray[np.int64]
    most: int


def _loops() -> Any:
    """The compiled loops: numba takes a second to import, so only who scores waits for it."""
    from matching.core.columns import adding

    return adding


def scored_by_columns(head: Head) -> bool:
    """Whether all that a head weighs can be told for everybody at once."""
    return SCORED.issuperset(name for name, weight in head.weights.items() if weight)


def scores(crowd: Crowd, among: Bits, terms: OpportunityTerms, head: Head) -> Best:
    """The score of each of the people in a set (as many words as the crowd's), by id and in no order of merit."""
    ids, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, bits in _parts(crowd, among):
        ready = _prepare(part, bits, terms, head)
        found.append(
            _loops().totals(
                ready.rows, ready.base, ready.sums, ready.factors, ready.codes, ready.places, ready.starts, ready.tables
            )
        )
        ids.append(part.segment.ids[ready.rows])
    return Best(np.concatenate(ids), np.concatenate(found))


def best(crowd: Crowd, among: Bits, terms: OpportunityTerms, head: Head, *, k: int, key: bytes) -> Best:
    """The first `k` people of a set in the house's total order (`matching.core.ranking`), with ties broken under
    `key`."""
    if k <= 0:
        return Best(np.empty(0, np.int64), np.empty(0, np.int64))
    heap, filled = np.empty(k, np.int64), 0
    ids, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, bits in _parts(crowd, among):
        ready = _prepare(part, bits, terms, head)
        rows, totals, filled = _loops().leaders(
            ready.rows,
            ready.base,
            ready.sums,
            ready.factors,
            ready.codes,
            ready.places,
            ready.starts,
            ready.tables,
            ready.most,
            heap,
            filled,
        )
        ids.append(part.segment.ids[rows])
        found.append(totals)
    everyone = Best(np.concatenate(ids), np.concatenate(found))
    return first(everyone, k, opportunity_id=terms.opportunity_id, key=key)


def first(people: Best, k: int, *, opportunity_id: int, key: bytes) -> Best:
    """The first `k` of these in the total order. Only those who share their score with somebody are hashed."""
    ids, totals = people
    if len(ids) > k:
        least = np.partition(totals, len(totals) - k)[len(totals) - k]
        ids, totals = ids[totals >= least], totals[totals >= least]
    order = np.argsort(-totals, kind="stable")
    ids, totals = ids[order], totals[order]
    same = totals[1:] == totals[:-1]
    shared = np.concatenate([[False], same]) | np.concatenate([same, [False]]) if len(ids) else np.empty(0, np.bool_)
    if shared.any():
        halves = np.zeros((len(ids), 2), np.uint64)
        halves[shared] = _halves(opportunity_id, ids[shared], key)
        order = np.lexsort((ids, halves[:, 1], halves[:, 0], -totals))
        ids, totals = ids[order], totals[order]
    return Best(ids[:k], totals[:k])


def standing(people: Best, candidate_id: int, score: int, *, opportunity_id: int, key: bytes) -> int:
    """The place, from 1, that a candidate with this score would have among these people, themselves not counted."""
    others = people.ids != candidate_id
    above = int(((people.scores > score) & others).sum())
    equal = people.ids[(people.scores == score) & others]
    if not len(equal):
        return 1 + above
    halves = _halves(opportunity_id, np.append(equal, candidate_id), key)
    high, low = halves[:-1, 0], halves[:-1, 1]
    own_high, own_low = halves[-1]
    sooner = (high < own_high) | ((high == own_high) & ((low < own_low) | ((low == own_low) & (equal < candidate_id))))
    return 1 + above + int(sooner.sum())


def _halves(opportunity_id: int, ids: npt.NDArray[np.int64], key: bytes) -> npt.NDArray[np.uint64]:
    if len(ids) > HASHED_BY_HAND:
        from matching.core.columns.tie_hashes import tie_hashes

        return tie_hashes(opportunity_id, ids, key)
    digests = [order_key(0, opportunity_id=opportunity_id, candidate_id=one, key=key)[1] for one in ids.tolist()]
    return np.frombuffer(b"".join(digests), ">u8").reshape(-1, 2).astype(np.uint64)


def _parts(crowd: Crowd, among: Bits) -> Iterator[tuple[Leaves, Bits]]:
    start = 0
    for part in crowd.parts:
        bits = among[start : start + part.words]
        start += part.words
        if bits.any():
            yield part, bits


def _prepare(part: Leaves, bits: Bits, terms: OpportunityTerms, head: Head) -> _Prepared:
    ones = np.bitwise_count(bits).astype(np.int32)
    before = np.cumsum(ones, dtype=np.int32) - ones
    rows = _loops().members(bits, int(ones.sum(dtype=np.int64)))
    base = head.intercept
    sums: list[npt.NDArray[np.int32]] = []
    factors: list[tuple[int, int]] = []
    for name, required in COVERAGE.items():
        weight = head.weights.get(name, 0)
        asked = [term for term in terms.skills if term.required is required]
        whole = sum(term.weight for term in asked)
        if not weight:
            continue
        if whole <= 0:
            base += weight * NEUTRAL
            continue
        sums.append(_coverage(part.segment, bits, before, len(rows), asked, terms.on))
        factors.append((whole, weight))
    profiles = part.profiled.profiles
    tables, least = _tables(profiles, terms, head.weights)
    starts = np.cumsum([0, *(len(table) for table in tables.values())])[:-1]
    return _Prepared(
        rows=rows,
        base=base + least,
        sums=np.array(sums, np.int32).reshape(len(sums), len(rows)),
        factors=np.array(factors, np.int64).reshape(-1, 2),
        codes=profiles.codes,
        places=np.array([profiles.places[kind] for kind in tables], np.int64),
        starts=starts.astype(np.int64),
        tables=np.concatenate([np.empty(0, np.int64), *tables.values()]),
        most=sum(int(table.max()) for table in tables.values()),
    )


def _coverage(
    segment: Segment,
    bits: Bits,
    before: npt.NDArray[np.int32],
    people: int,
    asked: Sequence[SkillTerm],
    on: date | None,
) -> npt.NDArray[np.int32]:
    """For each of the people, the credit of the skills asked, each times its weight."""
    sums = np.zeros(people, np.int32)
    lists = segment.lists[SKILL.column]
    for term in asked:
        entries = lists.entries(term.skill_id)
        if entries.stop > entries.start:
            credit = _credit(segment, entries, term, on)
            _loops().add_credit(sums, bits, before, lists.rows[entries], credit, term.weight)
    return sums


def _credit(segment: Segment, entries: slice, term: SkillTerm, on: date | None) -> npt.NDArray[np.int16]:
    """Thousandths of one asked skill, for each who has it."""
    fields = segment.lists[SKILL.column].fields
    credit = fields["level"].part(entries).mapped(lambda level: shares(level // SCALE, term.min_level))
    if term.min_years is not None and term.min_years > 0:
        asked = term.min_years
        years = fields["years"].part(entries).mapped(lambda years: share_of_years(years, asked))
        credit = credit * years // FULL
    if on is not None:
        judged_on = on
        fresh = fields["last_used"].part(entries).mapped(lambda used: recencies(used, judged_on))
        credit = credit * fresh // FULL
    return credit.astype(np.int16)


def _tables(profiles: Profiles, terms: OpportunityTerms, weights: Mapping[str, int]) -> tuple[dict[str, Whole], int]:
    """What each case of a kind gives beyond the least of its kind, and what all kinds give at the least."""
    tables: dict[str, Whole] = {}
    for name, (kind, values) in VALUED.items():
        if weight := weights.get(name, 0):
            given = weight * values(profiles.kinds[kind], terms)
            tables[kind] = tables[kind] + given if kind in tables else given
    least = {kind: int(table.min()) for kind, table in tables.items()}
    kept = {kind: table - least[kind] for kind, table in tables.items() if table.max() > least[kind]}
    return kept, sum(least.values())
