"""Scores that add up: integer log-odds as the exact sum of their contributions.

Units: a feature's value is in thousandths, a weight in thousandths of log-odds, so weight × value is in
micro-log-odds, and so are intercepts and scores. Fit, interest and acceptance are three scores, never one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

HEADS = ("fit", "interest", "acceptance")
INTERCEPT = "intercept"
UNSCORED = -(2**63)
"""Stands among many scores where a model has no number for a pair. It is never shown, stored or ranked."""


class NotScored(ValueError):
    """A model has no number for a pair: it failed, took too long, or what came out is no score."""


class Contribution(NamedTuple):
    """`amount` is in micro-log-odds. Of a linear model it is `weight` × `value`; of any other, the Shapley value of
    the feature, and there is no weight. The intercept is one, with a value of 1: where everybody starts."""

    feature: str
    value: int
    weight: int | None
    amount: int


class HeadScore(NamedTuple):
    """`score` is in micro-log-odds and exactly the sum of the contributions, largest amounts first."""

    score: int
    contributions: tuple[Contribution, ...]

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
        if any(one.weight is not None and one.amount != one.weight * one.value for one in contributions) or data[
            "score"
        ] != sum(one.amount for one in contributions):
            raise ValueError("the contributions do not add up to the score")
        return cls(score=data["score"], contributions=contributions)


class Scored(NamedTuple):
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
