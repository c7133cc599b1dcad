"""Training on a market whose truth is known, and on little, one-sided and hostile data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from matching.core.features import FEATURES, NEUTRAL
from matching.core.learning import Examples, Plan, report_on, train_head
from matching.core.learning.examination import RANKS, Examination, stretches
from matching.core.learning.logistic import fit
from matching.core.learning.report import reliability
from matching.core.learning.training import problem_with
from matching.core.scoring import DEFAULT_MODEL, LinearModel
from tests.matching.core.simulated import TRUE_CHANCES, TRUE_WEIGHTS, part, shown

pytestmark = pytest.mark.xdist_group("learning")  # what takes seconds to learn is learned by one process

LIVE = DEFAULT_MODEL.heads["fit"].weights
PLAN = Plan("fit", LIVE, 500, ranked=True)
MICRO = 1_000_000


def halves(examples: Examples, share: float = 0.75) -> tuple[Examples, Examples]:
    at = int(len(examples) * share)
    return part(examples, slice(None, at)), part(examples, slice(at, None))


@pytest.fixture(scope="module")
def trained():
    # What the live model was wrong about: experience counts most, and hours, by which lists were ranked, for nothing.
    examples = shown(700, seed=1, weights={"experience": 4.0, "required_skills": 2.0, "preferred_skills": 0.7})
    return examples, train_head(PLAN, *halves(examples))


def test_training_recovers_signs_order_and_how_far_down_people_look(trained):
    _, found = trained
    weights = found.head.weights
    assert weights["experience"] > weights["required_skills"] > weights["preferred_skills"] > 0
    assert weights["experience"] == pytest.approx(4000, abs=700)
    assert weights["required_skills"] == pytest.approx(2000, abs=700)
    assert weights.get("hours_fit", 0) < 800
    assert np.array(found.examination.chances)[:8] == pytest.approx(TRUE_CHANCES[:8], abs=0.15)
    assert all(type(one) is int for one in [*weights.values(), found.head.intercept])


def test_on_later_pages_it_tells_people_apart_better_than_the_live_model_and_is_calibrated(trained):
    examples, found = trained
    later = shown(300, seed=2, weights={"experience": 4.0, "required_skills": 2.0, "preferred_skills": 0.7})
    model = LinearModel("trained", {**DEFAULT_MODEL.heads, "fit": found.head})
    scores = {
        "trained": model.totals_many(later.values)["fit"] / MICRO,
        "live": DEFAULT_MODEL.totals_many(later.values)["fit"] / MICRO,
    }
    probabilities = {name: expit(one) for name, one in scores.items()}
    report = report_on(later, found.seen(later.ranks), scores, probabilities, float(examples.labels.mean()))
    figures = report.models
    assert report.verdict == "better"
    assert figures["trained"]["auc"]["low"] > figures["live"]["auc"]["value"]
    assert report.gain["auc"]["low"] > 0 > report.gain["log_loss"]["high"]
    assert figures["trained"]["log_loss"]["value"] < figures["base rate"]["log_loss"]["value"]
    assert figures["trained"]["brier"]["value"] < figures["live"]["brier"]["value"]
    assert figures["trained"]["calibration_error"] < 0.02
    assert figures["base rate"]["auc"] is None
    assert sum(one["count"] for one in figures["trained"]["bins"]) == len(later) == report.examples
    json.dumps(report.to_json(), allow_nan=False)


def test_the_same_examples_give_the_same_head(trained):
    examples, found = trained
    again = train_head(PLAN, *halves(examples))
    assert again == found


def test_a_feature_that_seems_to_harm_is_worth_nothing_to_fit_and_may_be_negative_to_interest():
    examples = shown(300, seed=3, weights={"experience": -3.0, "required_skills": 3.0}, intercept=-1.0)
    fitted = train_head(PLAN, *halves(examples))
    assert "experience" not in fitted.head.weights
    assert "experience" in fitted.pinned
    interested = train_head(Plan("interest", {}, 500, ranked=True), *halves(examples))
    assert interested.head.weights["experience"] < -1500
    assert all(weight > 0 for weight in fitted.head.weights.values())


def test_what_nobody_differed_in_keeps_the_live_weight():
    """All who were shown have all skills: the log cannot say what a skill is worth, and must not say nothing."""
    examples = shown(200, seed=4, weights={"experience": 3.0}, intercept=-2.0)
    examples.values["required_skills"][:] = 1000
    found = train_head(Plan("fit", {"required_skills": 5000}, 500, ranked=True), *halves(examples))
    assert found.slope is not None
    assert found.head.weights["required_skills"] == pytest.approx(5000 * found.slope, rel=0.01)


def test_chances_of_being_shown_weigh_in_and_are_clipped():
    examples = shown(50, seed=5)
    examples.propensities[:10] = 1e-9
    assert examples.weights.max() / examples.weights.min() == pytest.approx(10)
    assert examples.weights.mean() == pytest.approx(1)


def test_without_bounds_and_ranks_it_is_the_regression_that_everybody_knows():
    examples = shown(40, seed=6, chances=np.ones(len(RANKS)))
    names = list(TRUE_WEIGHTS)
    x, labels = examples.matrix(names), examples.labels.astype(float)
    free = np.full(len(names), -np.inf)
    found = fit(x, labels, np.ones(len(x)), None, centre=np.zeros(len(names)), lower=free, penalty=2.0)
    oracle = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(x, labels)
    assert found.weights == pytest.approx(oracle.coef_[0], abs=1e-3)
    assert found.intercept == pytest.approx(oracle.intercept_[0], abs=1e-3)
    assert set(found.examination.chances) == {1.0}


def test_examination_never_rises_and_knows_nothing_of_ranks_without_examples():
    numbers = np.array([5, 5, 0, 5, 0, 0, 0, 0, 0])
    found = Examination.from_drops(np.array([0.5, 9.0, 0.2, 1, 1, 1, 1, 1]), numbers)
    assert found.chances[1] == found.chances[2]
    assert list(found.chances) == sorted(found.chances, reverse=True)
    assert found.chances[3] == found.chances[-1] == pytest.approx(np.exp(-0.7))
    assert list(stretches(np.array([1, 2, 5, 10, 11, 5000]))) == [0, 1, 3, 4, 5, 8]


@pytest.mark.parametrize(
    ("labels", "number", "problem"),
    [
        (np.zeros(2000), 2000, "0 yes and 1500 no to fit by"),
        (np.ones(2000), 2000, "1500 yes and 0 no to fit by"),
        (np.r_[np.tile([1, 0], 750), np.zeros(500)], 2000, "0 yes and 500 no to calibrate by"),
        (np.tile([1, 0], 200), 400, "400 examples before the test, of 500"),
        (np.zeros(0), 0, "0 examples before the test"),
    ],
)
def test_too_few_examples_and_those_of_one_kind_alone_teach_nothing(labels, number, problem):
    whole = shown(100, seed=7)
    examples = part(whole, slice(None, number))
    examples = Examples(examples.values, labels.astype(np.int8), examples.ranks, examples.propensities, examples.groups)
    assert problem_with(PLAN, *halves(examples), part(whole, slice(None, 100))).startswith(problem)


def test_perfectly_separated_labels_give_finite_weights():
    whole = shown(60, seed=8)
    labels = (whole.values["experience"] > NEUTRAL).astype(np.int8)
    examples = Examples(whole.values, labels, whole.ranks, whole.propensities, whole.groups)
    found = train_head(PLAN, *halves(examples))
    assert set(found.head.weights) <= set(FEATURES)
    assert found.head.weights["experience"] > 5000
    LinearModel("separated", {**DEFAULT_MODEL.heads, "fit": found.head})


def test_equal_predictions_share_a_bin():
    bins = reliability(np.array([1.0, 0, 0, 1]), np.array([0.5, 0.5, 0.5, 0.5]), bins=2)
    assert [(one.count, one.predicted, one.observed) for one in bins] == [(4, 0.5, 0.5)]
    assert reliability(np.empty(0), np.empty(0)) == []
