"""Reading numbers, codes and lists out of the text in which Postgres hands over rows.

Compiled by numba, because there are half a billion characters to read for a million people; without the interpreter's
lock, so that a web server answers meanwhile. Positions are places in `text`, the bytes of whole rows. The text is
Postgres's own rendering of columns that only Muster writes, and is trusted to have their form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from matching.core.columns.segments import MISSING, SCALE

Text = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE = (ord(char) for char in '",:{}')
_BACKSLASH, _MINUS, _DOT, _ZERO, _NINE = (ord(char) for char in "\\-.09")
_SPACE, _T, _F, _N = (ord(char) for char in " tfn")
_BIG_N, _BIG_U, _BIG_L = (ord(char) for char in "NUL")
_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a's, of 64 bits
_compiled: Any = njit(cache=True, nogil=True)


def hash_of(code: str) -> int:
    """What the kernels below call a code. Two of a few thousand codes have one hash once in 10^13 data sets."""
    value = int(_SEED)
    for octet in code.encode():
        value = (value ^ octet) * int(_PRIME) % 2**64
    return value - 2**64 if value >= 2**63 else value


@_compiled
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, after Howard Hinnant's `days_from_civil`: years begin in March, eras have 400 of them."""
    year -= month <= 2
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


@_compiled
def _value(text: Text, at: int, end: int) -> tuple[int, int]:
    """The number, day or truth value that begins at a place, in ten-thousandths, and where it ends. Null is MISSING."""
    quoted = text[at] == _QUOTE
    if quoted:
        at += 1
    first = text[at]
    if first in (_BACKSLASH, _N, _T, _F):
        while at < end and text[at] != _COMMA and text[at] != _CLOSE:
            at += 1
        return (SCALE if first == _T else 0 if first == _F else MISSING), at
    if first == _MINUS:
        at += 1
    value = 0
    while at < end and _ZERO <= text[at] <= _NINE:
        value = value * 10 + text[at] - _ZERO
        at += 1
    if at < end and text[at] == _MINUS:
        month = (text[at + 1] - _ZERO) * 10 + text[at + 2] - _ZERO
        day = (text[at + 4] - _ZERO) * 10 + text[at + 5] - _ZERO
        value = _days(value, month, day) * SCALE
        at += 6
    else:
        value *= SCALE
        if at < end and text[at] == _DOT:
            at += 1
            unit = SCALE // 10
            while at < end and _ZERO <= text[at] <= _NINE:
                value += (text[at] - _ZERO) * unit
                unit //= 10
                at += 1
    if first == _MINUS:
        value = -value
    return value, at + 1 if quoted else at


@_compiled
def _key(text: Text, at: int, end: int, by_id: bool) -> tuple[int, int]:
    """The id, or the hash of the code, that begins at a place, and where it ends."""
    if by_id:
        number = 0
        while at < end and _ZERO <= text[at] <= _NINE:
            number = number * 10 + text[at] - _ZERO
            at += 1
        return number, at
    value = _SEED
    while at < end and text[at] != _QUOTE and text[at] != _COMMA and text[at] != _CLOSE:
        value = (value ^ np.uint64(text[at])) * _PRIME
        at += 1
    return np.int64(value), at  # type: ignore[return-value]


@_compiled
def _is_null(text: Text, at: int, end: int) -> bool:
    """Whether a member that is not quoted is null: those that read so are."""
    if at + 4 >= end or text[at] != _BIG_N or text[at + 1] != _BIG_U:
        return False
    if text[at + 2] != _BIG_L or text[at + 3] != _BIG_L:
        return False
    return text[at + 4] == _COMMA or text[at + 4] == _CLOSE


@_compiled
def numbers(text: Text, starts: Places, ends: Places) -> Places:
    """One number or day a row, in ten-thousandths."""
    found = np.empty(len(starts), np.int64)
    for row in range(len(starts)):
        found[row] = _value(text, starts[row], ends[row])[0]
    return found


@_compiled
def codes(text: Text, starts: Places, ends: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
    """One code a row, by hash, and whether there is one: an empty text says nothing, like null."""
    found = np.empty(len(starts), np.int64)
    known = np.empty(len(starts), np.bool_)
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        known[row] = at < end and text[at] != _BACKSLASH
        found[row] = _key(text, at, end, False)[0] if known[row] else 0
    return found, known


@_compiled
def sizes(text: Text, starts: Places, ends: Places, mark: int) -> Places:
    """How often a mark stands in each row: once for each entry of a list or an object, as the caller knows."""
    found = np.zeros(len(starts), np.int64)
    for row in range(len(starts)):
        for at in range(starts[row], ends[row]):
            found[row] += text[at] == mark
    return found


@_compiled
def members(text: Text, starts: Places, ends: Places, by_id: bool, total: int) -> tuple[Places, Places, Places]:
    """The members of arrays such as {contract,full_time}: their keys, where each is written, and how many a row has.
    `total` is no less than all of them."""
    keys = np.empty(total, np.int64)
    written = np.empty(total, np.int64)
    counts = np.zeros(len(starts), np.int64)
    n = 0
    for row in range(len(starts)):
        at, end = starts[row] + 1, ends[row]
        while at < end and text[at] != _CLOSE:
            if text[at] == _COMMA:
                at += 1
                continue
            quoted = text[at] == _QUOTE
            if quoted:
                at += 1
            elif _is_null(text, at, end):
                at += 4
                continue
            written[n] = at
            keys[n], at = _key(text, at, end, by_id)
            counts[row] += 1
            n += 1
            if quoted:
                at += 1
            elif at == written[n - 1]:
                raise ValueError("an array holds what is no key")
    return keys[:n], written[:n], counts


@_compiled
def entries(
    text: Text, starts: Places, ends: Places, by_id: bool, fields: Places, total: int
) -> tuple[Places, Places, Places, npt.NDArray[np.int64]]:
    """The entries of JSON objects such as {"DE": "2027-01-31"}: keys, where each is written, how many a row has, and
    their values, one line for each of `fields`. Where there are several, each entry is an object with these fields,
    given by hash; others in it are passed over."""
    keys = np.empty(total, np.int64)
    written = np.empty(total, np.int64)
    counts = np.zeros(len(starts), np.int64)
    values = np.full((len(fields), total), MISSING, np.int64)
    n = 0
    for row in range(len(starts)):
        at, end = starts[row] + 1, ends[row]
        while at < end and text[at] != _CLOSE:
            if text[at] != _QUOTE:
                at += 1
                continue
            written[n] = at + 1
            keys[n], at = _key(text, at + 1, end, by_id)
            at += 3  # the quote, a colon and a blank
            if len(fields) == 1:
                values[0, n], at = _value(text, at, end)
            else:
                at += 1
                while text[at] != _CLOSE:
                    if text[at] != _QUOTE:
                        at += 1
                        continue
                    name, at = _key(text, at + 1, end, False)
                    value, at = _value(text, at + 3, end)
                    for place in range(len(fields)):
                        if fields[place] == name:
                            values[place, n] = value
                at += 1
            counts[row] += 1
            n += 1
    return keys[:n], written[:n], counts, values[:, :n]
