"""How two models differ: in the order that they give, in their scores, and in how well they foretell what became of it.

`one` is the model in question, `other` the one it is held against; drift is the score of one less that of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.evaluation.metrics import (
    Bin,
    Interval,
    auc,
    bootstrap_interval,
    brier,
    calibration,
    log_loss,
    mean,
    rank_correlation,
    top_k_overlap,
)

MICRO = 1_000_000
DEPTHS = (1, 3, 5, 10, 20, 50)
QUANTILES = (5, 25, 50, 75, 95)  # per cent
MOST_BARS = 24
SEED = 7

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates (inner ids) of one opportunity. `orders` are the first of each model, best first; `scores`, by head,
    are those of one and of the other, in the order of `candidates`, in micro-log-odds."""

    candidates: Sequence[int]
    orders: tuple[Sequence[int], Sequence[int]]
    scores: Mapping[str, tuple[Numbers, Numbers]]


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[n]` lie in [edges[n], edges[n + 1]), the last with its upper end; in log-odds."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """Over pairs, in log-odds. `quantiles` are by per cent."""

    mean: float
    deviation: float
    quantiles: Mapping[int, float]
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of the first k of one the share that is among the first k of the other, as a mean over opportunities."""

    k: int
    share: float
    interval: Interval | None
    opportunities: int


@dataclass(frozen=True, slots=True)
class HeadAgreement:
    """`rank_correlation` is Spearman's ρ within an opportunity, as a mean over opportunities."""

    rank_correlation: float | None
    interval: Interval | None
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class Agreement:
    opportunities: int
    pairs: int
    overlap: tuple[Overlap, ...]
    heads: Mapping[str, HeadAgreement]


@dataclass(frozen=True, slots=True)
class Foresight:
    """How one model did on one head's labels. None where nothing can be said."""

    auc: float | None
    log_loss: float | None
    brier: float | None
    calibration: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both models on the same examples."""

    examples: int
    positives: int
    one: Foresight
    other: Foresight


@dataclass(frozen=True, slots=True)
class Comparison:
    """`source` says where the rankings come from."""

    one: str
    other: str
    source: str
    agreement: Agreement
    outcomes: Mapping[str, Outcome]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def agreement(rankings: Sequence[Ranked], heads: Sequence[str]) -> Agreement:
    """Of opportunities with nobody, nothing is counted."""
    ranked = [one for one in rankings if len(one.candidates)]
    return Agreement(
        opportunities=len(ranked),
        pairs=sum(len(one.candidates) for one in ranked),
        overlap=tuple(found for k in DEPTHS if (found := _overlap(ranked, k)) is not None),
        heads={head: _agreed(ranked, head) for head in heads},
    )


def outcome(labels: NDArray[np.int8], one: tuple[Numbers, Numbers], other: tuple[Numbers, Numbers]) -> Outcome:
    """Of each model the scores and the probabilities in millionths, one for every label."""
    return Outcome(
        examples=len(labels),
        positives=int(labels.sum()),
        one=_foresight(labels, *one),
        other=_foresight(labels, *other),
    )


def _foresight(labels: NDArray[np.int8], scores: Numbers, ppm: Numbers) -> Foresight:
    probabilities = ppm / MICRO
    return Foresight(
        auc=auc(labels, scores),
        log_loss=log_loss(labels, probabilities),
        brier=brier(labels, probabilities),
        calibration=tuple(calibration(labels, probabilities)),
    )


def _overlap(rankings: Sequence[Ranked], k: int) -> Overlap | None:
    """Only of opportunities where both have so many: of fewer, all are among the first."""
    deep = [one.orders for one in rankings if min(len(order) for order in one.orders) >= k]
    shares = [top_k_overlap(*orders, k) for orders in deep]
    share = mean(shares)
    return None if share is None else Overlap(k, share, bootstrap_interval(shares, SEED), len(deep))


def _agreed(rankings: Sequence[Ranked], head: str) -> HeadAgreement:
    correlations = [rank_correlation(*one.scores[head]) for one in rankings]
    differences = [one.scores[head][0] - one.scores[head][1] for one in rankings]
    return HeadAgreement(
        rank_correlation=mean(correlations),
        interval=bootstrap_interval(correlations, SEED),
        drift=_drift(np.concatenate(differences)) if differences else None,
    )


def _drift(differences: Numbers) -> Drift:
    values = differences / MICRO
    counts, edges = np.histogram(values, bins=min(MOST_BARS, max(1, round(len(values) ** 0.5))))
    return Drift(
        mean=float(values.mean()),
        deviation=float(values.std()),
        quantiles=dict(zip(QUANTILES, np.percentile(values, QUANTILES).tolist(), strict=True)),
        histogram=Histogram(tuple(edges.tolist()), tuple(counts.tolist())),
    )
