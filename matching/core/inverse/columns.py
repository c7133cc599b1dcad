"""Numbers in one block of memory, and truths as numbers that can be added up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from matching.core.attributes import DECIMALS, Value

Numbers = NDArray[np.int64]
Cells = NDArray[np.int32]

FALSE, UNKNOWN, TRUE = 0, 1, 1 + (1 << 16)
"""A sum of truths counts twice: above the sixteenth bit those that hold, below it those that hold or may hold. They
are in order, so Kleene's *and* is the least of them and his *or* the greatest."""
MOST_PARTS = (1 << 15) - 1  # what a sum can count

LEAST, MOST = -(2**62), 2**62
"""Below and above every measure."""


class Column:
    """Whole numbers that are appended one by one, in a block that doubles when it is full."""

    __slots__ = ("_block", "_size")

    def __init__(self, values: Iterable[int] | Numbers = ()) -> None:
        self._block: Numbers = np.array(values if isinstance(values, np.ndarray) else list(values), dtype=np.int64)
        self._size = len(self._block)

    def append(self, value: int) -> None:
        if self._size == len(self._block):
            grown = np.empty(max(8, 2 * self._size), dtype=np.int64)
            grown[: self._size] = self._block
            self._block = grown
        self._block[self._size] = value
        self._size += 1

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> Numbers:
        """The numbers, without a copy: what is written to them is written here."""
        return self._block[: self._size]


def measure_of(value: Value) -> int | None:
    """A value that a rule compares with, on the scale of `measured`; None where the scale is too coarse for it."""
    if isinstance(value, date):
        return 2 * value.toordinal()
    scaled = Decimal(value) * 10**DECIMALS
    return 2 * int(scaled) if scaled == scaled.to_integral_value() and abs(scaled) < MOST // 4 else None


def measured(value: Value) -> int:
    """A fact as a whole number that compares with measures exactly as the fact does with their values.

    Days count from the calendar's first, other numbers in ten thousandths, both doubled: a fact that lies between two
    of them becomes the odd number between theirs.
    """
    if isinstance(value, date):
        return 2 * value.toordinal()
    scaled = Decimal(value) * 10**DECIMALS
    below = scaled.to_integral_value(rounding="ROUND_FLOOR")
    return max(LEAST + 1, min(MOST - 1, 2 * int(below) + (scaled != below)))
