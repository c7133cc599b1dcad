"""Rows of feature values on which a model is tried before it is kept, and what they must show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matching.core.features import FEATURES, FULL, NEUTRAL
from matching.core.scoring import HEADS, MAX_INTERCEPT, MAX_WEIGHT, Head, LinearModel

RANDOM = 1024
EXTREME = 512
PARTLY_KNOWN = 512
TESTED_FOR_LEAKS = 256

Integers = NDArray[np.int64]


def probe_rows(features: Sequence[str], *, seed: int = 1) -> Integers:
    """(rows, features) in thousandths: all neutral, all least, all most, each feature at either end by itself, random
    ones, random ends, and random ones with many facts missing. The same rows each time."""
    draw = np.random.default_rng(seed)
    width = len(features)
    flat = np.array([NEUTRAL, 0, FULL], dtype=np.int64)
    alone = np.full((2 * width, width), NEUTRAL, dtype=np.int64)
    places = np.arange(width)
    alone[2 * places, places], alone[2 * places + 1, places] = 0, FULL
    anything = draw.integers(0, FULL + 1, (RANDOM, width))
    ends = draw.choice(flat, (EXTREME, width))
    partly = np.where(
        draw.random((PARTLY_KNOWN, width)) < 0.5, NEUTRAL, draw.integers(0, FULL + 1, (PARTLY_KNOWN, width))
    )
    return np.concatenate([np.repeat(flat[:, None], width, axis=1), alone, anything, ends, partly])


def forbidden(features: Sequence[str]) -> dict[str, list[str]]:
    """Head → those of the features that may not be weighed for it, if there are any."""
    found = {head: [name for name in features if head not in FEATURES[name].heads] for head in HEADS}
    return {head: names for head, names in found.items() if names}


def linear_surrogate(
    version: str, calibration: str, features: Sequence[str], rows: Integers, scores: Mapping[str, Integers]
) -> LinearModel:
    """The linear model that comes nearest to given scores on given rows, by least squares, head by head.

    It finds the people whom the model itself then ranks, so that what counts is the upper end: rows are weighed by how
    high they score, the highest ten times as much as the lowest. Weights are rounded to thousandths and kept within the
    bounds of any linear model's.
    """
    heads = {}
    for head in HEADS:
        allowed = [place for place, name in enumerate(features) if head in FEATURES[name].heads]
        known = np.column_stack([np.ones(len(rows)), rows[:, allowed].astype(np.float64)])
        wanted = scores[head].astype(np.float64)
        standing = np.argsort(np.argsort(wanted, kind="stable"), kind="stable") / max(len(wanted) - 1, 1)
        trust = np.sqrt(1 + 9 * standing)[:, None]
        solution = np.linalg.lstsq(known * trust, wanted[:, None] * trust, rcond=None)[0][:, 0]
        weights = np.clip(np.rint(solution[1:]), -MAX_WEIGHT, MAX_WEIGHT).astype(np.int64)
        intercept = int(np.clip(np.rint(solution[0]), -MAX_INTERCEPT, MAX_INTERCEPT))
        named = {features[place]: int(weight) for place, weight in zip(allowed, weights, strict=True) if weight}
        heads[head] = Head(intercept, named)
    return LinearModel(version=version, heads=heads, calibration=calibration)


def explained(scores: Integers, others: Integers) -> float:
    """The share of the variance of `scores` that `others` explain: 1 where they are the same, also if all are equal."""
    spread = scores.astype(np.float64)
    error = float(np.sum((spread - others) ** 2))
    total = float(np.sum((spread - spread.mean()) ** 2))
    return 1 - error / total if total else float(error == 0)
