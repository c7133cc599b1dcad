"""One head, trained: split by time, fitted within its signs, calibrated apart, and rounded to integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import NDArray

from matching.core.evaluation.metrics import log_loss
from matching.core.features import FEATURES
from matching.core.learning.examination import EVERYBODY, Examination
from matching.core.learning.logistic import calibrate, fit
from matching.core.scoring import Head
from matching.core.scoring.linear import MAX_INTERCEPT, MAX_WEIGHT

Floats = NDArray[np.float64]

PENALTIES = (0.1, 1.0, 10.0)  # of the sum of losses; the one that does best on the slice for calibration is taken
CALIBRATION_SHARE = 0.25  # of what comes before the test
LEAST_OF_EACH = 20  # yeses, and noes, to fit by
LEAST_TO_JUDGE = 5  # of each, to calibrate by, and to test by
HEAVIEST = 10.0  # what an example weighs whose chance of being shown was small

# Every feature is the better the more there is of it, so for fit no weight may be negative: otherwise somebody would
# rise by hiding a skill or a good record, which is absurd, and would soon be done. How much somebody wants a thing, or
# takes it, cannot fall with what it gives them: pay, hours, place, time; nor with their record of answering and
# accepting. It can fall with what they bring: the overqualified may want it less.
BROUGHT = frozenset(
    {
        "required_skills", "preferred_skills", "near_skills", "experience", "title_affinity", "text_affinity",
        "past_work", "completion_rate",
    }
)  # fmt: skip
MAY_BE_NEGATIVE: Mapping[str, frozenset[str]] = {"fit": frozenset(), "interest": BROUGHT, "acceptance": BROUGHT}


@dataclass(frozen=True)
class Examples:
    """Columns, one entry an example. `values`: thousandths by feature."""

    values: Mapping[str, NDArray[np.int64]]
    labels: NDArray[np.int8]
    ranks: NDArray[np.int64]
    propensities: Floats
    groups: NDArray[np.int64]  # what examples have in common that makes them alike: their opportunity

    def __len__(self) -> int:
        return len(self.labels)

    def matrix(self, names: Sequence[str]) -> Floats:
        return np.column_stack([self.values[name] for name in names]).astype(np.float64) / 1000

    @property
    def weights(self) -> Floats:
        """Inverse propensities, clipped; of mean 1, so that a penalty means the same whatever they are."""
        raw = np.minimum(1 / self.propensities, HEAVIEST)
        return np.asarray(raw / raw.mean() if len(raw) else raw, dtype=np.float64)


@dataclass(frozen=True)
class Plan:
    """What a head is trained with: `live` is where its weights are pulled to, `least` the fewest examples to fit by."""

    head: str
    live: Mapping[str, int]  # thousandths of log-odds; empty where the live model is not linear
    least: int
    ranked: bool  # whether people saw a list, and may not have looked down to a rank


@dataclass(frozen=True)
class TrainedHead:
    """`head` is None where there was too little to learn from: `problem` says what was missing."""

    head: Head | None
    problem: str = ""
    examination: Examination = EVERYBODY
    penalty: float | None = None
    slope: float | None = None
    pinned: tuple[str, ...] = field(default=())  # features whose weights would be negative, and are 0

    def seen(self, ranks: NDArray[np.int64]) -> Floats:
        return self.examination.of(ranks)


def problem_with(plan: Plan, fitting: Examples, calibrating: Examples, testing: Examples) -> str:
    """Why nothing can be learned; empty if something can."""
    number = len(fitting) + len(calibrating)
    if number < plan.least:
        return f"{number} examples before the test, of {plan.least} that are needed"
    for name, part, least in (
        ("to fit by", fitting, LEAST_OF_EACH),
        ("to calibrate by", calibrating, LEAST_TO_JUDGE),
        ("to test by", testing, LEAST_TO_JUDGE),
    ):
        yes = int(part.labels.sum())
        if min(yes, len(part) - yes) < least:
            return f"{yes} yes and {len(part) - yes} no {name}, of {least} each that are needed"
    return ""


def train_head(plan: Plan, fitting: Examples, calibrating: Examples) -> TrainedHead:
    """The head that does best on the slice for calibration, by log loss, of those that the penalties give.

    Its slope and intercept from calibration are folded into its weights, so that its scores are calibrated log-odds
    themselves; then it is rounded to thousandths (the intercept to millionths).
    """
    names = [name for name, feature in FEATURES.items() if plan.head in feature.heads]
    free = MAY_BE_NEGATIVE[plan.head]
    lower = np.array([-np.inf if name in free else 0.0 for name in names])
    centre = np.maximum(np.array([plan.live.get(name, 0) / 1000 for name in names]), lower)
    x, other = fitting.matrix(names), calibrating.matrix(names)
    labels, best = calibrating.labels.astype(np.float64), None
    for penalty in PENALTIES:
        found = fit(
            x, fitting.labels.astype(np.float64), fitting.weights, fitting.ranks if plan.ranked else None,
            centre=centre, lower=lower, penalty=penalty,
        )  # fmt: skip
        seen = found.examination.of(calibrating.ranks)
        scores = other @ found.weights + found.intercept
        slope, shift = calibrate(scores, labels, calibrating.weights, seen)
        loss = log_loss(labels, seen * scipy.special.expit(slope * scores + shift))
        weights, intercept = slope * found.weights, slope * found.intercept + shift
        pinned = tuple(
            name for name, weight, least in zip(names, weights, lower, strict=True) if least == 0 and weight <= 0
        )
        trained = TrainedHead(
            _rounded(names, weights, float(intercept)), "", found.examination, penalty, round(slope, 6), pinned
        )
        if loss is not None and (best is None or loss < best[0] - 1e-9):
            best = loss, trained
    assert best is not None  # there are examples of either label to calibrate by
    return best[1]


def _rounded(names: Sequence[str], weights: Floats, intercept: float) -> Head:
    """Weights in thousandths, those of 0 left out; the intercept in millionths."""
    thousandths = np.clip(np.rint(weights * 1000), -MAX_WEIGHT, MAX_WEIGHT).astype(np.int64)
    millionths = int(np.clip(np.rint(intercept * 1_000_000), -MAX_INTERCEPT, MAX_INTERCEPT))
    return Head(millionths, {name: int(one) for name, one in zip(names, thousandths, strict=True) if one})
