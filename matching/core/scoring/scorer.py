"""What every model can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features import FEATURES
from matching.core.scoring.probability import probabilities_ppm
from matching.core.scoring.scores import Scored

LOG_ODDS = "log-odds"
"""The calibration of models that name none."""


class Scorer(Protocol):
    """An immutable version of a model, ready to score. Feature values are thousandths, scores micro-log-odds.

    To those that subclass it, `total` and the probabilities follow from `totals_many`.
    """

    @property
    def version(self) -> str: ...

    @property
    def calibration(self) -> str:
        """The name of the scale that its probabilities are measured on. Those of different scales are never mixed."""
        ...

    @property
    def features(self) -> frozenset[str]:
        """The names of the features that it reads."""
        ...

    def scored(self, values: Mapping[str, int]) -> Scored:
        """The three scores of one pair, each with the contributions that add up to it."""
        ...

    def totals_many(self, values: Mapping[str, NDArray[np.int64]]) -> Mapping[str, NDArray[np.int64]]:
        """Head → scores, one for every pair; `values` has an array for each feature, one entry a pair. The same
        integers as `scored`."""
        ...

    def total(self, head: str, values: Mapping[str, int]) -> int:
        """The score of one head alone: what ranking needs."""
        one = {name: np.array([values[name]], dtype=np.int64) for name in self.features}
        return int(self.totals_many(one)[head][0])

    def probabilities_ppm(self, head: str, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        """What scores of a head stand for, in millionths: monotone, and the only thing in which scores of different
        models can be compared."""
        return probabilities_ppm(scores)

    def probability_ppm(self, head: str, score: int) -> int:
        return int(self.probabilities_ppm(head, np.array([score], dtype=np.int64))[0])


class PairValues(dict[str, int]):
    """The feature values of one pair, each computed when it is first asked for and kept: a model, and each of its
    heads, reads only some."""

    def __init__(self, candidate: CandidateFacts, terms: OpportunityTerms) -> None:
        super().__init__()
        self._candidate, self._terms = candidate, terms

    def __missing__(self, name: str) -> int:
        value = self[name] = FEATURES[name].value(self._candidate, self._terms)
        return value


def score(candidate: CandidateFacts, terms: OpportunityTerms, *, model: Scorer) -> Scored:
    """The three scores of one pair under one model, each with its explanation."""
    return model.scored({name: value(candidate, terms) for name, value in _values_of(model.features)})


@lru_cache(maxsize=256)  # one model scores many pairs
def _values_of(features: frozenset[str]) -> list[tuple[str, Callable[[CandidateFacts, OpportunityTerms], int]]]:
    return [(name, FEATURES[name].value) for name in features]


def score_values(values: Mapping[str, int], *, model: Scorer) -> Scored:
    """Scores from feature values that are known already, as replay and SQL have them."""
    return model.scored(values)
