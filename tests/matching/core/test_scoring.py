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
    PairValues,
    Scored,
    probabilities_ppm,
    probability_ppm,
    score,
    score_values,
    totals,
)

values = st.fixed_dictionaries({name: st.integers(0, 1000) for name in FEATURES})


def heads(head: str) -> st.SearchStrategy:
    may_weigh = sorted(name for name, feature in FEATURES.items() if head in feature.heads)
    weights = st.dictionaries(st.sampled_from(may_weigh), st.integers(-1_000_000, 1_000_000))
    return st.fixed_dictionaries({"intercept": st.integers(-(10**9), 10**9), "weights": weights})


models = st.builds(
    lambda parts: LinearModel.from_json({"version": "generated", "heads": parts}),
    st.fixed_dictionaries({head: heads(head) for head in HEADS}),
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


@given(values, models, st.integers(-5, 5))
def test_a_total_is_given_where_it_reaches_what_is_asked_and_else_given_up(features, model, more):
    features = {name: max(value, FEATURES[name].least) for name, value in features.items()}
    for name, total in totals(features, model=model).items():
        assert model.reaching(name, features, total + more) == (total if more <= 0 else None)
        assert model.reaching(name, features, total - 10**10) == total


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
    assert best.model_version == "linear-2"
    assert best.fit.score - worse.fit.score == 500 * (4500 + 1000)
    likely, unlikely = (DEFAULT_MODEL.probability_ppm("fit", one.fit.score) for one in (best, worse))
    assert likely > unlikely


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


# What every model can do


@given(st.lists(values, max_size=5), models)
def test_many_pairs_at_once_give_the_same_integers_as_one_by_one(pairs, model):
    columns = {name: np.array([one[name] for one in pairs], dtype=np.int64) for name in FEATURES}
    many = model.totals_many(columns)
    assert many.keys() == set(HEADS)
    for head in HEADS:
        assert many[head].tolist() == [model.total(head, one) for one in pairs]
        assert many[head].tolist() == [getattr(model.scored(one), head).score for one in pairs]
    assert model.features == {name for head in HEADS for name in model.heads[head].weights}


def test_a_pair_is_asked_only_for_the_features_that_a_head_reads():
    pair = PairValues(CandidateFacts(1), OpportunityTerms(1))
    DEFAULT_MODEL.total("acceptance", pair)
    assert pair.keys() == DEFAULT_MODEL.heads["acceptance"].weights.keys()


def test_a_stored_definition_stays_as_it_was_byte_for_byte():
    stored = json.dumps(DEFAULT_MODEL.to_json())
    assert "calibration" not in stored
    assert json.dumps(LinearModel.from_json(stored).to_json()) == stored
    assert LinearModel.from_json(stored).calibration == "log-odds"


knots = st.lists(
    st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 1_000_000)),
    min_size=2,
    max_size=6,
    unique_by=lambda k: k[0],
).map(lambda found: list(zip(sorted(k[0] for k in found), sorted(k[1] for k in found), strict=True)))


def with_curve(curve: object) -> dict:
    data = DEFAULT_MODEL.to_json() | {"calibration": "hired within 60 days"}
    data["heads"]["acceptance"]["curve"] = curve
    return data


@given(knots, st.lists(st.integers(-(10**15), 10**15), max_size=20))
def test_a_measured_curve_is_exact_monotone_and_read_back_equal(curve, scores):
    model = LinearModel.from_json(json.dumps(with_curve(curve)))
    assert LinearModel.from_json(json.dumps(model.to_json())) == model
    assert model.calibration == "hired within 60 days"
    for score_, ppm in curve:
        assert model.probability_ppm("acceptance", score_) == ppm
    told = model.probabilities_ppm("acceptance", np.array(sorted(scores), dtype=np.int64)).tolist()
    assert told == sorted(told) == [model.probability_ppm("acceptance", one) for one in sorted(scores)]
    assert model.probability_ppm("fit", 0) == 500_000, "the others keep the logistic curve"


@pytest.mark.parametrize(
    ("curve", "field"),
    [
        (None, "heads.acceptance.curve"),
        ([], "heads.acceptance.curve"),
        ([[0, 1]], "heads.acceptance.curve"),
        ([[0, 1], [1]], "heads.acceptance.curve[1]"),
        ([[0, 1], "01"], "heads.acceptance.curve[1]"),
        ([[0, 2], [1, 1]], "heads.acceptance.curve[1]"),
        ([[0, 1], [0, 2]], "heads.acceptance.curve[1]"),
        ([[0, 1], [1, 1_000_001]], "heads.acceptance.curve[1][1]"),
        ([[0, 1], [1, math.nan]], "heads.acceptance.curve[1][1]"),
        ([[0, 1], [True, 2]], "heads.acceptance.curve[1][0]"),
        ([[n, 1] for n in range(1001)], "heads.acceptance.curve"),
    ],
)
def test_a_curve_that_is_none_is_refused_with_its_path(curve, field):
    with pytest.raises(InvalidModel) as refusal:
        LinearModel.from_json(with_curve(curve))
    assert refusal.value.data["field"] == field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"version": "a", "version": "b"}', "version"),
        ('{"version": "a", "heads": {"fit": {"weights": {"experience": 1, "experience": 2}}}}', None),
        ('{"a": [1, {"b": 1, "b": 1}]}', "a[1].b"),
    ],
)
def test_a_name_that_comes_twice_is_refused_with_its_path(text, field):
    with pytest.raises(InvalidModel, match="is named twice") as refusal:
        LinearModel.from_json(text)
    assert refusal.value.data["field"] == (field or "heads.fit.weights.experience")


def test_a_definition_of_more_than_a_megabyte_is_not_read():
    with pytest.raises(InvalidModel, match="longer"):
        LinearModel.from_json(" " * 1_000_001 + json.dumps(DEFAULT_MODEL.to_json()))
