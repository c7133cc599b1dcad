"""What speaks for a candidate's text answering a query's, each in a unit of its own.

A signal is asked for one query and some candidates, by their places among all, and gives a number for each: more speaks
for it. Rows of matrices are texts, queries first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matching.core.affinity.collection import (
    Collection,
    Floats,
    counted_matrix,
    latent_directions,
    shares,
    sublinear,
    unit,
    unit_rows,
)
from matching.core.affinity.occupations import Occupations
from matching.core.affinity.texts import ReadText

Places = NDArray[np.int64]
Signal = Callable[[int, Places], Floats]

_K1, _B, _K3 = 1.2, 0.5, 3.0
_PAIR_WEIGHT = 0.4
_LATENT, _LATENT_LEAST = 100, 20  # dimensions at most, texts at least
_BROADER_WEIGHT = 0.3


class Vectors(Protocol):
    """What words mean, as directions: words that are used alike lie close."""

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """A row for each word, in lower case; zeros for one that is not known."""


def product(matrix: sparse.csr_matrix | Floats, queries: int) -> Signal:
    """The inner product of a query's row and a candidate's."""
    asked, had = matrix[:queries], matrix[queries:]

    def signal(query: int, places: Places) -> Floats:
        if sparse.issparse(had):
            return np.asarray(had[places].dot(asked[query].T).toarray(), dtype=np.float64).ravel()
        return np.asarray(had[places] @ asked[query], dtype=np.float64)

    return signal


def _idf(collection: Collection) -> Floats:
    return np.asarray(collection.idf * np.where(collection.is_pair, _PAIR_WEIGHT, 1.0))


def words(collection: Collection) -> Signal:
    """BM25 (see `baselines`) of words and pairs of words, with k3 = 3 for the query: it may be as long as a résumé, and
    what it says ten times it does not want ten times."""
    idf, of = _idf(collection), collection.queries
    asked, had = collection.counts[:of].copy(), collection.counts[of:].copy()
    lengths = np.asarray(had.sum(axis=1)).ravel()
    norms = np.repeat(_K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0)), np.diff(had.indptr))
    had.data = had.data * (_K1 + 1) / (had.data + norms)
    asked.data = (_K3 + 1) * asked.data / (_K3 + asked.data) * idf[asked.indices]
    return product(sparse.vstack([asked, had]).tocsr(), of)


def cosine(collection: Collection) -> Signal:
    """Of all words and pairs: unlike BM25 it also minds what the candidate has beside what is asked."""
    return product(sublinear(collection.counts, _idf(collection)), collection.queries)


def latent(collection: Collection) -> Signal | None:
    """The cosine after words that come with each other in these texts are made one (latent semantic analysis:
    Deerwester and others, 1990). None where there are too few texts to tell."""
    single = np.flatnonzero(~collection.is_pair)
    size = min(_LATENT, collection.counts.shape[0] // 4, len(single) - 1)
    if collection.counts.shape[0] < _LATENT_LEAST or size < 2:
        return None
    matrix = sublinear(collection.counts[:, single], collection.idf[single])
    return product(unit(np.asarray(matrix.dot(latent_directions(matrix, size)))), collection.queries)


def titles(collection: Collection, texts: Sequence[ReadText]) -> Signal:
    """How like the titles are, and how much of each title the other text has."""
    of = collection.queries
    title = counted_matrix([dict.fromkeys(text.title, 1.0) for text in texts], collection.terms)
    weighted = title.multiply(collection.idf).tocsr()
    there = collection.counts.copy()
    there.data = there.data / (there.data + 1.0)
    same = product(unit_rows(weighted), of)
    forth = product(sparse.vstack([shares(weighted[:of]), there[of:]]).tocsr(), of)
    back = product(sparse.vstack([there[:of], shares(weighted[of:])]).tocsr(), of)
    return lambda query, places: same(query, places) + forth(query, places) + 0.5 * back(query, places)


def skills(named: Sequence[frozenset[int]], queries: int, broader: Mapping[int, tuple[int, ...]]) -> Signal | None:
    """The cosine of the skills that both name, rare ones counting more, and the share of the query's that the candidate
    names. Skills under one heading are a little alike. None where nobody names any."""
    rows = [
        {f"~{above}": _BROADER_WEIGHT for one in found for above in broader.get(one, ())}
        | {str(one): 1.0 for one in found}
        for found in named
    ]
    collection = Collection([Counter(row) for row in rows[:queries]], [Counter(row) for row in rows[queries:]])
    if not collection.terms:
        return None
    there = counted_matrix(rows, collection.terms)
    weighted = there.multiply(collection.idf).tocsr()
    alike = product(unit_rows(weighted), queries)
    covered = product(sparse.vstack([shares(weighted[:queries]), there[queries:]]).tocsr(), queries)
    return lambda query, places: alike(query, places) + covered(query, places)


def occupations(
    counted: Sequence[Counter[str]], texts: Sequence[ReadText], queries: int, known: Occupations
) -> tuple[Signal, Signal, Floats]:
    """By what is known of occupations: the cosine of those whose profiles two texts resemble (explicit semantic
    analysis: Gabrilovich and Markovitch, 2007), so that a nurse and a carer are near though no word is shared; and the
    cosine after words that come with each other in profiles are made one. Then, for each query, how far to believe
    either, 0…1."""
    weighed = known.weighed(counted, texts)
    sure = known.sureness(weighed[:queries], texts[:queries])
    return product(known.resembled(weighed), queries), product(known.placed(weighed), queries), sure


def levels(texts: Sequence[ReadText], queries: int) -> Signal:
    """What is missing of the years that are asked, and how far apart junior and head are. What is not said is fine."""
    years = np.array([-1 if text.years is None else text.years for text in texts], dtype=np.float64)
    ranks = np.array([0 if text.seniority is None else text.seniority for text in texts], dtype=np.float64)

    def signal(query: int, places: Places) -> Floats:
        shown, theirs = years[queries + places], ranks[queries + places]
        asked = max(float(years[query]), 0.0)
        short = np.where(shown >= 0, np.maximum(asked - shown, 0) / max(asked, 1.0), 0.0)
        apart = np.where((theirs > 0) & (ranks[query] > 0), np.abs(theirs - ranks[query]), 0.0)
        return np.asarray(-short - 0.3 * apart)

    return signal
