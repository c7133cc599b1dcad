"""Scoring: models as data, scores as exact sums, probabilities beside them.

`scores` holds what comes out, `scorer` what every model can do, `linear` the models that are weights, `probability`
what scores stand for.
"""

from matching.core.scoring.default import DEFAULT_MODEL
from matching.core.scoring.errors import InvalidModel
from matching.core.scoring.linear import MAX_INTERCEPT, MAX_WEIGHT, MOST_BYTES, Head, LinearModel, totals
from matching.core.scoring.probability import Curve, probabilities_ppm, probability_ppm
from matching.core.scoring.scorer import LOG_ODDS, PairValues, Scorer, score, score_values
from matching.core.scoring.scores import HEADS, INTERCEPT, UNSCORED, Contribution, HeadScore, NotScored, Scored

__all__ = [
    "DEFAULT_MODEL",
    "HEADS",
    "INTERCEPT",
    "LOG_ODDS",
    "MAX_INTERCEPT",
    "MAX_WEIGHT",
    "MOST_BYTES",
    "UNSCORED",
    "Contribution",
    "Curve",
    "Head",
    "HeadScore",
    "InvalidModel",
    "LinearModel",
    "NotScored",
    "PairValues",
    "Scored",
    "Scorer",
    "probabilities_ppm",
    "probability_ppm",
    "score",
    "score_values",
    "totals",
]
