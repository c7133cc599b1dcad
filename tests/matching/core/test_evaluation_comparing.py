"""How two models differ."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.evaluation.comparing import Ranked, agreement, outcome

scores = st.lists(st.integers(-(10**9), 10**9), min_size=0, max_size=12)


def ranked(one: list[int], other: list[int], k: int = 50) -> Ranked:
    ids = list(range(len(one)))
    orders = [sorted(ids, key=lambda pk: (-column[pk], pk))[:k] for column in (one, other)]
    return Ranked(ids, (orders[0], orders[1]), {"fit": (np.array(one, np.int64), np.array(other, np.int64))})


@given(st.lists(scores, max_size=5))
def test_a_model_agrees_with_itself_in_everything(rankings):
    found = agreement([ranked(one, one) for one in rankings], ["fit"])
    assert found.opportunities == sum(1 for one in rankings if one)
    assert found.pairs == sum(map(len, rankings))
    assert all(at.share == 1.0 for at in found.overlap)
    fit = found.heads["fit"]
    assert fit.rank_correlation in (None, pytest.approx(1.0))
    assert fit.drift is None or (fit.drift.mean, fit.drift.deviation, set(fit.drift.quantiles.values())) == (0, 0, {0})


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9)), min_size=1, max_size=40))
def test_a_histogram_counts_every_pair_once_and_spans_all_of_them(pairs):
    one, other = map(list, zip(*pairs, strict=True))
    drift = agreement([ranked(one, other)], ["fit"]).heads["fit"].drift
    assert drift is not None
    assert sum(drift.histogram.counts) == len(pairs)
    assert list(drift.histogram.edges) == sorted(drift.histogram.edges)
    assert len(drift.histogram.edges) == len(drift.histogram.counts) + 1
    differences = [(a - b) / 1e6 for a, b in pairs]
    assert drift.mean == pytest.approx(np.mean(differences), abs=1e-9)
    assert drift.quantiles[50] == pytest.approx(np.median(differences), abs=1e-9)


def test_what_is_turned_round_shares_nothing_at_the_top_and_correlates_by_minus_one():
    found = agreement([ranked([4, 3, 2, 1], [1, 2, 3, 4]), ranked([2_000_000, 1], [1, 2_000_000])], ["fit"])
    assert {at.k: (at.share, at.opportunities) for at in found.overlap} == {1: (0.0, 2), 3: (pytest.approx(2 / 3), 1)}
    assert found.heads["fit"].rank_correlation == pytest.approx(-1)


def test_nobody_at_all_is_no_comparison():
    found = agreement([ranked([], [])], ["fit"])
    assert (found.opportunities, found.pairs, found.overlap) == (0, 0, ())
    assert found.heads["fit"].rank_correlation is None
    assert found.heads["fit"].drift is None


def test_outcomes_tell_which_model_foretold_them():
    labels = np.array([1, 0, 1, 0], np.int8)
    right = (np.array([9, 1, 8, 2]), np.array([900_000, 100_000, 800_000, 200_000]))
    wrong = (np.array([1, 9, 2, 8]), np.array([100_000, 900_000, 200_000, 800_000]))
    found = outcome(labels, right, wrong)
    assert (found.examples, found.positives) == (4, 2)
    assert (found.one.auc, found.other.auc) == (1.0, 0.0)
    assert found.one.brier is not None and found.other.brier is not None
    assert found.one.brier < 0.1 < found.other.brier
    assert [(one.count, one.observed) for one in found.one.calibration] == [(1, 0.0), (1, 0.0), (1, 1.0), (1, 1.0)]
    json.dumps(asdict(found))


def test_of_one_kind_of_outcome_there_is_no_auc():
    labels = np.zeros(3, np.int8)
    found = outcome(labels, *[(np.arange(3), np.arange(3) * 1000)] * 2)
    assert found.one.auc is None
    assert found.one.log_loss is not None
