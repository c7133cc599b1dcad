"""Logistic regression with bounds on its weights, of answers that not everybody was asked for; and Platt's calibration.

No label is weighted up, however rare it is: the intercept is not penalised, so probabilities have the mean of the
labels, and stay probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts come when first asked for: half a second that only training should cost
from numpy.typing import NDArray

from matching.core.learning.examination import BEGIN, EVERYBODY, RANKS, Examination, drops_of, stretches

Floats = NDArray[np.float64]

STEPS = 1000
CALIBRATION_PENALTY = 5.0  # pulls the slope to 1: worth about as much as twenty examples at even odds
LEAST_SLOPE = 0.01
_LEAST = 1e-12


@dataclass(frozen=True)
class Fitted:
    """z = x · weights + intercept is the log-odds of a yes from who looks."""

    weights: Floats
    intercept: float
    examination: Examination


def fit(
    x: Floats,
    labels: Floats,
    counts: Floats,
    ranks: NDArray[np.int64] | None,
    *,
    centre: Floats,
    lower: Floats,
    penalty: float,
) -> Fitted:
    """What makes the answers likeliest, where P(yes) = examined(rank) · p and p = 1 ÷ (1 + e^−z), less

        penalty ÷ 2 · Σ (weight − centre)²

    with no weight below `lower`. Each example counts `counts` times; `ranks` is None where everybody was asked, which
    is plain logistic regression and convex. Weights are pulled to `centre` and not to 0: what the examples say nothing
    about, because nobody was shown who differed in it, stays as it was believed to be.
    """
    columns = x.shape[1]
    at = np.zeros(len(x), dtype=np.int64) if ranks is None else stretches(ranks)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, drops = parameters[:columns], parameters[columns + 1 :]
        z = x @ weights + parameters[columns]
        examined = -np.concatenate([[0.0], np.cumsum(drops)])[at]  # its logarithm
        p, apart = scipy.special.expit(z), weights - centre
        no = np.maximum(1 - np.exp(examined) * p, _LEAST)
        value = counts @ (labels * (np.logaddexp(0, -z) - examined) - (1 - labels) * np.log(no))
        odds = (1 - labels) * np.exp(examined) * p / no
        by_z = counts * (odds - labels) * (1 - p)
        by_examined = np.bincount(at, weights=counts * (odds - labels), minlength=len(RANKS))
        by_drops = -np.cumsum(by_examined[::-1])[::-1][1:]
        return float(value + penalty / 2 * (apart @ apart)), np.concatenate(
            [x.T @ by_z + penalty * apart, [by_z.sum()], by_drops]
        )

    begin = BEGIN if ranks is not None else EVERYBODY
    yes = counts @ labels
    even = float(np.log((yes + 1) / (counts.sum() - yes + 1)))
    start = np.concatenate([np.maximum(centre, lower), [even], drops_of(begin)])
    unasked = np.inf if ranks is not None else 0.0
    drops = len(RANKS) - 1
    bounds = scipy.optimize.Bounds(
        np.concatenate([lower, [-np.inf], np.zeros(drops)]),
        np.concatenate([np.full(columns + 1, np.inf), np.full(drops, unasked)]),
    )
    found = _minimum(loss, start, bounds)
    examination = Examination.from_drops(found[columns + 1 :], np.bincount(at, minlength=len(RANKS)))
    return Fitted(found[:columns], float(found[columns]), examination)


def calibrate(scores: Floats, labels: Floats, counts: Floats, seen: Floats) -> tuple[float, float]:
    """Slope and intercept that make scores (log-odds) those of the probability of a yes from who looks.

    Platt (1999), where an example that was looked at with a chance of `seen` answers yes with a chance of seen · p.
    """

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shift = parameters
        z = slope * scores + shift
        p = scipy.special.expit(z)
        no = np.maximum(1 - seen * p, _LEAST)
        value = counts @ (labels * (np.logaddexp(0, -z) - np.log(seen)) - (1 - labels) * np.log(no))
        by_z = counts * ((1 - labels) * seen * p / no - labels) * (1 - p)
        value += CALIBRATION_PENALTY / 2 * (slope - 1) ** 2
        return float(value), np.array([by_z @ scores + CALIBRATION_PENALTY * (slope - 1), by_z.sum()])

    found = _minimum(loss, np.array([1.0, 0.0]), scipy.optimize.Bounds([LEAST_SLOPE, -np.inf], [np.inf, np.inf]))
    return float(found[0]), float(found[1])


def _minimum(loss: Any, start: Floats, bounds: scipy.optimize.Bounds) -> Floats:
    options = {"maxiter": STEPS, "maxfun": 2 * STEPS, "ftol": 1e-12, "gtol": 1e-7, "maxcor": 20}
    found: Floats = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return found
