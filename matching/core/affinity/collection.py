"""The words of a collection as matrices: which word is in which text, how often, and how much it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matching.core.affinity.texts import ReadText, roots_of

Floats = NDArray[np.float64]

MOST_TERMS = 400_000
"""Of a collection; beyond, what is in one text only is left out: nothing else can have it."""

_PRIOR_TEXTS = 30
"""How many texts of its own a collection needs until they say as much of a word's rarity as the background."""
_UNHEARD_OF = 1 / 2_000
"""The share of texts with a word that the background lacks."""
_ITERATIONS, _SPARE_DIRECTIONS = 4, 20
_PAIR = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Rarity:
    """In what share of some other texts a term is; nothing, where there are no such texts."""

    share: Mapping[str, float]

    def of(self, term: str) -> float:
        return self.share.get(term, _UNHEARD_OF)


def terms_of(text: ReadText, *, pairs: bool = True) -> Counter[str]:
    """Words, and pairs of neighbours in a sentence."""
    found = Counter(word for word in text.words if word is not None)
    if pairs:
        found.update(f"{one}{_PAIR}{other}" for one, other in pairwise(text.words) if one and other)
    return found


def terms_in(phrase: str) -> Counter[str]:
    """Words of a short text, and pairs of neighbours."""
    words = list(roots_of(phrase))
    return Counter([*words, *(f"{one}{_PAIR}{other}" for one, other in pairwise(words))])


def rarity_of(counted: Sequence[Counter[str]]) -> Rarity:
    """How common terms are among these texts."""
    among: Counter[str] = Counter()
    for terms in counted:
        among.update(terms.keys())
    return Rarity({term: count / len(counted) for term, count in among.items() if count > 1})


class Collection:
    """Queries and candidates over one vocabulary; `counts` has a row for each text, queries first.

    A word's weight (`idf`) is the logarithm of how rarely texts have it, on that side that has it more often: what
    every advert says tells adverts apart as little as what every résumé says tells people. Few texts say little of
    that, so they are taken together with what a background knows.
    """

    def __init__(
        self, queries: Sequence[Counter[str]], candidates: Sequence[Counter[str]], background: Rarity | None = None
    ) -> None:
        self.queries = len(queries)
        everything = [*queries, *candidates]
        among: Counter[str] = Counter()
        for terms in everything:
            among.update(terms.keys())
        once = len(among) > MOST_TERMS
        self.terms = {
            term: at for at, term in enumerate(term for term, count in among.items() if count > 1 or not once)
        }
        self.counts = counted_matrix(everything, self.terms)
        background = background or Rarity({})
        prior = np.fromiter((background.of(term) for term in self.terms), dtype=np.float64, count=len(self.terms))
        shares = [
            (np.asarray((side > 0).sum(axis=0)).ravel() + _PRIOR_TEXTS * prior) / (side.shape[0] + _PRIOR_TEXTS)
            for side in (self.counts[: self.queries], self.counts[self.queries :])
        ]
        self.idf: Floats = -np.log(np.clip(np.maximum(*shares), 1e-9, 1.0))
        self.is_pair = np.fromiter((_PAIR in term for term in self.terms), dtype=bool, count=len(self.terms))


def counted_matrix(rows: Sequence[Mapping[str, float]], terms: Mapping[str, int]) -> sparse.csr_matrix:
    """A row for each text, a column for each term; terms that are not listed are left out."""
    starts, columns, values = [0], [], []
    for row in rows:
        for term, count in row.items():
            at = terms.get(term)
            if at is not None:
                columns.append(at)
                values.append(float(count))
        starts.append(len(columns))
    matrix = sparse.csr_matrix(
        (np.array(values), np.array(columns, dtype=np.int32), np.array(starts)), shape=(len(rows), len(terms))
    )
    matrix.sort_indices()  # sums in one order, whatever order the words came in
    return matrix


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its length; a row of nothing stays so."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1)).dot(matrix).tocsr()


def sublinear(counts: sparse.csr_matrix, idf: Floats) -> sparse.csr_matrix:
    """(1 + ln count) × idf, rows of length 1."""
    damped = counts.copy()
    damped.data = 1 + np.log(damped.data)
    return unit_rows(damped.multiply(idf).tocsr())


def latent_directions(matrix: sparse.csr_matrix, size: int) -> Floats:
    """The first right singular vectors of a matrix, a column each: which terms come with each other. At most so many.

    By subspace iteration from a random start (Halko, Martinsson and Tropp, 2011), with a seed of its own: the same
    matrix gives the same directions.
    """
    size = min(size, *matrix.shape)
    width = min(size + _SPARE_DIRECTIONS, *matrix.shape)
    basis = np.linalg.qr(matrix.dot(np.random.default_rng(0).standard_normal((matrix.shape[1], width))))[0]
    across = matrix.T.tocsr()
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(matrix.dot(across.dot(basis)))[0]
    projected = across.dot(basis)
    strengths, mixed = np.linalg.eigh(projected.T @ projected)
    strongest = np.argsort(-strengths)[:size]
    return unit((projected @ mixed[:, strongest]).T).T


def unit(rows: Floats) -> Floats:
    """Each row divided by its length."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 1e-12, lengths, 1), dtype=np.float64)


def shares(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its sum."""
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    return sparse.diags(1 / np.where(sums > 0, sums, 1)).dot(matrix).tocsr()
