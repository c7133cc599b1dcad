"""From a stored version to what scores by it. Versions are immutable, so each is read once per process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from django.conf import settings

from matching.core.onnx import Interface
from matching.core.scoring import LinearModel, Scorer
from matching.models import ModelFile, ScoringModel

KEPT = 64  # versions held ready at once


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """What a reader is given. `definition` is JSON, as text."""

    pk: int
    version: str
    definition: str


def _linear(stored: StoredVersion) -> Scorer:
    return LinearModel.from_json(json.loads(stored.definition))


def _onnx(stored: StoredVersion) -> Scorer:
    """Not loaded before it scores: whoever needs no more than its linear surrogate never reads its file."""
    from matching.onnx.scorer import OnnxScorer

    definition = json.loads(stored.definition)
    return OnnxScorer(
        version=stored.version,
        interface=Interface.from_json(definition["interface"]),
        linear=LinearModel.from_json(definition["linear"]),
        content=lambda: bytes(ModelFile.objects.get(pk=stored.pk).content),
        seconds=settings.ONNX_RUN_SECONDS,
    )


READERS: Mapping[str, Callable[[StoredVersion], Scorer]] = MappingProxyType(
    {ScoringModel.Kind.LINEAR.value: _linear, ScoringModel.Kind.ONNX.value: _onnx}
)
"""By kind of model: how a version is made ready. A kind that costs memory imports what it needs when it is read."""


def scorer_of(model: ScoringModel) -> Scorer:
    """Raises InvalidModel for a definition that cannot be read any more."""
    return _read(model.kind, StoredVersion(model.pk, model.version, json.dumps(model.definition)))


def linear_of(scorer: Scorer) -> LinearModel:
    """A linear model for those who answer at once, or in SQL: itself where it is one, else its surrogate, the linear
    model that comes nearest to it. The web server scores by no other."""
    if isinstance(scorer, LinearModel):
        return scorer
    near: LinearModel = scorer.linear  # type: ignore[attr-defined]
    return near


@lru_cache(maxsize=KEPT)
def _read(kind: str, stored: StoredVersion) -> Scorer:
    return READERS[kind](stored)
