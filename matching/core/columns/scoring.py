"""Linear scores of everybody at once: the same integers as `matching.core.features` and a linear model give.

Skills are kept with the people who have them, so only those are touched (`listing`): whoever has none of the skills
asked starts from the same score. What else a feature reads is looked up by case (`profiles`). A weight of 0 costs
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from matching.core.columns.bits import Bits
from matching.core.columns.counting import Crowd
from matching.core.columns.leaves import Leaves
from matching.core.columns.listing import LISTED, Line, Members, loops
from matching.core.columns.profiles import Profiles, Whole
from matching.core.columns.valuing import VALUED
from matching.core.facts import OpportunityTerms
from matching.core.ranking import order_key
from matching.core.scoring import Head

HASHED_BY_HAND = 2_000
"""So many hashes the library makes sooner than the compiled ones are loaded."""

SCORED = frozenset({*LISTED, *VALUED})
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


def scored_by_columns(head: Head) -> bool:
    """Whether all that a head weighs can be told for everybody at once."""
    return SCORED.issuperset(name for name, weight in head.weights.items() if weight)


def scores(crowd: Crowd, among: Bits, terms: OpportunityTerms, head: Head) -> Best:
    """The score of each of the people in a set (as many words as the crowd's), by id and in no order of merit."""
    ids, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, bits in _parts(crowd, among):
        ready = _prepare(part, bits, terms, head)
        found.append(
            loops().totals(
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
        rows, totals, filled = loops().leaders(
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
    members = Members(part.segment, bits)
    base = head.intercept
    lines: list[tuple[Line, int]] = []
    for name, told in LISTED.items():
        if weight := head.weights.get(name, 0):
            line = told(members, terms)
            if isinstance(line, int):
                base += weight * line
            else:
                base += weight * line.least
                lines.append((line, weight))
    profiles = part.profiled.profiles
    tables, least = _tables(profiles, terms, head.weights)
    starts = np.cumsum([0, *(len(table) for table in tables.values())])[:-1]
    return _Prepared(
        rows=members.rows,
        base=base + least,
        sums=np.array([line.sums for line, _ in lines], np.int32).reshape(len(lines), len(members.rows)),
        factors=np.array([(line.divisor, weight) for line, weight in lines], np.int64).reshape(-1, 2),
        codes=profiles.codes,
        places=np.array([profiles.places[kind] for kind in tables], np.int64),
        starts=starts.astype(np.int64),
        tables=np.concatenate([np.empty(0, np.int64), *tables.values()]),
        most=sum(int(table.max()) for table in tables.values()),
    )


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
