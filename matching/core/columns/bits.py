"""Sets of people as bits: person n of a segment is bit n % 64 of word n // 64. A million people are 125 kB, and a
conjunction of two sets of them takes some ten microseconds."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Bits: TypeAlias = npt.NDArray[np.uint64]
WORD = 64


def words_for(people: int) -> int:
    return -(-people // WORD)


def packed(mask: npt.NDArray[np.bool_]) -> Bits:
    """The set of those whose entry is true. Bits past the last person are zero."""
    bits = np.zeros(words_for(len(mask)), np.uint64)
    octets = np.packbits(mask, bitorder="little")
    bits.view(np.uint8)[: len(octets)] = octets
    return bits


def unpacked(bits: Bits, people: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(bits.view(np.uint8), bitorder="little", count=people).view(np.bool_)


def of_rows(rows: npt.NDArray[Any], people: int) -> Bits:
    """The set of these people, by number."""
    from matching.core.columns.telling import of_numbers  # numba takes a second to import: only who judges waits

    return of_numbers(np.ascontiguousarray(rows), words_for(people))


def rows_of(bits: Bits) -> npt.NDArray[np.int32]:
    """Who is in a set, by number, ascending."""
    from matching.core.columns.adding import members

    return members(bits, size(bits))


def of_few(rows: npt.NDArray[Any], words: int) -> Bits:
    """The set of these people, by number, where they are so few that the others are better not looked at."""
    bits = np.zeros(words, np.uint64)
    places = rows.astype(np.uint64)
    np.bitwise_or.at(bits, (places // WORD).astype(np.intp), np.uint64(1) << places % np.uint64(WORD))
    return bits


def none_of(words: int) -> Bits:
    return np.zeros(words, np.uint64)


def all_of(words: int) -> Bits:
    return np.full(words, np.iinfo(np.uint64).max, np.uint64)


def size(bits: Bits) -> int:
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


class Tally:
    """How many of several sets each person is in: one binary number a person, digit by digit across all words."""

    def __init__(self, words: int) -> None:
        self._words = words
        self._digits: list[Bits] = []

    def add(self, bits: Bits) -> None:
        carry = bits
        for place, digit in enumerate(self._digits):
            self._digits[place], carry = digit ^ carry, digit & carry
        if carry.any():
            self._digits.append(carry)

    def at_least(self, n: int) -> Bits:
        """Those who are in n of the sets or more."""
        if n <= 0:
            return all_of(self._words)
        if n >> len(self._digits):
            return none_of(self._words)
        above, equal = none_of(self._words), all_of(self._words)
        for place in reversed(range(len(self._digits))):
            digit = self._digits[place]
            if n >> place & 1:
                equal = equal & digit
            else:
                above = above | (equal & digit)
                equal = equal & ~digit
        return above | equal
