"""Order without ties: by score, then by a keyed hash that favours nobody for having registered first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

OrderKey = tuple[int, bytes, int, int]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A pair to be ranked by its score."""

    opportunity_id: int
    candidate_id: int
    score: int


def order_key(score: int, *, opportunity_id: int, candidate_id: int, key: bytes) -> OrderKey:
    """Sorts ascending: highest score first, then blake2b of the pair under `key` (at most 64 bytes).

    The ids come last, so that the order is total even if two hashes were equal.
    """
    pair = b"%d:%d" % (opportunity_id, candidate_id)
    return (-score, blake2b(pair, digest_size=16, key=key).digest(), opportunity_id, candidate_id)


def rank(items: Iterable[Ranked], *, key: bytes) -> list[Ranked]:
    """All items, best first; the same list in whatever order they came."""
    return sorted(items, key=lambda item: _key_of(item, key))


def top(items: Iterable[Ranked], k: int, *, key: bytes) -> list[Ranked]:
    """The first `k` of `rank(items)`, in memory for k. Items may be a stream."""
    return heapq.nsmallest(k, items, key=lambda item: _key_of(item, key))


def _key_of(item: Ranked, key: bytes) -> OrderKey:
    return order_key(item.score, opportunity_id=item.opportunity_id, candidate_id=item.candidate_id, key=key)
