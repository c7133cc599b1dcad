"""Who is in a set, told by a table of cases or by a list: compiled by numba, in one pass and without the interpreter's
lock."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from matching.core.columns.bits import Bits

_compiled: Any = njit(cache=True, nogil=True)


@_compiled
def of_cases(which: npt.NDArray[np.unsignedinteger], is_in: npt.NDArray[np.bool_]) -> Bits:
    """The set of those people whose case, `which[person]`, is in by the table."""
    bits = np.zeros((len(which) + 63) // 64, np.uint64)
    for word in range(len(bits)):
        found = np.uint64(0)
        first = word * 64
        for place in range(min(64, len(which) - first)):
            found |= np.uint64(is_in[which[first + place]]) << np.uint64(place)
        bits[word] = found
    return bits


@_compiled
def of_numbers(rows: npt.NDArray[np.integer], words: int) -> Bits:
    """The set of the people who have these numbers, in so many words."""
    bits = np.zeros(words, np.uint64)
    for place in range(len(rows)):
        row = np.uint64(rows[place])
        bits[row >> np.uint64(6)] |= np.uint64(1) << (row & np.uint64(63))
    return bits
