"""What texts mean, by vectors of words: as a whole, and sentence by sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matching.core.affinity.collection import Collection, Floats, counted_matrix, sublinear, unit
from matching.core.affinity.signals import Places, Signal, Vectors, product
from matching.core.affinity.texts import ReadText

_MOST_SENTENCES = 100
"""Of one text; what comes later is not held against others one by one."""
_SENTENCES_AT_ONCE = 20_000
_CANDIDATES_AT_ONCE = 1_000


def directions_of(collection: Collection, texts: Sequence[ReadText], vectors: Vectors) -> Floats:
    """A row for each single word of the collection, in the order of its columns."""
    usual = _usual_forms(texts)
    return unit(vectors.of([usual[term] for term in _single_terms(collection)]).astype(np.float64))


def meaning(collection: Collection, directions: Floats) -> Signal:
    """The cosine of the mean directions of what the words of two texts mean, rare words counting more."""
    single = np.flatnonzero(~collection.is_pair)
    means = unit(np.asarray(sublinear(collection.counts[:, single], collection.idf[single]).dot(directions)))
    # What all texts have in common tells none apart.
    return product(unit(means - means.mean(axis=0)), collection.queries)


class Sentences:
    """The sentences of texts as directions, a row each, less what all have in common; `weights` is the root of what the
    words of each weigh: a long one counts more than a short one, but not as much more as it is longer."""

    def __init__(self, collection: Collection, texts: Sequence[ReadText], directions: Floats) -> None:
        counted = [list(_sentences(text)) for text in texts]
        rows = [sentence for of in counted for sentence in of]
        single = np.flatnonzero(~collection.is_pair)
        columns = {term: at for at, term in enumerate(_single_terms(collection))}
        self._lengths = np.array([len(of) for of in counted], dtype=np.int64)
        self._ends = np.cumsum(self._lengths)
        self._meant = np.zeros((len(rows), directions.shape[1]), dtype=np.float32)
        self._weights = np.zeros(len(rows))
        for start in range(0, len(rows), _SENTENCES_AT_ONCE):
            some = counted_matrix(rows[start : start + _SENTENCES_AT_ONCE], columns).multiply(collection.idf[single])
            here = slice(start, start + some.shape[0])
            self._meant[here] = unit(np.asarray(some.tocsr().dot(directions)))
            self._weights[here] = np.sqrt(np.asarray(some.sum(axis=1)).ravel())
        if rows:
            self._meant -= self._meant.mean(axis=0)
            self._meant /= np.maximum(np.linalg.norm(self._meant, axis=1, keepdims=True), 1e-9)

    def answered(self, query: int, texts: NDArray[np.int64]) -> Floats:
        """How near the nearest sentence of each text comes to those of a query, as a mean; 0 for a text of nothing."""
        found = np.zeros(len(texts))
        asked, weights = self._meant[self._of(query)].astype(np.float64), self._weights[self._of(query)]
        said = np.flatnonzero(self._lengths[texts])
        if len(said) and weights.any():
            near = np.concatenate([self._meant[self._of(text)] for text in texts[said]]).astype(np.float64) @ asked.T
            firsts = np.concatenate([[0], np.cumsum(self._lengths[texts[said]])[:-1]])
            found[said] = np.maximum.reduceat(near, firsts, axis=0) @ weights / weights.sum()
        return found

    def _of(self, text: int) -> slice:
        return slice(self._ends[text] - self._lengths[text], self._ends[text])


def answers(collection: Collection, texts: Sequence[ReadText], directions: Floats) -> Signal:
    """How well a candidate answers each sentence of the query by one of theirs: "sited intravenous lines" answers "IV
    cannulation", whatever else either text says. Sentences are made ready when a query first asks for them."""

    @cache
    def sentences() -> Sentences:
        return Sentences(collection, texts, directions)

    def signal(query: int, places: Places) -> Floats:
        blocks = [
            sentences().answered(query, collection.queries + places[start : start + _CANDIDATES_AT_ONCE])
            for start in range(0, len(places), _CANDIDATES_AT_ONCE)
        ]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    return signal


def _single_terms(collection: Collection) -> list[str]:
    return [term for term, pair in zip(collection.terms, collection.is_pair, strict=True) if not pair]


def _sentences(text: ReadText) -> Iterator[Counter[str]]:
    left, words = _MOST_SENTENCES, Counter[str]()
    for word in (*text.words, None):
        if word is not None:
            words[word] += 1
        elif words and left:
            yield words
            left, words = left - 1, Counter[str]()


def _usual_forms(texts: Sequence[ReadText]) -> dict[str, str]:
    """Roots are no words that vectors would know: each as it is written most often, among equals the shortest."""
    forms: dict[str, Counter[str]] = {}
    for text in texts:
        for word, written in zip(text.words, text.written, strict=True):
            if word is not None and written is not None:
                forms.setdefault(word, Counter())[written] += 1
    return {word: min(found, key=lambda form: (-found[form], len(form), form)) for word, found in forms.items()}
