"""Scoring models: which one is live."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.access import require_staff
from accounts.actions.transitions import move
from accounts.core.actor import Actor
from accounts.errors import NotFound
from matching.access import planner_kind
from matching.core.scoring import DEFAULT_MODEL
from matching.core.workflow import MODEL, ModelState
from matching.models import ScoringModel, Segment
from matching.queries.serving import Serving, live_models, serving

EVERYTHING = "everything"  # the segment that matches all, last in line
LAST_POSITION = 100


def serving_now() -> Serving:
    """Which model scores which opportunity.

    A database without a live model that takes everything gets the default one.
    """
    models = list(live_models())
    if not any(model.segment.rule is None for model in models):
        models.append(ensure_default_model(now=timezone.now()))
    return serving(models)


def live_model() -> ScoringModel:
    """The live model of the segment that matches all."""
    found = _live()
    return found if found is not None else ensure_default_model(now=timezone.now())


def ensure_default_model(*, now: datetime) -> ScoringModel:
    """The live model of the segment that matches all; the default version, promoted now, if there is none.

    Where staff retired every version, the default one serves as it is: scoring never stands still.
    """
    with transaction.atomic():
        segment, _ = Segment.objects.get_or_create(name=EVERYTHING, defaults={"position": LAST_POSITION})
        Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        found = _live()
        if found is not None:
            return found
        model, _ = ScoringModel.objects.get_or_create(
            version=DEFAULT_MODEL.version, defaults={"segment": segment, "definition": DEFAULT_MODEL.to_json()}
        )
        if model.state in MODEL.sources("promote") and model.state != ModelState.RETIRED:
            _promote(model, Actor.system(), now)
        return model


def promote_model(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """Make a version the live one of its segment, in place of the one that is; a retired one comes back in one step.

    Every open opportunity is scored again. Staff only; raises NotPermitted, NotFound, IllegalTransition.
    """
    with transaction.atomic():
        model = _locked(actor, model_id)
        _promote(model, actor, now)
        return model


def retire_model(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """Take the live model out of service. Raises NotPermitted, NotFound, IllegalTransition."""
    with transaction.atomic():
        model = _locked(actor, model_id)
        move(model, MODEL, "retire", actor=actor, by=planner_kind(actor), now=now)
        return model


def _live() -> ScoringModel | None:
    return (
        ScoringModel.objects.filter(state=ModelState.LIVE, segment__rule__isnull=True)
        .order_by("segment__position")
        .first()
    )


def _promote(model: ScoringModel, actor: Actor, now: datetime) -> None:
    by = planner_kind(actor)
    for other in ScoringModel.objects.filter(segment=model.segment_id, state=ModelState.LIVE).exclude(pk=model.pk):
        move(other, MODEL, "retire", actor=actor, by=by, now=now)
    move(model, MODEL, "promote", actor=actor, by=by, now=now)


def _locked(actor: Actor, model_id: UUID) -> ScoringModel:
    """The model, with its segment locked: promotions in one segment come one after the other."""
    require_staff(actor)
    segment_id = ScoringModel.objects.filter(public_id=model_id).values_list("segment_id", flat=True).first()
    if segment_id is None:
        raise NotFound("scoring model")
    Segment.objects.select_for_update(no_key=True).get(pk=segment_id)
    return ScoringModel.objects.get(public_id=model_id)
