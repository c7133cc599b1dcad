"""How well a model foretells what came of people it was not trained on.

All models are asked for the same: the chance that a pair is answered with a yes where it was shown, which is that of
somebody looking there times the model's probability. So a model is not blamed for what nobody saw, and what was seen is
not credited to it. In the AUC a yes counts for as many as would have said it, had everybody looked (by the inverse of
that chance): the plain one, which is reported beside it, favours whoever made the order, since yeses come from the top
because people look there. Intervals are of samples of whole opportunities, whose people stand or fall together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.evaluation.metrics import Bin, auc, brier, log_loss
from matching.core.learning.training import Examples

Floats = NDArray[np.float64]

BINS = 10
DRAWS = 400
SEED = 20_240_601
DIGITS = 6


@dataclass(frozen=True)
class HeadReport:
    """`examples` and `positives` of the test; of each model, by name, its figures with intervals and its bins."""

    examples: int
    positives: int
    models: Mapping[str, Mapping[str, Any]]
    gain: Mapping[str, Any]  # the trained one's less the live one's
    verdict: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def report_on(
    test: Examples, seen: Floats, scores: Mapping[str, Floats], probabilities: Mapping[str, Floats], base: float
) -> HeadReport:
    """`scores` and `probabilities` (0…1, of a yes from who looks) by model: `live`, and `trained` if there is one.

    `base` is the share of yeses before the test: what somebody would foretell who knows nothing of anybody.
    """
    labels = test.labels.astype(np.float64)
    chances = {name: np.clip(seen * p, 0.0, 1.0) for name, p in probabilities.items()}
    chances["base rate"] = np.full(len(test), base)
    drawn = _draws(test.groups)
    looking = np.where(labels > 0, 1 / seen, 1.0)
    aucs = {name: _aucs(labels, one, drawn * looking) for name, one in scores.items()}
    losses = {name: _losses(labels, one) for name, one in chances.items()}
    errors = {name: np.square(one - labels) for name, one in chances.items()}
    models: dict[str, dict[str, Any]] = {}
    for name, one in chances.items():
        bins = reliability(labels, one)
        models[name] = {
            "auc": _interval(aucs[name]) if name in aucs else None,
            "auc_as_shown": _round(auc(labels, scores[name])) if name in scores else None,
            "log_loss": {"value": _round(log_loss(labels, one)), **_spread(losses[name], drawn)},
            "brier": {"value": _round(brier(labels, one)), **_spread(errors[name], drawn)},
            "calibration_error": _round(_calibration_error(bins)),
            "bins": [{key: round(value, DIGITS) for key, value in asdict(one).items()} for one in bins],
        }
    gain: dict[str, Any] = {}
    verdict = "nothing was trained"
    if "trained" in scores:
        gain = {
            "auc": _interval([one - other for one, other in zip(aucs["trained"], aucs["live"], strict=True)]),
            "log_loss": {
                "value": _round(float((losses["trained"] - losses["live"]).mean())),
                **_spread(losses["trained"] - losses["live"], drawn),
            },
        }
        low, high = gain["log_loss"]["low"], gain["log_loss"]["high"]
        verdict = "better" if high < 0 else "worse" if low > 0 else "not told apart"
    return HeadReport(len(test), int(labels.sum()), models, gain, verdict)


def reliability(labels: Floats, chances: Floats, bins: int = BINS) -> list[Bin]:
    """Predicted against observed in bins of about equally many: where a yes is rare, bins of equal width would put
    nearly all into the first. Equal predictions share a bin."""
    if not len(labels):
        return []
    place = np.searchsorted(np.sort(chances), chances) / len(chances)  # the share of those below
    of = np.minimum((place * bins).astype(np.int64), bins - 1)
    return [
        Bin(
            float(chances[of == at].min()),
            float(chances[of == at].max()),
            int((of == at).sum()),
            float(chances[of == at].mean()),
            float(labels[of == at].mean()),
        )
        for at in np.unique(of)
    ]


def _ties(ordered: Floats) -> NDArray[np.int64]:
    """The number of the group of equals that each is in."""
    return np.concatenate([[0], np.cumsum(np.diff(ordered) != 0)]).astype(np.int64)


def _auc_in_order(labels: Floats, ties: NDArray[np.int64], weights: Floats) -> float | None:
    yes = np.bincount(ties, weights=weights * labels)
    no = np.bincount(ties, weights=weights * (1 - labels))
    pairs = yes.sum() * no.sum()
    return float((yes * (np.cumsum(no) - no / 2)).sum() / pairs) if pairs > 0 else None


def _draws(groups: NDArray[np.int64]) -> Floats:
    """How often each example is in each sample of as many groups as there are; the first row is the test itself."""
    known, of = np.unique(groups, return_inverse=True)
    draw = np.random.default_rng(SEED)
    number = max(1, min(DRAWS, 40_000_000 // max(len(groups), 1)))
    times = [np.bincount(draw.integers(0, len(known), len(known)), minlength=len(known)) for _ in range(number)]
    return np.vstack([np.ones(len(groups)), *(one[of] for one in times)]).astype(np.float64)


def _aucs(labels: Floats, scores: Floats, drawn: Floats) -> list[float]:
    """NaN for a sample without both kinds of label."""
    order = np.argsort(scores, kind="stable")
    ties, ordered = _ties(scores[order]), labels[order]
    found = (_auc_in_order(ordered, ties, times[order]) for times in drawn)
    return [np.nan if one is None else one for one in found]


def _losses(labels: Floats, chances: Floats) -> Floats:
    kept = np.clip(chances, 1e-15, 1 - 1e-15)
    return np.asarray(-np.where(labels > 0, np.log(kept), np.log1p(-kept)), dtype=np.float64)


def _spread(values: Floats, drawn: Floats) -> dict[str, float | None]:
    """The interval of the mean of per-example values."""
    means = (drawn[1:] @ values) / drawn[1:].sum(axis=1)
    return _quantiles(means)


def _interval(values: list[float]) -> dict[str, float | None]:
    """The first is the value, the rest are those of samples."""
    rest = np.array(values[1:])
    return {"value": _round(None if np.isnan(values[0]) else values[0]), **_quantiles(rest[~np.isnan(rest)])}


def _quantiles(values: Floats) -> dict[str, float | None]:
    if len(values) < 2:
        return {"low": None, "high": None}
    low, high = np.quantile(values, [0.025, 0.975])
    return {"low": _round(float(low)), "high": _round(float(high))}


def _calibration_error(bins: list[Bin]) -> float | None:
    """Expected calibration error: |predicted − observed|, averaged over the examples."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.predicted - one.observed) for one in bins) / total if total else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), DIGITS)
