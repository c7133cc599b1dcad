"""Runs are planned: who may be given which seat, and why seats stay empty."""

from __future__ import annotations

import pytest

from accounts.actions.deliveries import deliver_due
from accounts.core.actor import Actor
from accounts.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import decline_offer, send_offer
from marketplace.models import Offer
from matching.actions.allocation import (
    plan_allocation,
    replay,
    solve_run,
)
from matching.models import AllocationRun
from tests.marketplace.factories import (
    HOUR,
    NOW,
    a_recruiter,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_organisation,
    everything,
)
from tests.matching.staging import EUROS, asking_for, commit, pairs, plan, skilled, work

pytestmark = pytest.mark.django_db


def test_open_seats_go_to_whoever_suits_them():
    by, weld, sew = an_organisation(), a_skill(), a_skill()
    welding, sewing = asking_for(weld, by), asking_for(sew, by)
    welder, tailor = skilled(weld, 5), skilled(sew, 5)
    run = plan(by)
    assert run.state == "planned"
    assert pairs(run) == {(welding.pk, welder.pk), (sewing.pk, tailor.pk)}
    assert (run.seats, run.proposed, run.gap, run.diagnosis) == (2, 2, 0, [])
    assert run.value == run.bound == sum(run.proposals.values_list("value", flat=True))
    for proposal in run.proposals.all():
        assert proposal.fit == sum(part["amount"] for part in proposal.contributions)


def test_a_queued_run_is_delivered_to_the_solver_once():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill)
    work()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    assert run.state == "queued"
    assert deliver_due("allocation", NOW) == 1
    run.refresh_from_db()
    assert run.state == "planned"
    planned = run.planned_at
    assert solve_run(run.pk, NOW + HOUR).planned_at == planned


def test_whoever_is_not_open_to_offers_is_proposed_only_if_they_applied():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=5)
    skilled(skill, open_to_offers=False)
    skilled(skill, discoverable=False)
    applicant = skilled(skill, open_to_offers=False)
    application = an_application(opportunity, applicant)
    run = plan(by)
    assert pairs(run) == {(opportunity.pk, applicant.pk)}
    assert run.proposals.get().application == application


def test_the_unknown_the_busy_the_blocking_and_the_unwanted_are_not_proposed():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=9, rule={"attribute": "country", "op": "eq", "value": "DE"})
    skilled(skill)  # country not known
    skilled(skill, country="DE", weekly_hours=20)  # too few hours
    skilled(skill, country="DE", blocked_organisation_ids=[by.organisation.public_id])
    unwanted = skilled(skill, country="DE")
    group = standard_group(actor=by.actor, organisation_id=by.organisation.public_id, kind="do_not_rehire")
    add_to_group(actor=by.actor, group_id=group.public_id, candidate_id=unwanted.public_id, now=NOW)
    good = skilled(skill, country="DE")
    assert pairs(plan(by)) == {(opportunity.pk, good.pk)}


def test_whoever_holds_an_offer_from_an_allocation_gets_no_second_one():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, weekly_hours=10)
    candidate = skilled(skill)
    commit(by, plan(by))
    asking_for(skill, by, weekly_hours=10)
    assert not pairs(plan(by))
    assert Offer.objects.get().candidate == candidate


def test_whoever_declined_is_not_asked_again():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    candidate = skilled(skill)
    commit(by, plan(by))
    decline_offer(actor=actor_of(candidate), offer_id=Offer.objects.get().public_id, now=NOW)
    assert not pairs(plan(by))


def test_seats_that_open_calls_are_expected_to_fill_are_left_to_them():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=3)
    called = [skilled(skill, 5, open_to_offers=False) for _ in range(4)]
    for candidate in called:
        application = an_application(opportunity, candidate)
        send_offer(actor=by.actor, application_id=application.public_id, kind="open_call", pay=EUROS, now=NOW)
    for _ in range(5):
        skilled(skill, 5)
    run = plan(by)
    expected = run.snapshot["open_calls"][str(opportunity.pk)]
    assert 0 < expected < 3
    assert run.seats == 3 - expected == len(pairs(run))


def test_a_candidate_is_proposed_to_one_opportunity_at_most():
    by, skill = an_organisation(), a_skill()
    for _ in range(3):
        asking_for(skill, by, weekly_hours=5)
    skilled(skill)
    assert len(pairs(plan(by))) == 1


