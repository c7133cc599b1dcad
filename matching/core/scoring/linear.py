"""Linear models: integer weights, so that a score is the exact sum of its contributions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.features import FEATURES
from matching.core.scoring.errors import InvalidModel, check_integer, check_names, named
from matching.core.scoring.probability import Curve, probabilities_ppm
from matching.core.scoring.scorer import LOG_ODDS
from matching.core.scoring.scores import HEADS, INTERCEPT, Contribution, HeadScore, Scored

MAX_WEIGHT = 1_000_000  # thousandths of log-odds: a factor of e^1000
MAX_INTERCEPT = 1_000_000_000  # micro-log-odds
MOST_CHARACTERS = 60  # of a version's or a calibration's name
MOST_BYTES = 1_000_000  # of a definition


@dataclass(frozen=True, slots=True)
class Head:
    """One output: an intercept in micro-log-odds, a weight in thousandths of log-odds for each feature it uses; the
    curve that its probabilities follow where that is not the logistic one."""

    intercept: int
    weights: Mapping[str, int]
    curve: Curve | None = None


@dataclass(frozen=True)
class LinearModel:
    """An immutable version: a `Scorer`. Raises `InvalidModel`."""

    version: str
    heads: Mapping[str, Head]
    calibration: str = LOG_ODDS

    def __post_init__(self) -> None:
        _check_text("version", self.version)
        _check_text("calibration", self.calibration)
        if set(self.heads) != set(HEADS):
            raise InvalidModel("heads", f"must be exactly {', '.join(HEADS)}")
        for name in HEADS:
            _check_head(name, self.heads[name])
        frozen = {
            name: Head(head.intercept, MappingProxyType(dict(sorted(head.weights.items()))), head.curve)
            for name, head in ((name, self.heads[name]) for name in HEADS)
        }
        object.__setattr__(self, "heads", MappingProxyType(frozen))

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> LinearModel:
        """A model from its JSON, as text or already parsed. Raises `InvalidModel` for whatever is not exactly one."""
        data: Any = _parsed(document) if isinstance(document, str | bytes) else document
        check_names("model", data, {"version", "heads"}, frozenset({"calibration"}))
        if not isinstance(data["heads"], Mapping):
            raise InvalidModel("heads", "must be an object")
        heads = {}
        for name, head in data["heads"].items():
            path = named("heads", name)
            check_names(path, head, {"intercept", "weights"}, frozenset({"curve"}))
            curve = Curve.from_json(f"{path}.curve", head["curve"]) if "curve" in head else None
            heads[name] = Head(head["intercept"], head["weights"], curve)
        return cls(version=data["version"], heads=heads, calibration=data.get("calibration", LOG_ODDS))

    def to_json(self) -> dict[str, Any]:
        """JSON-able data that `from_json` reads back to an equal model. What is as usual is left out."""
        data: dict[str, Any] = {"version": self.version, "heads": {}}
        for name, head in self.heads.items():
            data["heads"][name] = {"intercept": head.intercept, "weights": dict(head.weights)}
            if head.curve is not None:
                data["heads"][name]["curve"] = head.curve.to_json()
        if self.calibration != LOG_ODDS:
            data["calibration"] = self.calibration
        return data

    @cached_property
    def features(self) -> frozenset[str]:
        return frozenset(feature for head in self.heads.values() for feature in head.weights)

    def scored(self, values: Mapping[str, int]) -> Scored:
        return Scored(self.version, *[_scored_head(values, *addends) for addends in self._addends])

    @cached_property
    def _addends(self) -> list[tuple[_Addend, list[tuple[str, _Addends]]]]:
        """Of each head the intercept, and of each feature that it weighs what any value adds."""
        heads = [self.heads[name] for name in HEADS]
        return [
            (
                _Addends(INTERCEPT, head.intercept)[1],
                [(feature, _Addends(feature, weight)) for feature, weight in head.weights.items()],
            )
            for head in heads
        ]

    def totals_many(self, values: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        """Where a model reads no feature, the arrays of others tell how many pairs there are."""
        pairs = len(next(iter(values.values()), ()))
        found = {}
        for name, head in self.heads.items():
            scores = np.full(pairs, head.intercept, dtype=np.int64)
            for feature, weight in head.weights.items():
                scores += weight * np.asarray(values[feature], dtype=np.int64)
            found[name] = scores
        return found

    def total(self, head: str, values: Mapping[str, int]) -> int:
        one = self.heads[head]
        return one.intercept + sum(weight * values[feature] for feature, weight in one.weights.items() if weight)

    def reaching(self, head: str, values: Mapping[str, int], least: int) -> int | None:
        """The total where it is not below `least`, else None: found out, with features that weigh most read first, as
        soon as no others can make up for what is missing."""
        most, parts = self._bounds[head]
        for feature, weight, top in parts:
            most += weight * values[feature] - top
            if most < least:
                return None
        return most if most >= least else None

    @cached_property
    def _bounds(self) -> dict[str, tuple[int, list[tuple[str, int, int]]]]:
        """By head the highest total that there can be, and its features with weight and the most that each adds: first
        those that make the largest difference."""
        found = {}
        for name, head in self.heads.items():
            parts = []
            for feature, weight in head.weights.items():
                ends = sorted((weight * FEATURES[feature].least, weight * FEATURES[feature].most))
                parts.append((ends[0] - ends[1], feature, weight, ends[1]))
            parts.sort()
            found[name] = (head.intercept + sum(part[3] for part in parts), [part[1:] for part in parts])
        return found

    def probabilities_ppm(self, head: str, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        curve = self.heads[head].curve
        return probabilities_ppm(scores) if curve is None else curve.probabilities_ppm(scores)

    def probability_ppm(self, head: str, score: int) -> int:
        return int(self.probabilities_ppm(head, np.array([score], dtype=np.int64))[0])


def totals(values: Mapping[str, int], *, model: LinearModel) -> dict[str, int]:
    """The scores alone, by head: the same integers as `scored` without the explanations, several times faster."""
    return {name: model.total(name, values) for name in model.heads}


_Addend = tuple[int, Contribution]
"""A contribution behind what it is ordered by: the largest first, whether it adds or takes."""


class _Addends(dict[int, _Addend]):
    """What each value of a feature adds: made when it is first asked for, and shared from then on by all who have it.
    No more of them are kept than a feature has values."""

    def __init__(self, feature: str, weight: int) -> None:
        super().__init__()
        self._feature, self._weight = feature, weight

    def __missing__(self, value: int) -> _Addend:
        amount = self._weight * value
        found = self[value] = (-abs(amount), Contribution(self._feature, value, self._weight, amount))
        return found


def _scored_head(values: Mapping[str, int], intercept: _Addend, weighed: list[tuple[str, _Addends]]) -> HeadScore:
    parts = [intercept, *[addends[values[feature]] for feature, addends in weighed]]
    parts.sort()  # no two are of one feature, so that nothing behind it is compared
    contributions = tuple([part for _, part in parts])
    return HeadScore(sum([part.amount for part in contributions]), contributions)


def _check_head(name: str, head: Head) -> None:
    check_integer(f"heads.{name}.intercept", head.intercept, -MAX_INTERCEPT, MAX_INTERCEPT)
    if not isinstance(head.weights, Mapping):
        raise InvalidModel(f"heads.{name}.weights", "must be an object")
    for feature, weight in head.weights.items():
        path = named(f"heads.{name}.weights", feature)
        if feature not in FEATURES:
            raise InvalidModel(path, "is not a declared feature")
        if name not in FEATURES[feature].heads:
            raise InvalidModel(path, f"may not be weighed for {name}")
        check_integer(path, weight, -MAX_WEIGHT, MAX_WEIGHT)


def _check_text(field: str, text: object) -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= MOST_CHARACTERS or not text.isprintable() or text.isspace():
        raise InvalidModel(field, f"must be a text of 1 to {MOST_CHARACTERS} characters")


# JSON


class _Repeated(dict[str, Any]):
    """An object that names a field twice: JSON lets it, and keeps the last; which one was meant would be a guess."""

    field = ""


def _parsed(document: str | bytes) -> Any:
    if len(document) > MOST_BYTES:
        raise InvalidModel("model", f"is longer than {MOST_BYTES} bytes")
    try:
        data = json.loads(document, object_pairs_hook=_object)
        _refuse_repeats("", data)
    except InvalidModel:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidModel("model", f"is not JSON: {str(error)[:200]}") from error
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) == len(pairs):
        return data
    found, seen = _Repeated(data), set[str]()
    for name, _ in pairs:
        if name in seen:
            found.field = name
            break
        seen.add(name)
    return found


def _refuse_repeats(path: str, data: Any) -> None:
    if isinstance(data, _Repeated):
        raise InvalidModel(named(path, data.field).lstrip("."), "is named twice")
    if isinstance(data, Mapping):
        for name, part in data.items():
            _refuse_repeats(named(path, name), part)
    elif isinstance(data, list):
        for place, part in enumerate(data):
            _refuse_repeats(f"{path}[{place}]", part)
