"""Registering models. A version is data, checked to the last field before it is kept for ever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.core.actor import Actor
from accounts.errors import NotFound
from matching.access import planner_kind
from matching.actions.models.serving import ensure_default_model
from matching.core import scoring
from matching.errors import InvalidModel, VersionTaken
from matching.models import ScoringModel, Segment


def add_model(
    *,
    actor: Actor,
    definition: str | bytes | Mapping[str, Any],
    segment_id: UUID | None = None,
    now: datetime,
) -> ScoringModel:
    """Keep a linear model as a draft of a segment; of the one that takes all that is left, without one. `definition` is
    its JSON, as text or parsed.

    Staff only; raises NotPermitted, NotFound, InvalidModel with the path to what is wrong, VersionTaken.
    """
    require_staff(actor)
    try:
        model = scoring.LinearModel.from_json(definition)
    except scoring.InvalidModel as error:
        raise InvalidModel(**error.data) from error
    with transaction.atomic():
        segment = named_segment(segment_id, now)
        kind = ScoringModel.Kind.LINEAR
        return keep(actor, segment, version=model.version, kind=kind, definition=model.to_json(), now=now)


def named_segment(segment_id: UUID | None, now: datetime) -> Segment:
    """The segment of that id; without one, the one that takes all that is left. Raises NotFound."""
    if segment_id is None:
        return ensure_default_model(now=now).segment
    segment = Segment.objects.filter(public_id=segment_id).first()
    if segment is None:
        raise NotFound("segment")
    return segment


def keep(
    actor: Actor,
    segment: Segment,
    *,
    version: str,
    kind: str,
    definition: Mapping[str, Any],
    now: datetime,
    **fields: Any,
) -> ScoringModel:
    """Store a version that was checked, of any kind. Raises VersionTaken, also where two come at once."""
    model, is_new = ScoringModel.objects.get_or_create(
        version=version, defaults={"segment": segment, "kind": kind, "definition": dict(definition), **fields}
    )
    if not is_new:
        raise VersionTaken(version=version)
    append(model, "ModelDrafted", actor=actor, by=planner_kind(actor), now=now, payload={"segment": segment.pk})
    return model
