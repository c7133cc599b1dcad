"""Queries that list what they ask for, and people who write it as they do.

"Python, Kafka and five years of Go" is answered by whoever has most of it. Signals that look past the words only blur
that: everybody in such a pile is of the same trade. "Somebody who keeps our lorries on the road" lists nothing, and to
count its words would miss whoever says it otherwise. Which of both a query is shows in two things: how much of what it
says are skills, and how much of it those who have most of it have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matching.core.affinity.collection import Collection, Floats, shares
from matching.core.affinity.signals import Places, Signal, product

_BEST = 3
"""Candidates of a sample, by whom is seen how much of a query people have at all."""
_LISTED = (0.15, 0.4)
"""What recognised skills weigh of all that a query says: in prose, and in a list."""
_SHOWN_SKILLS = (0.35, 0.65)
"""The share of asked skills that the best have: by chance, and where people name skills as the query does."""
_SKILLS, _TECHNOLOGIES = (1, 4), (2, 5)
"""How many of them a query names: a few, and a list of them."""
_SHOWN_TECHNOLOGIES = (0.25, 0.6)
_SHOWN_WORDS = (0.35, 0.6)
"""The same of words. Long texts share a third of them whatever they are about."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`share` is how much of what a query asks a candidate has, 0…1, rare things counting more; `weight` is how much
    that is in all, and `number` how many things, for each query."""

    share: Signal
    weight: Floats
    number: Floats

    def shown(self, query: int, sample: Places) -> float:
        """The share that those of a sample have who have most of it, as a mean."""
        return float(np.sort(self.share(query, sample))[-_BEST:].mean()) if len(sample) else 0.0


def asked_words(collection: Collection) -> Asked:
    """Single words."""
    return _asked(collection, np.where(collection.is_pair, 0.0, collection.idf))


def asked_skills(named: Sequence[frozenset[int]], queries: int) -> Asked | None:
    """By any of their names. None where nobody names any."""
    counted = [Counter(map(str, skills)) for skills in named]
    collection = Collection(counted[:queries], counted[queries:])
    return _asked(collection, collection.idf) if collection.terms else None


def _asked(collection: Collection, weights: Floats) -> Asked:
    there = collection.counts.sign()
    asked = there[: collection.queries].multiply(weights).tocsr()
    asked.eliminate_zeros()
    return Asked(
        product(sparse.vstack([shares(asked), there[collection.queries :]]).tocsr(), collection.queries),
        np.asarray(asked.sum(axis=1), dtype=np.float64).ravel(),
        np.diff(asked.indptr).astype(np.float64),
    )


def lists_believed(asked: Mapping[str, Asked], query: int, sample: Places) -> dict[str, float]:
    """How far each share is to be believed, 0…1. Skills may be said in many ways and are found by chance in long texts,
    so these have to be what the query mostly says; technologies have a name, and five of them are a list anywhere."""
    words, found = asked["asked words"], {}
    for name, one in asked.items():
        number, shown = float(one.number[query]), one.shown(query, sample)
        if name == "asked words":
            found[name] = _between(shown, *_SHOWN_WORDS)
        elif name == "asked skills":
            listed = float(one.weight[query] / max(words.weight[query], 1e-9))
            found[name] = _between(listed, *_LISTED) * _between(number, *_SKILLS) * _between(shown, *_SHOWN_SKILLS)
        else:
            found[name] = _between(number, *_TECHNOLOGIES) * _between(shown, *_SHOWN_TECHNOLOGIES)
    return found


def _between(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
