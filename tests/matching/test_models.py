"""Scoring models: one is live, promoting another scores everything anew."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.errors import IllegalTransition, NotFound, NotPermitted
from accounts.models import Event
from matching.actions.models import ensure_default_model, live_model, promote_model, retire_model
from matching.core.scoring import DEFAULT_MODEL
from matching.models import Match, ScoringModel, Segment
from tests.marketplace.factories import NOW, a_skill, a_staff_actor, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db


def another_version(version: str = "linear-2") -> ScoringModel:
    definition = DEFAULT_MODEL.to_json() | {"version": version}
    definition["heads"]["fit"]["intercept"] = 0
    return ScoringModel.objects.create(segment=live_model().segment, version=version, definition=definition)


def test_a_fresh_database_has_the_default_model_live():
    model = live_model()
    assert (model.version, model.state) == ("linear-1", "live")
    assert model.definition == DEFAULT_MODEL.to_json()
    assert ensure_default_model(now=NOW) == model


def test_a_database_without_models_gets_one_through_the_machine():
    Segment.objects.get().models.all().delete()
    Segment.objects.all().delete()
    model = ensure_default_model(now=NOW)
    assert live_model() == model
    assert Event.objects.filter(name="ModelPromoted", aggregate_id=model.pk).count() == 1


def test_promoting_retires_the_live_one_and_scores_everything_anew():
    skill = a_skill()
    opportunity = asking_for(skill)
    skilled(skill)
    work()
    old, new = live_model(), another_version()
    promote_model(actor=a_staff_actor(), model_id=new.public_id, now=NOW)
    old.refresh_from_db()
    assert (old.state, live_model()) == ("retired", new)
    work()
    match = Match.objects.get(opportunity=opportunity)
    assert match.model == new
    promote_model(actor=a_staff_actor(), model_id=old.public_id, now=NOW)
    work()
    assert Match.objects.get(opportunity=opportunity).fit == match.fit - 5_500_000


def test_the_database_allows_one_live_model_per_segment():
    with pytest.raises(IntegrityError, match="one_live_model_per_segment"), transaction.atomic():
        ScoringModel.objects.filter(pk=another_version().pk).update(state="live")


def test_only_staff_change_what_is_live():
    model = another_version()
    with pytest.raises(NotPermitted):
        promote_model(actor=an_organisation().actor, model_id=model.public_id, now=NOW)
    with pytest.raises(NotFound):
        promote_model(actor=a_staff_actor(), model_id=uuid4(), now=NOW)
    with pytest.raises(IllegalTransition):
        retire_model(actor=a_staff_actor(), model_id=model.public_id, now=NOW)
    assert live_model().version == "linear-1"


def test_the_command_lists_and_promotes():
    another_version()
    out = StringIO()
    call_command("model", "promote", "linear-2", stdout=out)
    call_command("model", "list", stdout=out)
    assert live_model().version == "linear-2"
    assert "retired" in out.getvalue()
    with pytest.raises(CommandError):
        call_command("model", "promote", "linear-2", stdout=out)
    with pytest.raises(CommandError):
        call_command("model", "promote", "unheard-of", stdout=out)
