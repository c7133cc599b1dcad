"""Models and segments at the console."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.core.actor import Actor
from accounts.models import Event, User
from matching.actions.models import add_model, create_segment, files, live_model
from matching.core.scoring import DEFAULT_MODEL
from matching.models import ScoringModel, Segment
from matching.onnx.checking import check_file
from tests.marketplace.factories import NOW, a_skill, everything
from tests.matching import made_elsewhere

pytestmark = pytest.mark.django_db

REMOTE = {"attribute": "arrangement", "op": "eq", "value": "remote"}


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase", name="Chief"))
    return client


def definition_of(version: str) -> str:
    return json.dumps(DEFAULT_MODEL.to_json() | {"version": version})


def address(row: Any, page: str) -> str:
    return reverse(f"admin:matching_{row._meta.model_name}_{page}", args=[row.pk])


def add(console: Client, **fields: Any) -> Any:
    given = {"segment": live_model().segment_id, "definition": "", **fields}
    return console.post(reverse("admin:matching_scoringmodel_add"), given)


def take(console: Client, row: Any, step: str) -> None:
    asked = console.get(address(row, f"take_{step}"))
    assert asked.status_code == 200
    answer = console.post(address(row, f"take_{step}"), {"_form_submitted": "on"})
    assert answer.status_code == 200, "done, or refused in words"
    row.refresh_from_db()


def test_a_file_made_elsewhere_is_tried_before_the_consoles_transaction_begins(console: Client, monkeypatch):
    outside, seen = len(connection.atomic_blocks), []

    def watched(*args: Any, **options: Any) -> Any:
        seen.append(len(connection.atomic_blocks))
        return check_file(*args, **options)

    monkeypatch.setattr(files, "check_file", watched)
    assert add(console, file=SimpleUploadedFile("trees.onnx", made_elsewhere.network())).status_code == 302
    assert seen == [outside]
    kept = ScoringModel.objects.get(version="trees")
    assert (kept.kind, kept.state) == ("onnx", "draft")

    refused = add(console, file=SimpleUploadedFile("other.onnx", b"not a model"))
    taken = add(console, file=SimpleUploadedFile("trees.onnx", made_elsewhere.network()))
    assert (refused.status_code, taken.status_code) == (200, 200)
    assert refused.context["adminform"].errors
    assert "trees" in str(taken.context["adminform"].errors)
    assert not ScoringModel.objects.filter(version="other").exists()
    assert len(seen) == 2


def test_who_may_not_add_models_has_no_file_tried(console: Client, monkeypatch):
    monkeypatch.setattr(files, "check_file", None)
    console.force_login(User.objects.create_user("clerk@muster.example", "s3cret-pass-phrase", is_staff=True))
    assert add(console, file=SimpleUploadedFile("trees.onnx", made_elsewhere.network())).status_code == 403


def test_a_model_is_added_as_text_or_as_a_file_through_the_action(console: Client):
    assert add(console, definition=definition_of("typed")).status_code == 302
    file = SimpleUploadedFile("model.json", definition_of("uploaded").encode())
    assert add(console, file=file).status_code == 302
    for version in ("typed", "uploaded"):
        model = ScoringModel.objects.get(version=version)
        assert model.state == "draft"
        event = Event.objects.get(name="ModelDrafted", aggregate_id=model.pk)
        assert event.actor_kind == "staff"


def test_what_is_no_model_comes_back_with_its_path_and_nothing_is_stored(console: Client):
    before = live_model() and everything([ScoringModel, Event])
    broken = definition_of("typed").replace("-7010000", "NaN")
    for fields in ({"definition": broken}, {"file": SimpleUploadedFile("model.json", broken.encode())}):
        page = add(console, **fields)
        assert page.status_code == 200
        assert "heads.fit.intercept must be an integer" in page.content.decode()
    assert "Give the definition once" in add(console).content.decode()
    deep = add(console, definition="[" * 100_000)
    assert "is not JSON" in deep.content.decode()
    assert everything([ScoringModel, Event]) == before


def test_a_model_goes_through_its_life_by_steps(console: Client):
    first = live_model()
    model = add_model(actor=Actor.system(), definition=definition_of("second"), now=NOW)
    take(console, model, "shadow")
    assert model.state == "shadow"
    take(console, model, "promote")
    assert model.state == "live"
    page = console.get(address(model, "change"))
    assert {one["title"] for one in page.context["actions_detail"]} >= {"Roll back", "Retire"}
    assert first.version in page.content.decode(), "what it would roll back to"
    take(console, model, "take_back")
    first.refresh_from_db()
    assert (first.state, model.state) == ("live", "retired")
    take(console, first, "retire")
    assert first.state == "retired"


def test_a_segment_is_created_changed_and_moved_by_the_actions(console: Client):
    skill = a_skill("welding")
    given = {
        "name": "remote",
        "rule": json.dumps({"all": [REMOTE, {"attribute": "skills", "op": "eq", "value": skill.pk}]}),
    }
    assert console.post(reverse("admin:matching_segment_add"), given).status_code == 302
    segment = Segment.objects.get(name="remote")
    assert "welding" in console.get(address(segment, "change")).content.decode()
    other = create_segment(actor=Actor.system(), name="other", rule=REMOTE, now=NOW)
    take(console, other, "move_earlier")
    assert list(Segment.objects.values_list("name", flat=True)) == ["other", "remote", "everything"]
    changed = {"name": "hybrid", "rule": json.dumps({"attribute": "arrangement", "op": "eq", "value": "hybrid"})}
    assert console.post(address(segment, "change"), changed).status_code == 302
    segment.refresh_from_db()
    assert (segment.name, segment.rule) == ("hybrid", json.loads(changed["rule"]))
    assert Event.objects.get(name="SegmentChanged").payload == {"changed": ["name", "rule"]}


def test_a_predicate_that_cannot_be_comes_back_with_its_path(console: Client):
    segment = create_segment(actor=Actor.system(), name="remote", rule=REMOTE, now=NOW)
    before = everything([Segment, Event])
    rule = json.dumps({"all": [{"attribute": "shoe_size", "op": "eq", "value": 1}]})
    for page in (reverse("admin:matching_segment_add"), address(segment, "change")):
        answer = console.post(page, {"name": "other", "rule": rule})
        assert answer.status_code == 200
        assert "$.all[0].attribute" in answer.content.decode()
    assert everything([Segment, Event]) == before


@pytest.mark.parametrize("rule", ['{"all": [', '{"not": ' * 3000 + "1" + "}" * 3000, "[" * 150 + "]" * 150, "9" * 5000])
def test_a_predicate_that_is_no_json_comes_back_as_it_was_typed(console: Client, rule: str):
    answer = console.post(reverse("admin:matching_segment_add"), {"name": "other", "rule": rule})
    assert (answer.status_code, Segment.objects.count()) == (200, 1)
    assert answer.context["adminform"].form.errors == {"rule": ["Enter a valid JSON."]}
    assert rule[:20] in answer.content.decode().replace("&quot;", '"')


def test_the_segment_that_takes_all_shows_no_predicate_to_change(console: Client):
    last = live_model().segment
    page = console.get(address(last, "change"))
    assert "rule" not in page.context["adminform"].form.fields
    assert console.post(address(last, "change"), {"name": "the rest"}).status_code == 302
    last.refresh_from_db()
    assert (last.name, last.rule, last.position) == ("the rest", None, 100)
