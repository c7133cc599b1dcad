"""Which models serve: the live ones, and a default where nothing is live that takes all."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from matching.core.scoring import DEFAULT_MODEL
from matching.core.workflow import MODEL, ModelState
from matching.models import ScoringModel, Segment
from matching.queries.serving import Serving, live_models, serving

EVERYTHING = "everything"  # the segment that takes all that is left


def serving_now() -> Serving:
    """Which model scores which opportunity.

    A database without a live model that takes everything gets the default one.
    """
    models = list(live_models())
    if not any(model.segment.rule is None for model in models):
        models.append(ensure_default_model(now=timezone.now()))
    return serving(models)


def live_model() -> ScoringModel:
    """The live model of the segment that takes all that is left."""
    found = _live()
    return found if found is not None else ensure_default_model(now=timezone.now())


def ensure_default_model(*, now: datetime) -> ScoringModel:
    """The live model of the segment that takes all; the default version, promoted now, if there is none.

    Where staff retired every version, the default one serves as it is: scoring never stands still.
    """
    with transaction.atomic():
        segment, _ = Segment.objects.get_or_create(
            rule__isnull=True, defaults={"name": EVERYTHING, "position": Segment.LAST}
        )
        Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        found = _live()
        if found is not None:
            return found
        model, _ = ScoringModel.objects.get_or_create(
            version=DEFAULT_MODEL.version, defaults={"segment": segment, "definition": DEFAULT_MODEL.to_json()}
        )
        if model.state == ModelState.DRAFT:
            move(model, MODEL, "promote", actor=Actor.system(), by=ActorKind.SYSTEM, now=now)
        return model


def _live() -> ScoringModel | None:
    return ScoringModel.objects.filter(state=ModelState.LIVE, segment__rule__isnull=True).first()
