"""What a ranker of texts has to beat. Baselines see the same words, by the same roots, as the ranker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matching.core.affinity.collection import Floats, counted_matrix, unit_rows

K1, B = 1.2, 0.75


class Bm25:
    """Okapi BM25 of Robertson and Walker (1994) with k1 = 1.2 and b = 0.75, in the form that has no negative weights:
    idf = ln(1 + (N - n + 0.5) / (n + 0.5)), over the candidates. A word of the query counts as often as it is there."""

    def __init__(self, candidates: Sequence[Counter[str]]) -> None:
        self._terms = _numbered(candidates)
        counts = counted_matrix(candidates, self._terms)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        mean = lengths.mean() if lengths.any() else 1.0
        have = np.asarray((counts > 0).sum(axis=0)).ravel()
        idf = np.log1p((len(candidates) - have + 0.5) / (have + 0.5))
        norms = np.repeat(K1 * (1 - B + B * lengths / mean), np.diff(counts.indptr))
        counts.data = counts.data * (K1 + 1) / (counts.data + norms) * idf[counts.indices]
        self._weights = counts

    def scores(self, query: Counter[str], rows: NDArray[np.int64]) -> Floats:
        asked = counted_matrix([query], self._terms)
        return _product(self._weights[rows], asked)


class TfIdf:
    """The cosine of counts × (ln((1 + N) / (1 + n)) + 1), over the candidates: what libraries do by default."""

    def __init__(self, candidates: Sequence[Counter[str]]) -> None:
        self._terms = _numbered(candidates)
        counts = counted_matrix(candidates, self._terms)
        have = np.asarray((counts > 0).sum(axis=0)).ravel()
        self._idf = np.log((1 + len(candidates)) / (1 + have)) + 1
        self._weights = unit_rows(counts.multiply(self._idf).tocsr())

    def scores(self, query: Counter[str], rows: NDArray[np.int64]) -> Floats:
        asked = unit_rows(counted_matrix([query], self._terms).multiply(self._idf).tocsr())
        return _product(self._weights[rows], asked)


def skill_coverage(query: frozenset[int], candidates: Sequence[frozenset[int]]) -> Floats:
    """The share of the skills that a query names which a candidate names too; 0 where it names none."""
    return np.array([len(query & each) / len(query) if query else 0.0 for each in candidates], dtype=np.float64)


def _numbered(texts: Sequence[Counter[str]]) -> dict[str, int]:
    """Every term of some texts with a column of its own, in the order in which they come."""
    terms: dict[str, int] = {}
    for each in texts:
        for term in each:
            terms.setdefault(term, len(terms))
    return terms


def _product(rows: sparse.csr_matrix, column: sparse.csr_matrix) -> Floats:
    return np.asarray(rows.dot(column.T).toarray(), dtype=np.float64).ravel()
