"""Segments: each opportunity is scored by the live model of the first one that takes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.core.actor import Actor
from marketplace.models import Opportunity
from matching.actions.allocation import plan_allocation, solve_run
from matching.actions.models import live_model, promote_model, retire_model, serving_now
from matching.core.scoring import DEFAULT_MODEL
from matching.models import Match, ScoringModel, Segment
from matching.queries.scorable import basics_at, scorables
from tests.marketplace.factories import NOW, a_published_opportunity, a_skill, an_organisation
from tests.matching.staging import asking_for, pairs, skilled, work

pytestmark = pytest.mark.django_db

REMOTE = {"attribute": "arrangement", "op": "eq", "value": "remote"}


def a_segment(rule: dict[str, Any], position: int = 1, name: str = "remote work") -> Segment:
    return Segment.objects.create(name=name, position=position, rule=rule)


def a_model(segment: Segment, version: str, *, live: bool = True, **changed: Any) -> ScoringModel:
    """A version like the default one, but that everybody fits 1 log-odds better."""
    definition = DEFAULT_MODEL.to_json() | {"version": version, **changed}
    definition["heads"]["fit"]["intercept"] += 1_000_000
    model = ScoringModel.objects.create(segment=segment, version=version, definition=definition)
    return promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW) if live else model


def model_of(opportunity: Opportunity) -> str:
    found = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics_at(NOW, serving_now()))
    return found[opportunity.pk].model.version


def test_the_first_segment_that_takes_an_opportunity_decides():
    remote, onsite = (a_published_opportunity(arrangement=one) for one in ("remote", "onsite"))
    assert model_of(remote) == model_of(onsite) == "linear-1"
    a_model(a_segment(REMOTE, 5), "for-remote-work")
    assert (model_of(remote), model_of(onsite)) == ("for-remote-work", "linear-1")
    full_time = {"attribute": "commitment", "op": "eq", "value": "full_time"}
    a_model(a_segment(full_time, 4, "full time"), "for-full-time")
    assert (model_of(remote), model_of(onsite)) == ("for-full-time", "for-full-time")


def test_a_segment_without_a_live_model_leaves_its_opportunities_to_the_next_that_has_one():
    remote = a_published_opportunity(arrangement="remote")
    model = a_model(a_segment(REMOTE), "for-remote-work", live=False)
    assert model_of(remote) == "linear-1"
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    assert model_of(remote) == "for-remote-work"
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    assert model_of(remote) == "linear-1"


def test_a_predicate_asks_for_skills_and_places_and_an_unstated_fact_meets_none():
    skill = a_skill()
    asking, other = asking_for(skill), a_published_opportunity()
    a_model(a_segment({"attribute": "skills", "op": "eq", "value": skill.pk}), "for-welders")
    assert (model_of(asking), model_of(other)) == ("for-welders", "linear-1")
    a_model(a_segment({"not": {"attribute": "starts_on", "op": "lt", "value": "2020-01-01"}}, 0, "late"), "for-late")
    assert model_of(asking) == "for-welders", "when it starts is not stated, so nothing is known of it"


def test_a_predicate_that_cannot_be_read_any_more_takes_nothing():
    a_model(a_segment({"attribute": "shoe_size", "op": "eq", "value": 1}), "for-big-feet")
    assert model_of(a_published_opportunity()) == "linear-1"


def test_a_skill_that_was_merged_into_another_is_followed():
    old, new = a_skill(), a_skill()
    a_model(a_segment({"attribute": "skills", "op": "in", "value": [old.pk]}), "for-welders")
    old.merged_into = new
    old.save()
    assert model_of(asking_for(new)) == "for-welders"


def test_matches_are_of_the_model_of_their_opportunity():
    skill = a_skill()
    remote, onsite = (asking_for(skill, arrangement=one) for one in ("remote", "onsite"))
    candidate = skilled(skill)
    a_model(a_segment(REMOTE), "for-remote-work")
    work()
    found = {match.opportunity_id: match for match in Match.objects.filter(candidate=candidate).select_related("model")}
    assert found[remote.pk].model.version == "for-remote-work"
    assert found[onsite.pk].model.version == "linear-1"
    for match in found.values():
        assert match.fit == sum(one["amount"] for one in match.contributions["fit"])


def test_the_number_of_statements_depends_neither_on_opportunities_nor_on_segments():
    a_model(a_segment(REMOTE, 1), "for-remote-work")
    a_model(a_segment({"attribute": "skills", "op": "eq", "value": a_skill().pk}, 2, "skilled"), "for-skilled")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            scorables(Opportunity.objects.all(), basics_at(NOW, serving_now()))
        return len(captured)

    asking_for(a_skill())
    few = statements()
    for number in range(5):
        asking_for(a_skill(), arrangement="remote")
        a_model(a_segment(REMOTE, 10 + number, f"segment {number}"), f"version {number}")
    assert statements() == few


def test_an_allocation_refuses_to_weigh_scores_of_models_without_a_common_calibration():
    by, skill = an_organisation(), a_skill()
    remote, onsite = (asking_for(skill, by, arrangement=one) for one in ("remote", "onsite"))
    candidates = {skilled(skill).pk, skilled(skill).pk}
    model = a_model(a_segment(REMOTE), "for-remote-work", calibration="hired in 2026")

    def plan():
        work()
        queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
        return solve_run(queued.pk, NOW)

    run = plan()
    assert run.state == "failed"
    assert "for-remote-work (hired in 2026), linear-1 (log-odds)" in run.error
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    a_model(model.segment, "again-for-remote-work")
    run = plan()
    assert run.state == "planned"
    assert {opportunity for opportunity, _ in pairs(run)} == {remote.pk, onsite.pk}
    assert {candidate for _, candidate in pairs(run)} == candidates
    assert run.model is None
    assert run.snapshot is not None
    assert run.snapshot["models"] == {"again-for-remote-work": [remote.pk], "linear-1": [onsite.pk]}


def test_the_segment_that_matches_all_serves_what_no_other_takes_even_when_its_model_was_retired():
    retire_model(actor=Actor.system(), model_id=live_model().public_id, now=NOW)
    a_model(a_segment(REMOTE), "for-remote-work")
    assert model_of(a_published_opportunity(arrangement="onsite")) == "linear-1"