def test_empty_seats_are_explained():
    by, skill = an_organisation(), a_skill()
    nobody = asking_for(skill, by, title="Night shift", rule={"attribute": "country", "op": "eq", "value": "FR"})
    scarce = asking_for(skill, by, seats=3)
    skilled(skill, country="DE")
    causes = {one["opportunity"]: one for one in plan(by).diagnosis}
    assert causes[nobody.pk]["cause"] == "nobody_passes"
    assert causes[nobody.pk]["criterion"]["gain"] == 1
    assert "Night shift" in causes[nobody.pk]["sentence"]
    assert causes[scarce.pk]["cause"] == "competition"
    assert causes[scarce.pk]["public_ids"] == [str(scarce.public_id)]


def test_a_run_may_be_narrowed_to_some_opportunities():
    by, skill = an_organisation(), a_skill()
    one, _ = asking_for(skill, by), asking_for(skill, by)
    for _ in range(3):
        skilled(skill)
    assert {pair[0] for pair in pairs(plan(by, opportunity_ids=[one.public_id]))} == {one.pk}


def test_staff_plan_the_whole_market_and_members_only_their_own():
    skill = a_skill()
    opportunities = [asking_for(skill) for _ in range(2)]
    for _ in range(3):
        skilled(skill)
    work()
    run = solve_run(plan_allocation(actor=a_staff_actor(), now=NOW).pk, NOW)
    assert {pair[0] for pair in pairs(run)} == {one.pk for one in opportunities}
    before = everything([AllocationRun, Event])
    by = an_organisation()
    for actor, options, refusal in (
        (by.actor, {}, NotPermitted),
        (Actor.anonymous(), {}, NotPermitted),
        (by.actor, {"organisation_id": opportunities[0].posting_organisation.public_id}, NotFound),
        (a_recruiter(by, role="observer").actor, {"organisation_id": by.organisation.public_id}, NotPermitted),
        (
            by.actor,
            {"organisation_id": by.organisation.public_id, "opportunity_ids": [opportunities[0].public_id]},
            NotFound,
        ),
        (by.actor, {"organisation_id": by.organisation.public_id, "previous_run_id": run.public_id}, NotFound),
    ):
        with pytest.raises(refusal):
            plan_allocation(actor=actor, now=NOW, **options)
    with pytest.raises(InvalidInput) as refused:
        plan_allocation(
            actor=a_staff_actor(), organisation_id=by.organisation.public_id, previous_run_id=run.public_id, now=NOW
        )
    assert refused.value.data["field"] == "previousRunId"
    assert len(everything([AllocationRun])["AllocationRun"]) == len(before["AllocationRun"])


@pytest.mark.parametrize(
    "options",
    [
        {"policy": {"quality": 500, "fill": 500, "speed": 500}},
        {"policy": {"quality": 1100, "fill": -100, "speed": 0}},
        {"policy": {"quality": 0.5, "fill": 0.3, "speed": 0.2}},
        {"policy": {"quality": True, "fill": 999, "speed": 0}},
        {"policy": {"quality": 1000}},
        {"offers_expire_hours": 0},
        {"offers_expire_hours": 10_000},
    ],
)
def test_a_policy_that_is_none_is_refused(options):
    by = an_organisation()
    with pytest.raises(InvalidInput):
        plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW, **options)
    assert not AllocationRun.objects.exists()


def test_a_market_without_seats_or_people_is_a_plan_all_the_same():
    by = an_organisation()
    run = plan(by)
    assert (run.state, run.seats, run.proposed, run.gap) == ("planned", 0, 0, 0)
    asking_for(a_skill(), by)
    run = plan(by)
    assert (run.seats, run.proposed) == (1, 0)
    assert replay(run).identical
    assert commit(by, run).state == "committed"


def test_a_run_that_cannot_be_solved_fails_and_names_nobody(monkeypatch):
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    candidate = skilled(skill, name="Very Private")

    def broken(problem, **options):
        raise RuntimeError(f"{candidate.name} broke it")

    monkeypatch.setattr("matching.actions.allocation.solving.solve", broken)
    run = plan(by)
    assert (run.state, run.error) == ("failed", "RuntimeError")
    assert not run.proposals.exists()
    with pytest.raises(IllegalTransition):
        commit(by, run)
