"""What a taxonomy says of occupations, made ready to place texts among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matching.core.affinity.collection import (
    Floats,
    Rarity,
    counted_matrix,
    latent_directions,
    rarity_of,
    sublinear,
    terms_in,
    unit,
    unit_rows,
)
from matching.core.affinity.texts import ReadText

_TITLE_WEIGHT = 3.0
_RESEMBLED = 40  # occupations that a text is said to resemble, of thousands
_DIRECTIONS = 200
_FEW_RESEMBLED, _FEW_DIRECTIONS = 15, 60  # of hundreds
_STRANGE, _FAMILIAR = 0.2, 0.5
_FOREIGN, _OWN = 0.2, 0.5
_AT_ONCE = 1_000  # texts


def profile(titles: Iterable[str], description: str, skills: Iterable[Counter[str]]) -> Counter[str]:
    """The terms of an occupation. A word of its titles counts twice, and less the more of them have it: some
    occupations have a hundred titles."""
    found: Counter[str] = Counter()
    for title in titles:
        found.update(terms_in(title))
    weighted: Counter[str] = Counter()
    for term, count in found.items():
        weighted[term] = 2 * count**0.5
    weighted.update(terms_in(description))
    for skill in skills:
        weighted.update(skill)
    return weighted


@dataclass(frozen=True, slots=True)
class Occupations:
    """Profiles as rows, terms as columns."""

    rarity: Rarity
    terms: Mapping[str, int]
    idf: Floats
    weights: sparse.csr_matrix  # profile × term, rows of length 1
    directions: Floats  # term × dimension: which words come with each other in profiles
    few: bool = False

    @classmethod
    def of(cls, profiles: Sequence[Counter[str]], *, few: bool = False) -> Occupations | None:
        """None where profiles say nothing in common. `few`: they leave out much of what work there is, so that a text
        which resembles none of them is about something else."""
        rarity = rarity_of(profiles)
        if not rarity.share:
            return None
        terms = {term: at for at, term in enumerate(rarity.share)}
        idf = -np.log(np.fromiter(rarity.share.values(), dtype=np.float64, count=len(terms)))
        weights = sublinear(counted_matrix(profiles, terms), idf)
        directions = latent_directions(weights, _FEW_DIRECTIONS if few else _DIRECTIONS)
        return cls(rarity, terms, idf, weights, directions, few)

    def sureness(self, weighed: sparse.csr_matrix, texts: Sequence[ReadText]) -> Floats:
        """How far what is known of occupations is to be believed of each text, 0…1. Where they are all there are, by
        the share of its words that are theirs, too: of a text in another language, hardly any. Where they are few, by
        how much the text resembles the one that it resembles most: from a cosine of 0.2, below which any text comes, to
        0.5, where it is one of them."""
        if not self.few:
            words = [[word for word in text.words if word] for text in texts]
            theirs = np.array([sum(word in self.terms for word in of) / max(len(of), 1) for of in words])
            return np.clip((theirs - _FOREIGN) / (_OWN - _FOREIGN), 0.0, 1.0)
        nearest = np.asarray(weighed.dot(self.weights.T).max(axis=1).toarray(), dtype=np.float64).ravel()
        return np.clip((nearest - _STRANGE) / (_FAMILIAR - _STRANGE), 0.0, 1.0)

    def resembled(self, weighed: sparse.csr_matrix) -> sparse.csr_matrix:
        """How much each text resembles the occupations that it resembles most; rows of length 1."""
        kept = min(_FEW_RESEMBLED if self.few else _RESEMBLED, self.weights.shape[0])
        blocks = []
        for start in range(0, weighed.shape[0], _AT_ONCE):
            near = weighed[start : start + _AT_ONCE].dot(self.weights.T).toarray()
            least = np.partition(near, -kept, axis=1)[:, -kept][:, None]
            # Half of what all of them have is taken off, so that the nearest ones say most.
            blocks.append(sparse.csr_matrix(np.where(near >= least, near - least / 2, 0.0)))
        return unit_rows(sparse.vstack(blocks).tocsr())

    def placed(self, weighed: sparse.csr_matrix) -> Floats:
        """Each text as a direction."""
        return unit(np.asarray(weighed.dot(self.directions)))

    def weighed(self, counted: Sequence[Counter[str]], texts: Sequence[ReadText]) -> sparse.csr_matrix:
        """Texts over the terms of profiles; words of titles count more."""
        rows: list[dict[str, float]] = []
        for terms, text in zip(counted, texts, strict=True):
            row: dict[str, float] = dict(terms)
            for word in text.title:
                row[word] = row.get(word, 0.0) + _TITLE_WEIGHT
            rows.append(row)
        return sublinear(counted_matrix(rows, self.terms), self.idf)
