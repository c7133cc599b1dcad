"""A model's life: drafted, in the shadow of the live one, live, retired, and back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.access import require_staff
from accounts.actions.transitions import move
from accounts.core.actor import Actor
from accounts.core.machine import decide
from accounts.errors import NotFound
from accounts.models import Transition
from matching.access import planner_kind
from matching.actions import marks
from matching.core.succession import LoggedMove, model_before
from matching.core.workflow import MODEL, ModelState
from matching.errors import NoEarlierModel
from matching.models import ScoringModel, Segment


def shadow_model(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """Have a version score what it would serve, beside the live one: logged, compared, never shown.

    Staff only; raises NotPermitted, NotFound, IllegalTransition.
    """
    with transaction.atomic():
        model = _locked(actor, model_id)
        move(model, MODEL, "shadow", actor=actor, by=planner_kind(actor), now=now)
        marks.mark_all_for_shadows(now)
        return model


def promote_model(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """Make a version the live one of its segment, in place of the one that is.

    The opportunities that it serves from now on are scored again. Staff only; raises NotPermitted, NotFound,
    IllegalTransition.
    """
    with transaction.atomic():
        model = _locked(actor, model_id)
        _put_in_service(model, "promote", actor, now)
        return model


def retire_model(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """Take a model out of service; where it was live, the next segment that takes its opportunities serves them.

    Raises NotPermitted, NotFound, IllegalTransition.
    """
    with transaction.atomic():
        model = _locked(actor, model_id)
        move(model, MODEL, "retire", actor=actor, by=planner_kind(actor), now=now)
        return model


def roll_back(*, actor: Actor, segment_id: UUID, now: datetime) -> ScoringModel:
    """Put the model back that was live before the one that is, or the last one that was where none is. In one step.

    Staff only; raises NotPermitted, NotFound, NoEarlierModel, IllegalTransition.
    """
    require_staff(actor)
    with transaction.atomic():
        segment = Segment.objects.select_for_update(no_key=True).filter(public_id=segment_id).first()
        if segment is None:
            raise NotFound("segment")
        model = earlier_model(segment)
        if model is None:
            raise NoEarlierModel(segment=segment.name)
        _put_in_service(model, "restore", actor, now)
        return model


def take_back(*, actor: Actor, model_id: UUID, now: datetime) -> ScoringModel:
    """The same, named by the model that is to go. Raises IllegalTransition for one that is not live."""
    with transaction.atomic():
        model = _locked(actor, model_id)
        if model.state != ModelState.LIVE:
            decide(MODEL, model.state, "take back", planner_kind(actor))
        return roll_back(actor=actor, segment_id=model.segment.public_id, now=now)


def earlier_model(segment: Segment) -> ScoringModel | None:
    """Which model `roll_back` would put back. The log says; rows alone do not tell which of the retired it was."""
    models = {model.pk: model for model in ScoringModel.objects.filter(segment=segment).select_related("segment")}
    log = Transition.objects.filter(subject_type="scoringmodel", subject_id__in=list(models)).order_by("pk")
    moves = [LoggedMove(*row) for row in log.values_list("subject_id", "from_state", "to_state", "action")]
    live = next((pk for pk, model in models.items() if model.state == ModelState.LIVE), None)
    before = model_before(moves, live)
    return models[before] if before is not None else None


def _put_in_service(model: ScoringModel, action: str, actor: Actor, now: datetime) -> None:
    """The caller holds the segment's lock."""
    by = planner_kind(actor)
    decide(MODEL, model.state, action, by)  # before anything else moves
    for other in ScoringModel.objects.filter(segment=model.segment_id, state=ModelState.LIVE).exclude(pk=model.pk):
        move(other, MODEL, "retire", actor=actor, by=by, now=now)
    move(model, MODEL, action, actor=actor, by=by, now=now)


def _locked(actor: Actor, model_id: UUID) -> ScoringModel:
    """The model, with its segment locked: promotions in one segment come one after the other."""
    require_staff(actor)
    segment_id = ScoringModel.objects.filter(public_id=model_id).values_list("segment_id", flat=True).first()
    if segment_id is None:
        raise NotFound("scoring model")
    Segment.objects.select_for_update(no_key=True).get(pk=segment_id)
    return ScoringModel.objects.get(public_id=model_id)
