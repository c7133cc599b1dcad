"""Segments: each opportunity is scored by the live model of the first one that takes it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actions.deliveries import deliver_due
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotFound, NotPermitted
from accounts.models import Event
from marketplace.models import Opportunity
from matching.actions.allocation import plan_allocation, solve_run
from matching.actions.models import (
    add_model,
    change_segment,
    create_segment,
    live_model,
    move_earlier,
    move_later,
    move_segment,
    promote_model,
    retire_model,
    roll_back,
    serving_now,
)
from matching.core.scoring import DEFAULT_MODEL
from matching.errors import LastSegmentStays, PredicateRefused, ScoresNotComparable, SegmentNameTaken
from matching.models import AllocationRun, Mark, Match, Rescore, ScoringModel, Segment
from matching.queries.affected import affected
from matching.queries.recommendations import recommendations_for
from matching.queries.scorable import basics_at, scorables
from tests.marketplace.factories import (
    NOW,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    an_organisation,
    everything,
)
from tests.matching.staging import asking_for, pairs, skilled, work

pytestmark = pytest.mark.django_db

REMOTE = {"attribute": "arrangement", "op": "eq", "value": "remote"}


def a_segment(rule: dict[str, Any], position: int = 1, name: str = "remote work") -> Segment:
    return Segment.objects.create(name=name, position=position, rule=rule)


def a_model(segment: Segment, version: str, *, live: bool = True, **changed: Any) -> ScoringModel:
    """A version like the default one, but that everybody fits 1 log-odds better."""
    definition = DEFAULT_MODEL.to_json() | {"version": version, **changed}
    definition["heads"]["fit"]["intercept"] += 1_000_000
    model = add_model(actor=Actor.system(), definition=definition, segment_id=segment.public_id, now=NOW)
    return promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW) if live else model


def model_of(opportunity: Opportunity) -> str:
    found = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics_at(NOW, serving_now()))
    return found[opportunity.pk].model.version


def test_the_first_segment_that_takes_an_opportunity_decides():
    remote, onsite = (a_published_opportunity(arrangement=one) for one in ("remote", "onsite"))
    assert model_of(remote) == model_of(onsite) == "linear-2"
    a_model(a_segment(REMOTE, 5), "for-remote-work")
    assert (model_of(remote), model_of(onsite)) == ("for-remote-work", "linear-2")
    full_time = {"attribute": "commitment", "op": "eq", "value": "full_time"}
    a_model(a_segment(full_time, 4, "full time"), "for-full-time")
    assert (model_of(remote), model_of(onsite)) == ("for-full-time", "for-full-time")


def test_a_segment_without_a_live_model_leaves_its_opportunities_to_the_next_that_has_one():
    remote = a_published_opportunity(arrangement="remote")
    model = a_model(a_segment(REMOTE), "for-remote-work", live=False)
    assert model_of(remote) == "linear-2"
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    assert model_of(remote) == "for-remote-work"
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    assert model_of(remote) == "linear-2"


def test_a_predicate_asks_for_skills_and_places_and_an_unstated_fact_meets_none():
    skill = a_skill()
    asking, other = asking_for(skill), a_published_opportunity()
    a_model(a_segment({"attribute": "skills", "op": "eq", "value": skill.pk}), "for-welders")
    assert (model_of(asking), model_of(other)) == ("for-welders", "linear-2")
    a_model(a_segment({"not": {"attribute": "starts_on", "op": "lt", "value": "2020-01-01"}}, 0, "late"), "for-late")
    assert model_of(asking) == "for-welders", "when it starts is not stated, so nothing is known of it"


def test_a_predicate_that_cannot_be_read_any_more_takes_nothing():
    a_model(a_segment({"attribute": "shoe_size", "op": "eq", "value": 1}), "for-big-feet")
    assert model_of(a_published_opportunity()) == "linear-2"


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
    assert found[onsite.pk].model.version == "linear-2"
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

    work()
    before = everything([AllocationRun, Event])
    with pytest.raises(ScoresNotComparable) as refusal:
        plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    assert refusal.value.code == "SCORES_NOT_COMPARABLE"
    assert refusal.value.data["calibrations"] == {"for-remote-work": "hired in 2026", live_model().version: "log-odds"}
    assert everything([AllocationRun, Event]) == before
    one = plan_allocation(
        actor=by.actor, organisation_id=by.organisation.public_id, opportunity_ids=[remote.public_id], now=NOW
    )
    assert solve_run(one.pk, NOW).state == "planned", "one model alone is comparable with itself"

    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    run = solve_run(queued.pk, NOW)
    assert run.state == "failed", "what serves has changed between the asking and the solving"
    assert "for-remote-work (hired in 2026)" in run.error
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    a_model(model.segment, "again-for-remote-work")
    run = plan()
    assert run.state == "planned"
    assert {opportunity for opportunity, _ in pairs(run)} == {remote.pk, onsite.pk}
    assert {candidate for _, candidate in pairs(run)} == candidates
    assert run.model is None
    assert run.snapshot is not None
    assert run.snapshot["models"] == {"again-for-remote-work": [remote.pk], "linear-2": [onsite.pk]}


def test_the_segment_that_matches_all_serves_what_no_other_takes_even_when_its_model_was_retired():
    retire_model(actor=Actor.system(), model_id=live_model().public_id, now=NOW)
    a_model(a_segment(REMOTE), "for-remote-work")
    assert model_of(a_published_opportunity(arrangement="onsite")) == "linear-2"


# What the database holds to


@pytest.mark.parametrize("change", [{"position": 7}, {"rule": REMOTE}, {"rule": REMOTE, "position": 3}])
def test_the_segment_that_takes_all_keeps_its_place(change):
    with pytest.raises((ProgrammingError, InternalError, IntegrityError)), transaction.atomic():
        Segment.objects.filter(rule__isnull=True).update(**change)
    with pytest.raises((ProgrammingError, InternalError, IntegrityError)), transaction.atomic():
        Segment.objects.filter(rule__isnull=True).delete()


@pytest.mark.parametrize("fields", [{"position": 7}, {"position": 100}, {"position": 100, "rule": REMOTE}])
def test_no_other_segment_takes_all_or_stands_last(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.create(name="another", **fields)
        connection.check_constraints()


# Creating, changing, moving


def staff_creates(name: str, rule: Any = REMOTE, place: int | None = None) -> Segment:
    return create_segment(actor=a_staff_actor(), name=name, rule=rule, place=place, now=NOW)


def names() -> list[str]:
    return list(Segment.objects.values_list("name", flat=True))


def test_segments_are_created_and_moved_and_the_one_that_takes_all_stays_last():
    staff_creates("a")
    b = staff_creates("b")
    staff_creates("c", place=1)
    assert names() == ["c", "a", "b", "everything"]
    move_segment(actor=a_staff_actor(), segment_id=b.public_id, place=1, now=NOW)
    assert names() == ["b", "c", "a", "everything"]
    move_later(actor=a_staff_actor(), segment_id=b.public_id, now=NOW)
    assert names() == ["c", "b", "a", "everything"]
    move_earlier(actor=a_staff_actor(), segment_id=b.public_id, now=NOW)
    assert names() == ["b", "c", "a", "everything"]
    assert [event.payload for event in Event.objects.filter(name="SegmentMoved")] == [
        {"from": 3, "to": 1}, {"from": 1, "to": 2}, {"from": 2, "to": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("place", [0, 2, -1, True, "1", None.__class__])
def test_a_place_that_there_is_not_is_refused(place):
    segment = staff_creates("a")
    before = everything([Segment, Event])
    with pytest.raises(InvalidInput):
        move_segment(actor=a_staff_actor(), segment_id=segment.public_id, place=place, now=NOW)
    assert everything([Segment, Event]) == before


def test_the_one_that_takes_all_can_be_called_otherwise_and_nothing_else():
    last = live_model().segment
    assert change_segment(actor=a_staff_actor(), segment_id=last.public_id, name="the rest", now=NOW).name == "the rest"
    for change in (
        lambda: change_segment(actor=a_staff_actor(), segment_id=last.public_id, rule=REMOTE, now=NOW),
        lambda: move_segment(actor=a_staff_actor(), segment_id=last.public_id, place=1, now=NOW),
    ):
        with pytest.raises(LastSegmentStays):
            change()


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({}, "$"),
        (None, "$"),
        ([], "$"),
        ("remote", "$"),
        ({"attribute": "shoe_size", "op": "eq", "value": 1}, "$.attribute"),
        ({"attribute": "gender", "op": "eq", "value": "f"}, "$.attribute"),
        ({"all": [REMOTE, {"attribute": "weekly_hours", "op": "gte", "value": "many"}]}, "$.all[1].value"),
        ({"attribute": "weekly_hours", "op": "gte", "value": float("nan")}, "$.value"),
        ({"skill": 1}, "$"),
        ({"attribute": "skills", "op": "eq", "value": 2**31 - 1}, "$"),
        ({"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": REMOTE}}}}}}}}, None),
        ({"any": [REMOTE] * 65}, "$.any"),
    ],
)
def test_a_predicate_that_cannot_be_is_refused_by_its_path_and_nothing_is_stored(rule, path):
    segment = staff_creates("a")
    before = everything([Segment, Event])
    with pytest.raises(PredicateRefused) as refusal:
        staff_creates("b", rule)
    if path is not None:
        assert refusal.value.data["faults"][0]["path"] == path
    if rule is not None:
        with pytest.raises(PredicateRefused):
            change_segment(actor=a_staff_actor(), segment_id=segment.public_id, rule=rule, now=NOW)
    assert everything([Segment, Event]) == before


def test_only_staff_arrange_segments():
    segment, member = staff_creates("a"), an_organisation().actor
    before = everything([Segment, Event])
    for change in (
        lambda: create_segment(actor=member, name="b", rule=REMOTE, now=NOW),
        lambda: change_segment(actor=member, segment_id=segment.public_id, name="b", now=NOW),
        lambda: move_segment(actor=member, segment_id=segment.public_id, place=1, now=NOW),
    ):
        with pytest.raises(NotPermitted):
            change()
    with pytest.raises(NotFound):
        change_segment(actor=a_staff_actor(), segment_id=uuid4(), name="b", now=NOW)
    with pytest.raises(SegmentNameTaken):
        staff_creates("everything")
    for name in ("", " ", "x" * 81, "a\x00"):
        with pytest.raises(InvalidInput):
            staff_creates(name)
    assert everything([Segment])["Segment"] == before["Segment"]


# What has to be scored again


def marked() -> set[int]:
    """Which opportunities events have left to be scored since the worker was last done."""
    while deliver_due("rescoring", NOW):
        pass
    assert not Mark.objects.exists()
    waiting = Rescore.objects.filter(state="queued").first()
    return {row.pk for rows in affected(waiting.scopes, NOW).scored for row in rows} if waiting else set()


def test_a_change_has_exactly_those_scored_again_whose_model_is_another_then():
    skill = a_skill()
    remote, onsite = (asking_for(skill, arrangement=one) for one in ("remote", "onsite"))
    hybrid = asking_for(skill, arrangement="hybrid")
    skilled(skill)
    segment = staff_creates("remote work")
    work()
    assert marked() == set()

    a_model(segment, "for-remote-work", live=False)
    assert marked() == set(), "a draft serves nothing"
    promote_model(actor=Actor.system(), model_id=segment.models.get().public_id, now=NOW)
    assert marked() == {remote.pk}
    work()
    assert Match.objects.get(opportunity=remote).model.version == "for-remote-work"

    hybrid_or_remote = {"attribute": "arrangement", "op": "in", "value": ["hybrid", "remote"]}
    change_segment(actor=a_staff_actor(), segment_id=segment.public_id, rule=hybrid_or_remote, now=NOW)
    assert marked() == {hybrid.pk}
    change_segment(actor=a_staff_actor(), segment_id=segment.public_id, rule=REMOTE, now=NOW)
    assert marked() == set(), "back before any of it was scored"

    full_time = staff_creates("full time", {"attribute": "commitment", "op": "eq", "value": "full_time"}, place=1)
    a_model(full_time, "for-full-time")
    assert marked() == {remote.pk, onsite.pk, hybrid.pk}
    work()
    move_segment(actor=a_staff_actor(), segment_id=full_time.public_id, place=2, now=NOW)
    assert marked() == {remote.pk}
    work()
    roll_back_of = live_model()
    promote_model(actor=Actor.system(), model_id=a_model(roll_back_of.segment, "rest", live=False).public_id, now=NOW)
    assert marked() == set(), "the segments before it leave it nothing"
    retire_model(actor=Actor.system(), model_id=full_time.models.get().public_id, now=NOW)
    assert marked() == {onsite.pk, hybrid.pk}
    work()
    roll_back(actor=a_staff_actor(), segment_id=roll_back_of.segment.public_id, now=NOW)
    assert marked() == {onsite.pk, hybrid.pk}
    work()
    assert {match.model.version for match in Match.objects.exclude(opportunity=remote)} == {"linear-2"}


# Lists across opportunities


def test_recommendations_compare_models_of_different_calibrations_by_what_their_scores_stand_for():
    skill = a_skill()
    remote, onsite, hybrid = (asking_for(skill, arrangement=one) for one in ("remote", "onsite", "hybrid"))
    candidate = skilled(skill)
    definition = DEFAULT_MODEL.to_json() | {"version": "boastful", "calibration": "applied in 2026"}
    head = definition["heads"]["interest"]
    head["intercept"] += 50_000_000  # whose scores are far above the others', and stand for next to nothing
    head["curve"] = [[40_000_000, 1], [60_000_000, 2]]
    model = add_model(actor=Actor.system(), definition=definition, segment_id=a_segment(REMOTE).public_id, now=NOW)
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    found = recommendations_for(candidate, basics_at(NOW, serving_now()))
    assert [pk for *_, pk in found.standings][-1] == remote.pk
    assert {pk for *_, pk in found.standings} == {remote.pk, onsite.pk, hybrid.pk}
    rows = found.matches(found.standings)
    assert [row.unwanted for row in rows] == sorted(row.unwanted for row in rows)
    assert rows[-1].interest > rows[0].interest
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    found = recommendations_for(candidate, basics_at(NOW, serving_now()))
    assert {unwanted for unwanted, *_ in found.standings} == {0}, "one model: by its scores"
