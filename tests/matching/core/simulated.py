"""A market whose truth is known: who is liked by how much, and how far down people look."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from matching.core.features import FEATURES, NEUTRAL
from matching.core.learning import Examples
from matching.core.learning.examination import RANKS, stretches

TRUE_WEIGHTS = {"required_skills": 4.0, "experience": 2.0, "preferred_skills": 1.0}
TRUE_INTERCEPT = -4.5
TRUE_CHANCES = np.array([1.0, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.08])
assert len(TRUE_CHANCES) == len(RANKS)


def shown(
    number: int,
    *,
    seed: int,
    weights: dict[str, float] | None = None,
    intercept: float = TRUE_INTERCEPT,
    chances: np.ndarray = TRUE_CHANCES,
    by: dict[str, float] | None = None,
) -> Examples:
    """So many pages, each of a list ranked by the weights `by` (hours more than skills, if nothing is said)."""
    draw = np.random.default_rng(seed)
    by = by or {"hours_fit": 3.0, "required_skills": 1.0}
    weights = TRUE_WEIGHTS if weights is None else weights
    columns: dict[str, list[np.ndarray]] = {name: [] for name in FEATURES}
    labels, ranks, groups = [], [], []
    for page in range(number):
        length = int(draw.integers(5, 60))
        level = draw.beta(2, 2)  # some opportunities attract better people than others
        values = {name: np.full(length, NEUTRAL, dtype=np.int64) for name in FEATURES}
        for name in sorted({*TRUE_WEIGHTS, *weights, *by, "timezone_fit"}):  # a set has another order in each process
            values[name] = np.clip(1000 * draw.beta(1 + 3 * level, 2, length), 0, 1000).astype(np.int64)
        order = np.argsort(-sum(weight * values[name] for name, weight in by.items()), kind="stable")
        values = {name: column[order] for name, column in values.items()}
        at = np.arange(1, length + 1)
        p = expit(intercept + sum(weight * values[name] / 1000 for name, weight in weights.items()))
        looked = draw.random(length) < chances[stretches(at)]
        labels.append((looked & (draw.random(length) < p)).astype(np.int8))
        ranks.append(at)
        groups.append(np.full(length, page))
        for name in FEATURES:
            columns[name].append(values[name])
    whole = np.concatenate(ranks)
    return Examples(
        values={name: np.concatenate(parts) for name, parts in columns.items()},
        labels=np.concatenate(labels),
        ranks=whole,
        propensities=np.ones(len(whole)),
        groups=np.concatenate(groups),
    )


def first(examples: Examples, number: int) -> Examples:
    return part(examples, slice(None, number))


def part(examples: Examples, of: slice) -> Examples:
    return Examples(
        {name: column[of] for name, column in examples.values.items()},
        examples.labels[of], examples.ranks[of], examples.propensities[of], examples.groups[of],
    )  # fmt: skip
