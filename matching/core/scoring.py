"""Scores that add up: integer log-odds as the exact sum of their contributions.

Units: a feature's value is in thousandths, a weight in thousandths of log-odds, so weight × value is in
micro-log-odds, and so are intercepts and scores. Fit, interest and acceptance are three scores, never one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features import FEATURES, feature_values

HEADS = ("fit", "interest", "acceptance")
INTERCEPT = "intercept"
MAX_WEIGHT = 1_000_000  # thousandths of log-odds: a factor of e^1000
MAX_INTERCEPT = 1_000_000_000  # micro-log-odds

_STEP = 15_625  # micro-log-odds between two knots of the logistic curve: 1/64
_LAST_KNOT = 1024  # at 16 log-odds the probability is below a millionth from 1


class InvalidModel(ValueError):
    """A model that cannot be used. `field` is the path to what is wrong, `problem` what is wrong with it."""

    code = "INVALID_MODEL"

    def __init__(self, field: str, problem: str) -> None:
        self.data = {"field": field, "problem": problem}
        super().__init__(f"{field} {problem}")


@dataclass(frozen=True, slots=True)
class Head:
    """One output: an intercept in micro-log-odds, a weight in thousandths of log-odds for each feature it uses."""

    intercept: int
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """An immutable version. Raises `InvalidModel`."""

    version: str
    heads: Mapping[str, Head]

    def __post_init__(self) -> None:
        if not isinstance(self.version, str) or not 1 <= len(self.version) <= 100:
            raise InvalidModel("version", "must be a text of 1 to 100 characters")
        if set(self.heads) != set(HEADS):
            raise InvalidModel("heads", f"must be exactly {', '.join(HEADS)}")
        for name in HEADS:
            _check_head(name, self.heads[name])
        frozen = {
            name: Head(self.heads[name].intercept, MappingProxyType(dict(sorted(self.heads[name].weights.items()))))
            for name in HEADS
        }
        object.__setattr__(self, "heads", MappingProxyType(frozen))

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> LinearModel:
        """A model from its JSON, as text or already parsed. Raises `InvalidModel` for whatever is not exactly one."""
        data: Any = document
        if isinstance(document, (str, bytes)):
            try:
                data = json.loads(document, object_pairs_hook=_without_repeats)
            except (ValueError, RecursionError) as error:
                if isinstance(error, InvalidModel):
                    raise
                raise InvalidModel("model", f"is not JSON: {error}") from error
        _check_names("model", data, {"version", "heads"})
        if not isinstance(data["heads"], Mapping):
            raise InvalidModel("heads", "must be an object")
        heads = {}
        for name, head in data["heads"].items():
            _check_names(f"heads.{name}", head, {"intercept", "weights"})
            heads[name] = Head(head["intercept"], head["weights"])
        return cls(version=data["version"], heads=heads)

    def to_json(self) -> dict[str, Any]:
        """JSON-able data that `from_json` reads back to an equal model."""
        return {
            "version": self.version,
            "heads": {
                name: {"intercept": head.intercept, "weights": dict(head.weights)} for name, head in self.heads.items()
            },
        }


class Contribution(NamedTuple):
    """`amount` = `weight` × `value`, in micro-log-odds. The intercept is one, with a value of 1."""

    feature: str
    value: int
    weight: int
    amount: int


@dataclass(frozen=True, slots=True)
class HeadScore:
    """`score` is in micro-log-odds and exactly the sum of the contributions, largest amounts first."""

    score: int
    contributions: tuple[Contribution, ...]

    @property
    def probability_ppm(self) -> int:
        return probability_ppm(self.score)

    def to_json(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "contributions": [
                {"feature": one.feature, "value": one.value, "weight": one.weight, "amount": one.amount}
                for one in self.contributions
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HeadScore:
        """A stored score. Raises `ValueError` where its contributions do not add up to it."""
        contributions = tuple(
            Contribution(one["feature"], one["value"], one["weight"], one["amount"]) for one in data["contributions"]
        )
        if any(one.amount != one.weight * one.value for one in contributions) or data["score"] != sum(
            one.amount for one in contributions
        ):
            raise ValueError("the contributions do not add up to the score")
        return cls(score=data["score"], contributions=contributions)


@dataclass(frozen=True, slots=True)
class Scored:
    """How well they suit, how much they would want it, how likely they are to accept."""

    model_version: str
    fit: HeadScore
    interest: HeadScore
    acceptance: HeadScore

    def to_json(self) -> dict[str, Any]:
        return {"model_version": self.model_version, **{name: getattr(self, name).to_json() for name in HEADS}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scored:
        return cls(data["model_version"], *(HeadScore.from_json(data[name]) for name in HEADS))


def score(candidate: CandidateFacts, terms: OpportunityTerms, *, model: LinearModel) -> Scored:
    """The three scores of one pair under one model, each with its explanation."""
    return score_values(feature_values(candidate, terms), model=model)


def score_values(values: Mapping[str, int], *, model: LinearModel) -> Scored:
    """Scores from feature values that are known already, as replay and SQL have them."""
    return Scored(model.version, *(_score_head(values, model.heads[name]) for name in HEADS))


def totals(values: Mapping[str, int], *, model: LinearModel) -> dict[str, int]:
    """The scores alone, by head: the same integers as `score_values` without the explanations, several times faster."""
    return {
        name: head.intercept + sum(weight * values[feature] for feature, weight in head.weights.items())
        for name, head in model.heads.items()
    }


def _score_head(values: Mapping[str, int], head: Head) -> HeadScore:
    contributions = [Contribution(INTERCEPT, 1, head.intercept, head.intercept)]
    for feature, weight in head.weights.items():
        value = values[feature]
        contributions.append(Contribution(feature, value, weight, weight * value))
    contributions.sort(key=lambda one: (-abs(one.amount), one.feature))
    return HeadScore(sum(one.amount for one in contributions), tuple(contributions))


def probability_ppm(score: int) -> int:
    """The probability a score stands for, in millionths: 1 ÷ (1 + e^−score).

    Monotone, from 0 to 1,000,000, and within 4 millionths of the curve: linear between knots every 1/64 of
    log-odds, in integers, so that it is the same on every machine.
    """
    return int(probabilities_ppm(np.array([max(min(score, MAX_INTERCEPT), -MAX_INTERCEPT)]))[0])


def probabilities_ppm(scores: NDArray[np.int64]) -> NDArray[np.int64]:
    """`probability_ppm` of many scores."""
    knots = _knots()
    bounded = np.clip(np.asarray(scores, dtype=np.int64), -_LAST_KNOT * _STEP, _LAST_KNOT * _STEP - 1)
    at, rest = np.divmod(bounded + _LAST_KNOT * _STEP, _STEP)
    return np.asarray(knots[at] + (knots[at + 1] - knots[at]) * rest // _STEP, dtype=np.int64)


@cache
def _knots() -> NDArray[np.int64]:
    """The curve at its knots. Decimal's exp is correctly rounded everywhere, unlike the C library's."""
    context = Context(prec=28)
    upper = []
    for knot in range(_LAST_KNOT + 1):
        odds = context.exp(Decimal(knot) / 64)
        upper.append(int((odds / (1 + odds) * 1_000_000).to_integral_value()))
    lower = [1_000_000 - value for value in reversed(upper[1:])]
    return np.array(lower + upper, dtype=np.int64)


def _check_head(name: str, head: Head) -> None:
    _check_integer(f"heads.{name}.intercept", head.intercept, MAX_INTERCEPT)
    if not isinstance(head.weights, Mapping):
        raise InvalidModel(f"heads.{name}.weights", "must be an object")
    for feature, weight in head.weights.items():
        path = f"heads.{name}.weights.{feature}"
        if feature not in FEATURES:
            raise InvalidModel(path, "is not a declared feature")
        if name not in FEATURES[feature].heads:
            raise InvalidModel(path, f"may not be weighed for {name}")
        _check_integer(path, weight, MAX_WEIGHT)


def _check_integer(path: str, value: object, limit: int) -> None:
    if type(value) is not int:
        raise InvalidModel(path, f"must be an integer, not {value!r:.40}")
    if abs(value) > limit:
        raise InvalidModel(path, f"must lie between -{limit} and {limit}")


def _check_names(path: str, data: object, names: set[str]) -> None:
    if not isinstance(data, Mapping) or set(data) != names:
        raise InvalidModel(path, f"must be an object of exactly {', '.join(sorted(names))}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON lets a name come twice and keeps the last; which weight was meant would be a guess."""
    data = dict(pairs)
    if len(data) != len(pairs):
        raise InvalidModel("model", "names a field twice")
    return data


# Set by hand, before any outcomes were seen: skills carry fit; pay, hours and commitment carry interest. Centred so
# that a neutral stranger scores well below even odds and somebody who has everything well above.
DEFAULT_MODEL = LinearModel.from_json(
    {
        "version": "linear-1",
        "heads": {
            "fit": {
                "intercept": -5_500_000,
                "weights": {
                    "required_skills": 5000,
                    "preferred_skills": 1500,
                    "experience": 1500,
                    "hours_fit": 600,
                    "availability_fit": 600,
                    "location_fit": 500,
                    "timezone_fit": 300,
                },
            },
            "interest": {
                "intercept": -4_000_000,
                "weights": {
                    "pay_fit": 2500,
                    "commitment_fit": 1500,
                    "hours_fit": 1000,
                    "location_fit": 1000,
                    "timezone_fit": 500,
                    "required_skills": 1000,
                },
            },
            "acceptance": {
                "intercept": -3_500_000,
                "weights": {
                    "pay_fit": 2500,
                    "commitment_fit": 1000,
                    "availability_fit": 1000,
                    "hours_fit": 1000,
                    "location_fit": 800,
                    "timezone_fit": 200,
                },
            },
        },
    }
)
