"""Adding up scores, person by person: the innermost loops, compiled by numba, without the interpreter's lock.

A set of people is given as bits (see `bits`), and what is known of its members stands at their places in the set: the
n-th set bit is member n. `before[w]` is how many members come before word w.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

from matching.core.columns.bits import Bits

_compiled: Any = njit(cache=True, nogil=True)
_intrinsic: Any = intrinsic
_LOW = np.uint64(63)
_ONE = np.uint64(1)
_SIX = np.uint64(6)


@_intrinsic
def _ones(context: Any, word: Any) -> Any:
    """How many bits of a word are set."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@_compiled
def members(bits: Bits, count: int) -> npt.NDArray[np.int32]:
    """The numbers of the people in a set of so many."""
    rows = np.empty(count, np.int32)
    n = 0
    for word in range(len(bits)):
        rest = bits[word]
        while rest:
            rows[n] = word * 64 + _ones((rest & (~rest + _ONE)) - _ONE)  # how many bits are below the lowest set
            n += 1
            rest &= rest - _ONE
    return rows


@_compiled
def inside(bits: Bits, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Which of these people, by their places in the list, are members."""
    found = np.empty(len(rows), np.int32)
    n = 0
    for place in range(len(rows)):
        row = np.uint64(rows[place])
        found[n] = place
        if bits[row >> _SIX] >> (row & _LOW) & _ONE:
            n += 1
    return found[:n].copy()


@_compiled
def add_credit(
    sums: npt.NDArray[np.int32],
    bits: Bits,
    before: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    credit: npt.NDArray[np.int16],
    weight: int,
) -> None:
    """Give each member among these people weight × their credit."""
    for n in range(len(rows)):
        row = np.uint64(rows[n])
        word = row >> _SIX
        place = row & _LOW
        if bits[word] >> place & _ONE:
            at = before[word] + np.int64(_ones(bits[word] & ((_ONE << place) - _ONE)))
            sums[at] += weight * credit[n]


@_compiled
def add_to_all(
    sums: npt.NDArray[np.int32], rows: npt.NDArray[np.int32], credit: npt.NDArray[np.int16], weight: int
) -> None:
    """The same where everybody is a member."""
    for n in range(len(rows)):
        sums[rows[n]] += weight * credit[n]


@_compiled
def raise_to(
    sums: npt.NDArray[np.int32], bits: Bits, before: npt.NDArray[np.int32], rows: npt.NDArray[np.int32], credit: int
) -> None:
    """Give each member among these people this credit, if they have less."""
    for n in range(len(rows)):
        row = np.uint64(rows[n])
        word = row >> _SIX
        place = row & _LOW
        if bits[word] >> place & _ONE:
            at = before[word] + np.int64(_ones(bits[word] & ((_ONE << place) - _ONE)))
            sums[at] = max(sums[at], credit)


@_compiled
def totals(
    rows: npt.NDArray[np.int32],
    base: int,
    shares: npt.NDArray[np.int32],
    factors: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint16],
    places: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    tables: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """The score of every member: `base`, what each of their sums gives, and what each of their cases gives.

    Line s of `shares` is divided by `factors[s, 0]`, rounding down, and multiplied by `factors[s, 1]`. Case c of the
    kind in column `places[k]` of `codes` gives `tables[starts[k] + c]`.
    """
    found = np.empty(len(rows), np.int64)
    for n in range(len(rows)):
        score = base
        for line in range(len(shares)):
            if shares[line, n]:
                score += np.int64(np.uint32(shares[line, n]) // np.uint32(factors[line, 0])) * factors[line, 1]
        row = rows[n]
        for kind in range(len(places)):
            score += tables[starts[kind] + codes[row, places[kind]]]
        found[n] = score
    return found


@_compiled
def leaders(
    rows: npt.NDArray[np.int32],
    base: int,
    shares: npt.NDArray[np.int32],
    factors: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint16],
    places: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    tables: npt.NDArray[np.int64],
    most: int,
    heap: npt.NDArray[np.int64],
    filled: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], int]:
    """Those members who may be among the best so many as `heap` is long, their scores, and how many the heap holds.

    The heap, least first, keeps the best scores from one segment to the next. Nobody's cases can give more than
    `most`: whoever stays behind with that is not looked at further.
    """
    capacity = len(heap)
    size = 1024
    chosen = np.empty(size, np.int32)
    scores = np.empty(size, np.int64)
    found = 0
    for n in range(len(rows)):
        score = base
        for line in range(len(shares)):
            if shares[line, n]:
                score += np.int64(np.uint32(shares[line, n]) // np.uint32(factors[line, 0])) * factors[line, 1]
        if filled == capacity and score + most < heap[0]:
            continue
        row = rows[n]
        for kind in range(len(places)):
            score += tables[starts[kind] + codes[row, places[kind]]]
        if filled == capacity and score < heap[0]:
            continue
        if found == size:
            size *= 2
            more, further = np.empty(size, np.int32), np.empty(size, np.int64)
            more[:found], further[:found] = chosen, scores
            chosen, scores = more, further
        chosen[found] = row
        scores[found] = score
        found += 1
        filled = _push(heap, filled, score)
    return chosen[:found], scores[:found], filled


@_compiled
def _push(heap: npt.NDArray[np.int64], filled: int, score: int) -> int:
    """Put a score on the heap, in the place of the least where it is full."""
    if filled < len(heap):
        at = filled
        while at > 0 and heap[(at - 1) // 2] > score:
            heap[at] = heap[(at - 1) // 2]
            at = (at - 1) // 2
        heap[at] = score
        return filled + 1
    if score <= heap[0]:
        return filled
    at = 0
    while True:
        child = 2 * at + 1
        if child >= filled:
            break
        if child + 1 < filled and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= score:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = score
    return filled
