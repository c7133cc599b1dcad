"""Scoring models: one is live, promoting another scores everything anew."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction

from accounts.core.actor import Actor
from accounts.errors import DomainError, IllegalTransition, NotFound, NotPermitted
from accounts.models import Event, Transition
from matching.actions.models import (
    add_model,
    ensure_default_model,
    live_model,
    promote_model,
    retire_model,
    roll_back,
    shadow_model,
    take_back,
)
from matching.core.scoring import DEFAULT_MODEL
from matching.errors import InvalidModel, NoEarlierModel, VersionTaken
from matching.models import Match, ScoringModel
from tests.marketplace.factories import NOW, a_skill, a_staff_actor, an_organisation, everything
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db


def definition_of(version: str = "later-2") -> dict[str, Any]:
    definition = DEFAULT_MODEL.to_json() | {"version": version}
    definition["heads"]["fit"]["intercept"] = 0
    return definition


def another_version(version: str = "later-2") -> ScoringModel:
    return add_model(actor=a_staff_actor(), definition=definition_of(version), now=NOW)


def test_a_fresh_database_has_the_default_model_live():
    model = live_model()
    assert (model.version, model.state) == ("linear-2", "live")
    assert model.definition == DEFAULT_MODEL.to_json()
    assert ensure_default_model(now=NOW) == model


def test_a_database_without_models_gets_one_through_the_machine():
    ScoringModel.objects.all().delete()
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
    assert Match.objects.get(opportunity=opportunity).fit == match.fit - 7_010_000


def test_the_database_allows_one_live_model_per_segment():
    with pytest.raises(IntegrityError, match="one_live_model_per_segment"), transaction.atomic():
        ScoringModel.objects.filter(pk=another_version().pk).update(state="live")


def test_only_staff_change_what_is_live():
    model = another_version()
    with pytest.raises(NotPermitted):
        promote_model(actor=an_organisation().actor, model_id=model.public_id, now=NOW)
    with pytest.raises(NotFound):
        promote_model(actor=a_staff_actor(), model_id=uuid4(), now=NOW)
    for act in (promote_model, shadow_model, retire_model, take_back):
        with pytest.raises(NotPermitted):
            act(actor=an_organisation().actor, model_id=model.public_id, now=NOW)
    with pytest.raises(NotPermitted):
        roll_back(actor=an_organisation().actor, segment_id=model.segment.public_id, now=NOW)
    with pytest.raises(NotPermitted):
        add_model(actor=an_organisation().actor, definition=definition_of("theirs"), now=NOW)
    assert live_model().version == "linear-2"
    assert ScoringModel.objects.count() == 2


# Going back


def promoted(*versions: str) -> None:
    for version in versions:
        promote_model(actor=a_staff_actor(), model_id=another_version(version).public_id, now=NOW)


def back() -> str:
    return roll_back(actor=a_staff_actor(), segment_id=live_model().segment.public_id, now=NOW).version


def test_rolling_back_restores_what_was_live_before_in_one_step():
    promoted("later-2", "later-3")
    assert back() == "later-2"
    assert {model.version: model.state for model in ScoringModel.objects.all()} == {
        "linear-2": "retired", "later-2": "live", "later-3": "retired",
    }  # fmt: skip
    last = Transition.objects.filter(subject_type="scoringmodel").latest("pk")
    assert (last.from_state, last.to_state, last.action) == ("retired", "live", "restore")
    assert back() == "linear-2"
    with pytest.raises(NoEarlierModel):
        back()
    assert live_model().version == "linear-2"


def test_rolling_back_brings_back_what_was_retired_without_another():
    promoted("later-2")
    retire_model(actor=a_staff_actor(), model_id=live_model().public_id, now=NOW)
    assert back() == "later-2"


def test_a_model_that_is_not_live_cannot_be_taken_back():
    promoted("later-2")
    old = ScoringModel.objects.get(version="linear-2")
    with pytest.raises(IllegalTransition):
        take_back(actor=a_staff_actor(), model_id=old.public_id, now=NOW)
    assert take_back(actor=a_staff_actor(), model_id=live_model().public_id, now=NOW) == old


def test_a_retired_one_can_be_watched_in_the_shadow_again_and_a_live_one_cannot():
    promoted("later-2")
    old, new = ScoringModel.objects.get(version="linear-2"), live_model()
    assert shadow_model(actor=a_staff_actor(), model_id=old.public_id, now=NOW).state == "shadow"
    with pytest.raises(IllegalTransition):
        shadow_model(actor=a_staff_actor(), model_id=new.public_id, now=NOW)
    assert back() == "linear-2", "from the shadow as well"


# Adding


def test_a_version_is_kept_as_a_draft_of_its_segment_and_can_be_read_back():
    model = add_model(actor=a_staff_actor(), definition=json.dumps(definition_of()), now=NOW)
    assert (model.version, model.kind, model.state) == ("later-2", "linear", "draft")
    assert model.segment.rule is None
    assert model.definition == definition_of()
    event = Event.objects.get(name="ModelDrafted")
    assert (event.aggregate_id, event.payload) == (model.pk, {"segment": model.segment_id})


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "model"),
        ("null", "model"),
        ("[]", "model"),
        ("{", "model"),
        ("[" * 100_000, "model"),
        (b"\xff\xfe", "model"),
        (" " * 1_000_001, "model"),
        ('{"version": "a", "version": "b"}', "version"),
        (json.dumps(definition_of() | {"version": "x" * 61}), "version"),
        (json.dumps(definition_of() | {"version": "a\x00b"}), "version"),
        (json.dumps(definition_of() | {"calibration": 1}), "calibration"),
        (json.dumps(definition_of()).replace("-4750000", "NaN"), "heads.interest.intercept"),
        (json.dumps(definition_of()).replace("-4750000", "Infinity"), "heads.interest.intercept"),
        (json.dumps(definition_of()).replace("-4750000", "1e400"), "heads.interest.intercept"),
        (json.dumps(definition_of()).replace("-4750000", "true"), "heads.interest.intercept"),
        (json.dumps(definition_of()).replace("-4750000", "9" * 4000), "heads.interest.intercept"),
        (json.dumps(definition_of()).replace('"pay_fit": 2300', '"shoe_size": 1'), "heads.interest.weights.shoe_size"),
    ],
)
def test_what_is_no_model_is_refused_by_its_path_and_nothing_is_stored(text, field):
    before = everything([ScoringModel, Event])
    with pytest.raises(InvalidModel) as refusal:
        add_model(actor=a_staff_actor(), definition=text, now=NOW)
    assert refusal.value.code == "INVALID_MODEL"
    assert refusal.value.data["field"] == field
    assert everything([ScoringModel, Event]) == before


def test_a_version_is_never_registered_twice():
    another_version()
    before = everything([ScoringModel, Event])
    with pytest.raises(VersionTaken):
        add_model(actor=a_staff_actor(), definition=DEFAULT_MODEL.to_json() | {"version": "later-2"}, now=NOW)
    with pytest.raises(NotFound):
        add_model(actor=a_staff_actor(), definition=definition_of("other"), segment_id=uuid4(), now=NOW)
    assert everything([ScoringModel, Event]) == before


# At once


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_models_promoted_at_once_one_is_live_in_the_end():
    versions = [another_version(f"racer-{number}") for number in range(4)]
    start, outcomes = Barrier(len(versions)), []

    def run(model: ScoringModel) -> None:
        try:
            start.wait(timeout=10)
            promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
            outcomes.append("live")
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(model,)) for model in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["live"] * 4, "one after the other"
    assert ScoringModel.objects.filter(state="live").count() == 1
    standing: set[int] = set()
    for transition in Transition.objects.filter(subject_type="scoringmodel").order_by("pk"):
        standing.discard(transition.subject_id)
        if transition.to_state == "live":
            assert not standing, "the other had gone before"
            standing.add(transition.subject_id)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_two_who_roll_back_at_once_each_goes_one_step_or_is_refused():
    promoted("later-2", "later-3")
    segment_id = live_model().segment.public_id
    start, outcomes = Barrier(4), []

    def run() -> None:
        try:
            start.wait(timeout=10)
            outcomes.append(roll_back(actor=Actor.system(), segment_id=segment_id, now=NOW).version)
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = ScoringModel.objects.filter(state="live").get().version
    assert sorted(outcomes) == sorted(["later-2", first, "NO_EARLIER_MODEL", "NO_EARLIER_MODEL"])


# The command


def command(*words: str) -> str:
    out = StringIO()
    call_command("model", *words, stdout=out)
    return out.getvalue()


def test_the_command_takes_a_version_through_its_life(tmp_path: Path):
    file = tmp_path / "model.json"
    file.write_text(json.dumps(definition_of()))
    assert "draft" in command("add", str(file))
    assert "shadow" in command("shadow", "later-2")
    command("promote", "later-2")
    assert live_model().version == "later-2"
    assert [line.split()[:3] for line in command("list").splitlines()] == [
        ["later-2", "linear", "live"],
        ["linear-2", "linear", "retired"],
    ]
    assert "linear-2 is live again" in command("rollback")
    command("retire", "linear-2")
    assert ScoringModel.objects.get(version="linear-2").state == "retired"


@pytest.mark.parametrize(
    "words",
    [
        ["promote", "linear-2"],
        ["promote", "unheard-of"],
        ["shadow", "linear-2"],
        ["retire", "unheard-of"],
        ["rollback"],
        ["rollback", "--segment", "unheard-of"],
        ["add", "/nowhere/at/all.json"],
        ["add", "/"],
        ["add", __file__],
    ],
)
def test_a_command_that_is_refused_says_so_and_changes_nothing(words):
    ensure_default_model(now=NOW)
    before = everything([ScoringModel, Event, Transition])
    with pytest.raises(CommandError):
        command(*words)
    assert everything([ScoringModel, Event, Transition]) == before
