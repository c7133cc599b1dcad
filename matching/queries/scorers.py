"""From a stored version to what scores by it. Versions are immutable, so each is read once per process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from matching.core.scoring import LinearModel, Scorer
from matching.models import ScoringModel

KEPT = 64  # versions held ready at once


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """What a reader is given. `definition` is JSON, as text."""

    pk: int
    version: str
    definition: str


def _linear(stored: StoredVersion) -> Scorer:
    return LinearModel.from_json(json.loads(stored.definition))


READERS: Mapping[str, Callable[[StoredVersion], Scorer]] = MappingProxyType({ScoringModel.Kind.LINEAR.value: _linear})
"""By kind of model: how a version is made ready. A kind that costs memory imports what it needs when it is read."""


def scorer_of(model: ScoringModel) -> Scorer:
    """Raises InvalidModel for a definition that cannot be read any more."""
    return _read(model.kind, StoredVersion(model.pk, model.version, json.dumps(model.definition)))


@lru_cache(maxsize=KEPT)
def _read(kind: str, stored: StoredVersion) -> Scorer:
    return READERS[kind](stored)
