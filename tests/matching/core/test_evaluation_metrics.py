"""Measures of rankings and probabilities, against values computed by hand and by scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn

from matching.core.evaluation.metrics import (
    Bin,
    auc,
    average_precision,
    bootstrap_interval,
    brier,
    calibration,
    log_loss,
    mean,
    ndcg_at,
    pairwise_accuracy,
    rank_correlation,
    reciprocal_rank,
    top_k_overlap,
)

NAN = float("nan")


def test_values_computed_by_hand() -> None:
    assert auc([1, 0, 1, 0], [9, 1, 5, 5]) == 3.5 / 4  # one tie of four pairs
    assert log_loss([1, 0], [0.5, 0.75]) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert brier([1, 0], [0.5, 0.75]) == pytest.approx((0.25 + 0.5625) / 2)
    assert ndcg_at([0, 2, 1], 2) == pytest.approx((2 / math.log2(3)) / (2 + 1 / math.log2(3)))
    assert average_precision([0, 1, 0, 1]) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert reciprocal_rank([0, 0, 1, 1]) == pytest.approx(1 / 3)
    assert pairwise_accuracy([2, 1, 0], [5, 7, 5]) == pytest.approx(1.5 / 3)  # 2>1 wrong, 2>0 tied, 1>0 right
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert top_k_overlap("abcd", "badc", 3) == pytest.approx(2 / 3)
    assert top_k_overlap("ab", "b", 5) == pytest.approx(1 / 2)
    assert mean([1.0, None, 0.0]) == 0.5


def test_probabilities_are_binned_by_equal_width_with_both_ends_in() -> None:
    assert calibration([0, 1, 1, 1], [0.0, 0.3, 0.5, 1.0], bins=2) == [
        Bin(0.0, 0.5, 2, pytest.approx(0.15), 0.5),
        Bin(0.5, 1.0, 2, 0.75, 1.0),
    ]
    assert calibration([1], [0.7]) == [Bin(0.7, 0.8, 1, 0.7, 1.0)]
    assert calibration([], []) == []


def test_measures_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(5)
    for _ in range(30):
        count = int(draw.integers(4, 60))
        grades = draw.integers(0, 4, count)
        grades[:2] = 0, 3
        scores = draw.integers(0, 8, count) / 4  # ties among them
        labels, probabilities = grades >= 2, draw.random(count)
        distinct = draw.permutation(count)
        order = np.argsort(-distinct)
        assert auc(labels, scores) == pytest.approx(sklearn.roc_auc_score(labels, scores))
        assert log_loss(labels, probabilities) == pytest.approx(sklearn.log_loss(labels, probabilities))
        assert brier(labels, probabilities) == pytest.approx(sklearn.brier_score_loss(labels, probabilities))
        assert ndcg_at(grades[order], 5) == pytest.approx(sklearn.ndcg_score([grades], [distinct], k=5))
        assert average_precision(labels[order]) == pytest.approx(sklearn.average_precision_score(labels, distinct))
        assert pairwise_accuracy(labels, scores) == pytest.approx(auc(labels, scores))


def test_what_is_undefined_is_none_and_no_zero() -> None:
    assert auc([1, 1], [1, 2]) is None
    assert auc([], []) is None
    assert log_loss([], []) is None
    assert brier([], []) is None
    assert ndcg_at([0, 0], 10) is None
    assert ndcg_at([1], 0) is None
    assert average_precision([0, 0]) is None
    assert reciprocal_rank([]) is None
    assert pairwise_accuracy([1, 1], [1, 2]) is None
    assert rank_correlation([1, 1], [1, 2]) is None
    assert top_k_overlap([], [], 3) is None
    assert bootstrap_interval([0.5], 1) is None
    assert mean([None]) is None


def test_numbers_that_are_none_are_refused() -> None:
    for call in (
        lambda: auc([1, 0], [NAN, 1]),
        lambda: auc([1, 0], [1]),
        lambda: auc([2, 0], [1, 1]),
        lambda: brier([1, 0], [0.1, 1.1]),
        lambda: ndcg_at([1, -1], 2),
        lambda: ndcg_at([float("inf")], 2),
        lambda: calibration([1], [0.5], bins=0),
        lambda: bootstrap_interval([NAN, 1.0], 1),
    ):
        with pytest.raises(ValueError, match=r"."):
            call()


def test_a_certain_error_costs_much_but_not_everything() -> None:
    loss = log_loss([1, 1], [0.0, 1.0])
    assert loss is not None
    assert 10 < loss < 20


def test_an_interval_repeats_narrows_and_holds_the_mean() -> None:
    values = [*[0.0] * 10, *[1.0] * 30]
    interval = bootstrap_interval(values, 7)
    assert interval is not None
    assert interval == bootstrap_interval([*values, None], 7)
    assert interval.low < 0.75 < interval.high
    many = bootstrap_interval(values * 100, 7, draws=500)
    assert many is not None
    assert many.high - many.low < (interval.high - interval.low) / 5
    # The spread of a mean of 40 is √(0.75 × 0.25 ÷ 40) = 0.068; 95 % lie within 1.96 of it.
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.0685, rel=0.15)


def test_an_interval_covers_what_it_says() -> None:
    """Of 95 % intervals on samples of a known mean about 95 % hold it."""
    draw = np.random.default_rng(3)
    held = sum(
        interval is not None and interval.low <= 0.5 <= interval.high
        for interval in (bootstrap_interval(draw.random(40), seed, draws=400) for seed in range(300))
    )
    assert 0.90 <= held / 300 <= 0.985
