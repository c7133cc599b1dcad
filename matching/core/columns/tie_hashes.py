"""The keyed hash that parts equal scores (`matching.core.ranking`), for very many pairs at once.

BLAKE2b after RFC 7693, compiled: the block of the key is worked in once, each pair then takes one more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

_compiled: Any = njit(cache=True, nogil=True)
_BLOCK = 128
_DIGEST = 16
_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.int64,
)
# Columns, then diagonals, of the state as a square.
_LANES = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    np.int64,
)
Words = npt.NDArray[np.uint64]


def tie_hashes(opportunity_id: int, candidate_ids: npt.NDArray[np.int64], key: bytes) -> Words:
    """blake2b(b"opportunity:candidate", digest_size=16) under a key of 1 to 64 bytes: one line a pair, its two halves
    as numbers that sort as the digest does."""
    if not 1 <= len(key) <= 64:
        raise ValueError("a key has 1 to 64 bytes")
    stem = np.frombuffer(b"%d:" % opportunity_id, np.uint8)
    return _hashes(_keyed(key), stem, np.ascontiguousarray(candidate_ids, np.int64))


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> Words:
    """The state after the block of the key."""
    state = _IV.copy()
    state[0] ^= np.uint64(0x01010000 ^ len(key) << 8 ^ _DIGEST)
    block = np.frombuffer(key.ljust(_BLOCK, b"\0"), "<u8").astype(np.uint64)
    _compress(state, block, np.uint64(_BLOCK), False)
    return state


@_compiled
def _turned(word: np.uint64, by: int) -> np.uint64:
    return np.uint64((word >> np.uint64(by)) | (word << np.uint64(64 - by)))


@_compiled
def _mix(v: Words, a: int, b: int, c: int, d: int, x: np.uint64, y: np.uint64) -> None:
    v[a] = v[a] + v[b] + x
    v[d] = _turned(v[d] ^ v[a], 32)
    v[c] = v[c] + v[d]
    v[b] = _turned(v[b] ^ v[c], 24)
    v[a] = v[a] + v[b] + y
    v[d] = _turned(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d]
    v[b] = _turned(v[b] ^ v[c], 63)


@_compiled
def _compress(state: Words, block: Words, length: np.uint64, is_last: bool) -> None:
    v = np.empty(16, np.uint64)
    for place in range(8):  # assigned as slices, they would bring a message along that takes seconds to compile
        v[place], v[place + 8] = state[place], _IV[place]
    v[12] ^= length
    if is_last:
        v[14] = ~v[14]
    for turn in range(12):
        s = _SIGMA[turn]
        for lane in range(8):
            a, b, c, d = _LANES[lane]
            _mix(v, a, b, c, d, block[s[2 * lane]], block[s[2 * lane + 1]])
    for place in range(8):
        state[place] ^= v[place] ^ v[place + 8]


@_compiled
def _hashes(keyed: Words, stem: npt.NDArray[np.uint8], ids: npt.NDArray[np.int64]) -> Words:
    found = np.empty((len(ids), 2), np.uint64)
    digits = np.empty(20, np.uint8)
    text = np.zeros(_BLOCK, np.uint8)
    block = np.empty(16, np.uint64)
    state = np.empty(8, np.uint64)
    for n in range(len(ids)):
        for octet in range(_BLOCK):
            text[octet] = stem[octet] if octet < len(stem) else 0
        end = len(stem)
        rest = ids[n]
        count = 0
        while count == 0 or rest:
            digits[count] = 48 + rest % 10
            rest //= 10
            count += 1
        while count:
            count -= 1
            text[end] = digits[count]
            end += 1
        for place in range(16):
            word = np.uint64(0)
            for octet in range(8):
                word |= np.uint64(text[place * 8 + octet]) << np.uint64(8 * octet)
            block[place] = word
        for word_at in range(8):
            state[word_at] = keyed[word_at]
        _compress(state, block, np.uint64(_BLOCK + end), True)
        for half in range(2):
            word = np.uint64(0)
            for octet in range(8):
                word = word << np.uint64(8) | (state[half] >> np.uint64(8 * octet) & np.uint64(255))
            found[n, half] = word
    return found
