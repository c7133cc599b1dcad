import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import FEATURES
from matching.core.scoring import (
    DEFAULT_MODEL,
    HEADS,
    INTERCEPT,
    HeadScore,
    InvalidModel,
    LinearModel,
    Scored,
    probabilities_ppm,
    probability_ppm,
    score,
    score_values,
    totals,
)

values = st.fixed_dictionaries({name: st.integers(0, 1000) for name in FEATURES})
weights = st.dictionaries(st.sampled_from(sorted(FEATURES)), st.integers(-1_000_000, 1_000_000))
heads = st.fixed_dictionaries({"intercept": st.integers(-(10**9), 10**9), "weights": weights})
models = st.builds(
    lambda parts: LinearModel.from_json({"version": "generated", "heads": parts}),
    st.fixed_dictionaries(dict.fromkeys(HEADS, heads)),
)


@given(values, models)
def test_contributions_add_up_to_the_score_exactly(features, model):
    scored = score_values(features, model=model)
    for name, total in totals(features, model=model).items():
        head = getattr(scored, name)
        assert head.score == total
        assert head.score == sum(one.amount for one in head.contributions)
        assert all(one.amount == one.weight * one.value for one in head.contributions)
        assert {one.feature for one in head.contributions} == {INTERCEPT, *model.heads[name].weights}
        order = [(-abs(one.amount), one.feature) for one in head.contributions]
        assert order == sorted(order)


@given(values, models)
def test_stored_scores_and_models_read_back_equal(features, model):
    scored = score_values(features, model=model)
    assert Scored.from_json(json.loads(json.dumps(scored.to_json()))) == scored
    assert LinearModel.from_json(json.dumps(model.to_json())) == model


def test_a_stored_score_that_does_not_add_up_is_refused():
    stored = score_values(dict.fromkeys(FEATURES, 500), model=DEFAULT_MODEL).fit.to_json()
    stored["score"] += 1
    with pytest.raises(ValueError, match="add up"):
        HeadScore.from_json(stored)


def test_the_default_model_prefers_whoever_has_the_required_skills():
    terms = OpportunityTerms(1, skills=(SkillTerm(1, required=True), SkillTerm(2, required=True)))
    skilled = CandidateFacts(1, skills={1: SkillFact(3), 2: SkillFact(3)})
    half = CandidateFacts(2, skills={1: SkillFact(3)})
    best, worse = (score(one, terms, model=DEFAULT_MODEL) for one in (skilled, half))
    assert best.model_version == "linear-1"
    assert best.fit.score - worse.fit.score == 500 * 5000
    assert best.fit.probability_ppm > worse.fit.probability_ppm


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**7))
def test_probability_is_monotone(lower, more):
    assert 0 <= probability_ppm(lower) <= probability_ppm(lower + more) <= 1_000_000


@given(st.integers(-20_000_000, 20_000_000))
def test_probability_follows_the_logistic_curve(micro):
    exact = 1_000_000 / (1 + math.exp(-micro / 1_000_000))
    assert abs(probability_ppm(micro) - exact) <= 4
    assert probabilities_ppm(np.array([micro]))[0] == probability_ppm(micro)


def test_even_odds_are_one_half():
    assert probability_ppm(0) == 500_000
    assert (probability_ppm(-(10**15)), probability_ppm(10**15)) == (0, 1_000_000)


def broken(path: str, value: object) -> dict:
    data = copy.deepcopy(DEFAULT_MODEL.to_json())
    *parents, last = path.split(".")
    place = data
    for name in parents:
        place = place[name]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("heads.fit.weights.shoe_size", 1),
        ("heads.fit.weights.experience", math.nan),
        ("heads.fit.weights.experience", math.inf),
        ("heads.fit.weights.experience", 1.0),
        ("heads.fit.weights.experience", True),
        ("heads.fit.weights.experience", "12"),
        ("heads.fit.weights.experience", None),
        ("heads.fit.weights.experience", 10**7),
        ("heads.fit.intercept", -(10**10)),
        ("heads.fit.intercept", 0.5),
        ("heads.fit.weights", []),
        ("heads.fit", None),
        ("heads", {}),
        ("heads", []),
        ("heads.luck", {"intercept": 0, "weights": {}}),
        ("version", ""),
        ("version", 1),
        ("comment", "unasked"),
    ],
)
def test_a_model_that_is_not_exactly_one_is_refused(path, value):
    with pytest.raises(InvalidModel) as refusal:
        LinearModel.from_json(broken(path, value))
    assert refusal.value.data["problem"]
    with pytest.raises(InvalidModel):
        LinearModel.from_json(json.dumps(broken(path, value)))


@pytest.mark.parametrize(
    "text", ["", "null", "1", "[]", "{", '{"version": "a", "version": "b"}', "[" * 100_000, b"\xff"]
)
def test_text_that_is_not_a_model_is_refused(text):
    with pytest.raises(InvalidModel):
        LinearModel.from_json(text)


def test_a_model_cannot_be_changed():
    with pytest.raises(TypeError):
        DEFAULT_MODEL.heads["fit"].weights["experience"] = 1  # type: ignore[index]
