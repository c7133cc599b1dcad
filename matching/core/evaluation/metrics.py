"""Measures of rankings and of probabilities.

Numbers go in as sequences or arrays, floats come out, and None where a measure is undefined: there is no AUC without
both kinds of label, no nDCG where nothing is worth anything. A query for which a measure is None is no query with a
result of 0; whoever averages leaves it out. Sequences of unequal length, NaN and infinity raise ValueError.

Ties: `auc`, `pairwise_accuracy` and `rank_correlation` count a tie as half, so they need no order. The measures of an
order (`ndcg_at`, `average_precision`, `reciprocal_rank`) take the order as it is: who made it broke its ties.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BOOTSTRAP_DRAWS = 2_000
_CLIP = 1e-15
_DRAWN_AT_ONCE = 4_000_000  # numbers, 32 MB


@dataclass(frozen=True, slots=True)
class Bin:
    """Those whose probability was in [low, high), the last bin with its upper end: how many, what was predicted of them
    and what came of them, both as means in 0…1."""

    low: float
    high: float
    count: int
    predicted: float
    observed: float


class Interval(NamedTuple):
    low: float
    high: float


def _finite(values: ArrayLike, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError(f"{name} must be one list of numbers")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite")
    return found


def _pair(one: ArrayLike, other: ArrayLike, names: tuple[str, str]) -> tuple[Floats, Floats]:
    first, second = _finite(one, names[0]), _finite(other, names[1])
    if len(first) != len(second):
        raise ValueError(f"{len(first)} {names[0]} and {len(second)} {names[1]}")
    return first, second


def _labelled(labels: ArrayLike, values: ArrayLike, name: str) -> tuple[NDArray[np.bool_], Floats]:
    truth, found = _pair(labels, values, ("labels", name))
    if not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 or 1")
    return truth == 1.0, found


def _probable(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    truth, found = _labelled(labels, probabilities, "probabilities")
    if ((found < 0) | (found > 1)).any():
        raise ValueError("probabilities must be in 0…1")
    return truth, found


def _ranks(values: Floats) -> Floats:
    """Places from 1, lowest first; those who tie share the mean of theirs."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, side="right") + 1) / 2


def auc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """The chance that one of label 1 has the higher score than one of label 0, a tie counting half; None unless there
    are both. Mann and Whitney's U over the number of pairs."""
    truth, found = _labelled(labels, scores, "scores")
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    ranks = _ranks(found)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Mean negative log-likelihood in nats; None of nobody. Probabilities are kept 1e-15 away from 0 and 1, so that one
    certain error does not hide all else."""
    truth, found = _probable(labels, probabilities)
    if not len(truth):
        return None
    kept = np.clip(found, _CLIP, 1 - _CLIP)
    return float(-np.where(truth, np.log(kept), np.log1p(-kept)).mean())


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Mean squared error of probabilities, 0…1; None of nobody."""
    truth, found = _probable(labels, probabilities)
    return float(np.square(found - truth).mean()) if len(truth) else None


def calibration(labels: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> list[Bin]:
    """Predicted against observed in so many bins of equal width; bins that nobody is in are left out."""
    if bins < 1:
        raise ValueError("bins must be at least 1")
    truth, found = _probable(labels, probabilities)
    edges = np.arange(bins + 1) / bins
    of = np.minimum(np.searchsorted(edges, found, side="right") - 1, bins - 1)
    return [
        Bin(
            float(edges[at]),
            float(edges[at + 1]),
            int((of == at).sum()),
            float(found[of == at].mean()),
            float(truth[of == at].mean()),
        )
        for at in range(bins)
        if (of == at).any()
    ]


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float | None:
    """Spearman's ρ of two scores of the same things, -1…1; None where either tells nothing apart."""
    first, second = _pair(one, other, ("scores", "other scores"))
    if len(first) < 2:
        return None
    ranks = _ranks(first) - (len(first) + 1) / 2, _ranks(second) - (len(first) + 1) / 2
    spread = float(np.sqrt(np.square(ranks[0]).sum() * np.square(ranks[1]).sum()))
    return float((ranks[0] * ranks[1]).sum()) / spread if spread else None


def top_k_overlap(one: Sequence[Hashable], other: Sequence[Hashable], k: int) -> float | None:
    """The share of things that both orders, best first, have among their first k; of shorter orders the share of the
    longer one. None of two empty ones."""
    first, second = set(one[:k]), set(other[:k])
    longest = max(len(first), len(second))
    return len(first & second) / longest if longest else None


def ndcg_at(grades_in_order: ArrayLike, k: int) -> float | None:
    """Discounted gain of the first k over the best possible one; None where all are worth 0, or k is 0.

    The gain is the grade itself and the discount log2(rank + 1), as of Järvelin and Kekäläinen (2002) with b = 2 in its
    common smooth form. The best order is that of the same grades, so pass the grades of all that were ranked.
    """
    grades = _finite(grades_in_order, "grades")
    if (grades < 0).any():
        raise ValueError("grades must not be negative")
    discounts = 1 / np.log2(np.arange(2, min(max(k, 0), len(grades)) + 2))
    best = float((np.sort(grades)[::-1][: len(discounts)] * discounts).sum())
    return float((grades[: len(discounts)] * discounts).sum()) / best if best else None


def average_precision(relevant_in_order: ArrayLike) -> float | None:
    """Mean precision at the ranks of what is relevant; None if nothing is. Its mean over queries is MAP."""
    relevant = _finite(relevant_in_order, "labels") > 0
    ranks = np.flatnonzero(relevant) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean()) if len(ranks) else None


def reciprocal_rank(relevant_in_order: ArrayLike) -> float | None:
    """1 ÷ the rank of the first that is relevant; None if nothing is. Its mean over queries is MRR."""
    relevant = np.flatnonzero(_finite(relevant_in_order, "labels") > 0)
    return 1 / (int(relevant[0]) + 1) if len(relevant) else None


def pairwise_accuracy(grades: ArrayLike, scores: ArrayLike) -> float | None:
    """Of the pairs with different grades the share whose scores are in the same order, a tie counting half; None where
    all grades are equal. With two grades it is the AUC."""
    truth, found = _pair(grades, scores, ("grades", "scores"))
    won = pairs = 0.0
    for grade in np.unique(truth)[1:]:
        above, below = found[truth == grade], np.sort(found[truth < grade])
        lower = np.searchsorted(below, above, side="left")
        not_higher = np.searchsorted(below, above, side="right")
        won += float((lower + not_higher).sum()) / 2
        pairs += len(above) * len(below)
    return won / pairs if pairs else None


def mean(values: Iterable[float | None]) -> float | None:
    """Over the queries that have a value; None where none has."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def bootstrap_interval(
    per_query_values: Iterable[float | None], seed: int, *, level: float = 0.95, draws: int = BOOTSTRAP_DRAWS
) -> Interval | None:
    """Where the mean over queries may lie: the percentiles of the means of so many samples of queries, drawn with
    replacement (Efron, 1979). The same values and seed give the same interval. None with less than two values, which
    tell nothing of how they vary.

    For two rankers on the same queries pass the differences: the samples are then paired.
    """
    values: Any = _finite([value for value in per_query_values if value is not None], "values")
    if len(values) < 2:
        return None
    draw = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // len(values))
    means = np.concatenate(
        [
            values[draw.integers(0, len(values), (min(at_once, draws - done), len(values)))].mean(axis=1)
            for done in range(0, draws, at_once)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
