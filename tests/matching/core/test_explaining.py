"""Shapley values: what the definition says, in integers that add up exactly."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.explaining import EXACT_UP_TO, explain
from matching.core.features import FEATURES, NEUTRAL
from matching.core.scoring import DEFAULT_MODEL, HEADS, INTERCEPT, UNSCORED, HeadScore, NotScored

NAMES = tuple(FEATURES)[:5]
MANY = tuple(f"feature_{place:02}" for place in range(16))


def product(rows: np.ndarray) -> dict[str, np.ndarray]:
    """No sum: pairs of neighbours multiply."""
    worth = (rows[:, :-1] * rows[:, 1:]).sum(axis=1) // 7 - rows[:, 0] ** 2
    return {head: worth * (place + 1) for place, head in enumerate(HEADS)}


def amounts(found: HeadScore) -> dict[str, int]:
    return {one.feature: one.amount for one in found.contributions}


@given(st.lists(st.integers(0, 1000), min_size=16, max_size=16), st.integers(0, 2**64 - 1))
def test_contributions_add_up_to_the_score_exactly(values, seed):
    for names in (NAMES, MANY):
        row = np.array(values[: len(names)])
        found = explain(product, names, row, seed=seed)
        for head in HEADS:
            score = int(product(row[None, :])[head][0])
            assert found[head].score == score == sum(one.amount for one in found[head].contributions)
            assert {one.feature for one in found[head].contributions} == {INTERCEPT, *names}
            order = [(-abs(one.amount), one.feature) for one in found[head].contributions]
            assert order == sorted(order)


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=5))
def test_few_features_get_their_exact_values(values):
    """Against the definition: the mean over all orders in which they can join, off by less than one for rounding."""
    row = np.array(values)
    found = amounts(explain(product, NAMES, row, seed=1)["fit"])
    sums = dict.fromkeys(NAMES, 0)
    orders = list(permutations(range(len(NAMES))))
    for order in orders:
        now = np.full(len(NAMES), NEUTRAL)
        for player in order:
            after = now.copy()
            after[player] = row[player]
            sums[NAMES[player]] += int(product(after[None, :])["fit"][0] - product(now[None, :])["fit"][0])
            now = after
    for name in NAMES:
        assert abs(found[name] - sums[name] / len(orders)) < 1


def test_what_is_neutral_adds_nothing_and_what_acts_alike_adds_alike():
    row = np.array([800, NEUTRAL, 800, 900, NEUTRAL])

    def symmetric(rows):
        return dict.fromkeys(HEADS, rows[:, 0] * rows[:, 2] + 3 * rows[:, 3])

    found = amounts(explain(symmetric, NAMES, row, seed=1)["fit"])
    assert found[NAMES[1]] == found[NAMES[4]] == 0
    assert found[NAMES[0]] == found[NAMES[2]] == (800 * 800 - 500 * 500) // 2
    assert found[NAMES[3]] == 3 * 400
    assert found[INTERCEPT] == 500 * 500 + 3 * 500


def test_of_a_linear_model_each_feature_adds_its_weight_times_its_distance_from_neutral():
    names = tuple(sorted(DEFAULT_MODEL.features))
    row = np.array([(137 * place) % 1001 for place in range(len(names))])

    def linear(rows):
        return DEFAULT_MODEL.totals_many({name: rows[:, place] for place, name in enumerate(names)})

    found = explain(linear, names, row, seed=3)
    for head in HEADS:
        weights = DEFAULT_MODEL.heads[head].weights
        for name, value in zip(names, row.tolist(), strict=True):
            assert amounts(found[head])[name] == weights.get(name, 0) * (value - NEUTRAL)


def test_sampled_values_come_near_the_exact_ones():
    assert len(MANY) > EXACT_UP_TO
    row = np.random.default_rng(5).integers(0, 1001, len(MANY))
    row[2] = NEUTRAL

    def pairs(rows):  # each pair shares its product: the exact value follows from the definition by symmetry
        worth = sum((rows[:, place] - NEUTRAL) * (rows[:, place + 8] - NEUTRAL) for place in range(8))
        return dict.fromkeys(HEADS, worth)

    found = amounts(explain(pairs, MANY, row, seed=1)["fit"])
    for place in range(8):
        exact = (row[place] - NEUTRAL) * (row[place + 8] - NEUTRAL) / 2
        for name in (MANY[place], MANY[place + 8]):
            assert found[name] == pytest.approx(
                exact, abs=1
            )  # a product of two is halved by every order and its reverse


def test_the_same_seed_gives_the_same_integers():
    row = np.arange(16) * 60
    assert explain(product, MANY, row, seed=8) == explain(product, MANY, row, seed=8)
    assert explain(product, MANY, row, seed=8) != explain(product, MANY, row, seed=9)


def test_somebody_without_any_fact_scores_what_everybody_starts_with():
    found = explain(product, NAMES, np.full(5, NEUTRAL), seed=1)["fit"]
    assert found.contributions[0].feature == INTERCEPT
    assert found.score == found.contributions[0].amount


def test_what_has_no_score_is_not_explained():
    def partly(rows):
        return {head: np.where(rows[:, 0] == 900, UNSCORED, rows.sum(axis=1)) for head in HEADS}

    with pytest.raises(NotScored):
        explain(partly, NAMES, np.array([900, 1, 2, 3, 4]), seed=1)


def test_a_part_that_has_no_score_does_not_keep_the_whole_from_being_explained():
    def partly(rows):
        odd = (rows[:, 0] == 900) & (rows[:, 1] == NEUTRAL)
        return {head: np.where(odd, UNSCORED, rows.sum(axis=1)) for head in HEADS}

    found = explain(partly, NAMES, np.array([900, 1, 2, 3, 4]), seed=1)["fit"]
    assert found.score == 910 == sum(one.amount for one in found.contributions)


def test_a_stored_explanation_reads_back_equal():
    found = explain(product, NAMES, np.array([900, 1, 2, 3, 4]), seed=1)["fit"]
    assert HeadScore.from_json(found.to_json()) == found
