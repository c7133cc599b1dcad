"""Runs: planned, explained, settled, committed against the truth, done again byte for byte."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from accounts.actions.deliveries import deliver_due
from accounts.actions.timers import fire_due
from accounts.core.actor import Actor
from accounts.errors import DomainError, IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event, Transition
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import accept_offer, decline_offer, send_offer
from marketplace.actions.opportunities import pause_opportunity
from marketplace.models import Application, Candidate, Offer, Opportunity, Seat
from matching.actions import allocation
from matching.actions.allocation import (
    commit_allocation,
    discard_allocation,
    exclude_proposal,
    pin_proposal,
    plan_allocation,
    replay,
    solve_run,
    verify_run,
)
from matching.errors import RunNotPlanned, RunTooOld
from matching.models import AllocationRun, Proposal
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    Recruiter,
    a_recruiter,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_organisation,
    everything,
    recruiter_of,
)
from tests.matching.staging import EUROS, asking_for, pairs, skilled, work

pytestmark = pytest.mark.django_db


def plan(by: Recruiter, **options) -> AllocationRun:
    """Planned and solved, after whatever happened before has reached the projections."""
    work()
    queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW, **options)
    return solve_run(queued.pk, NOW)


def commit(by: Recruiter, run: AllocationRun, **options) -> AllocationRun:
    return commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW, **options)


# Planning


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


# Settling


def test_pins_and_exclusions_carry_over_to_the_next_plan():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=2)
    weak = skilled(skill, 1)
    an_application(opportunity, weak)
    first = plan(by)
    pin_proposal(actor=by.actor, proposal_id=first.proposals.get(candidate=weak).public_id, now=NOW)
    strong = [skilled(skill, 5) for _ in range(3)]
    second = plan(by, previous_run_id=first.public_id)
    assert pairs(second, "pinned") == {(opportunity.pk, weak.pk)}
    chosen = second.proposals.get(state="proposed")
    assert chosen.candidate in strong
    exclude_proposal(actor=by.actor, proposal_id=chosen.public_id, now=NOW)
    third = plan(by, previous_run_id=second.public_id)
    assert pairs(third, "excluded") == {(opportunity.pk, chosen.candidate_id)}
    assert pairs(third, "pinned") == {(opportunity.pk, weak.pk)}
    assert third.proposals.get(state="proposed").candidate_id != chosen.candidate_id
    assert third.proposed == third.proposals.filter(state__in=["proposed", "pinned"]).count() == 2
    assert pairs(plan(by, previous_run_id=third.public_id), "excluded") == {(opportunity.pk, chosen.candidate_id)}


def test_a_pin_that_the_market_no_longer_bears_is_dropped_with_its_reason():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    candidate = skilled(skill)
    first = plan(by)
    pin_proposal(actor=by.actor, proposal_id=first.proposals.get().public_id, now=NOW)
    fields = CandidateFields(open_to_offers=False)
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)
    second = plan(by, previous_run_id=first.public_id)
    assert second.state == "planned"
    assert second.proposals.get().state == "dropped"
    assert second.proposals.get().reason


def test_proposals_are_settled_only_while_the_plan_lies_on_the_table():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill)
    run = plan(by)
    proposal = run.proposals.get()
    with pytest.raises(NotFound):
        pin_proposal(actor=an_organisation().actor, proposal_id=proposal.public_id, now=NOW)
    discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
    with pytest.raises(RunNotPlanned):
        pin_proposal(actor=by.actor, proposal_id=proposal.public_id, now=NOW)
    with pytest.raises(IllegalTransition):
        commit(by, run)
    assert not Offer.objects.exists()


# Committing


def test_committing_sends_offers_that_hold_seats():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=2)
    applicant, unasked = skilled(skill, open_to_offers=False), skilled(skill)
    an_application(opportunity, applicant)
    run = commit(by, plan(by, offers_expire_hours=24))
    assert (run.state, run.sent, run.dropped) == ("committed", 2, 0)
    assert {offer.candidate for offer in Offer.objects.live()} == {applicant, unasked}
    assert set(Offer.objects.values_list("kind", "expires_at")) == {("reserved", NOW + DAY)}
    assert set(Seat.objects.values_list("state", flat=True)) == {"held"}
    assert Application.objects.get(candidate=unasked).source == "allocation"
    assert {proposal.offer for proposal in run.proposals.filter(state="sent")} == set(Offer.objects.all())
    offer = Offer.objects.get(candidate=unasked)
    assert accept_offer(actor=actor_of(unasked), offer_id=offer.public_id, now=NOW).state == "accepted"
    for transition in Transition.objects.filter(subject_type__in=["allocationrun", "proposal"]):
        assert transition.event.aggregate_type == transition.subject_type


def test_committing_twice_is_refused_and_sends_nothing_more():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    skilled(skill)
    run = plan(by)
    commit(by, run)
    skilled(skill)
    with pytest.raises(IllegalTransition):
        commit(by, run)
    assert Offer.objects.count() == 1


def test_a_plan_that_is_too_old_is_refused_and_expires(settings):
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill)
    run = plan(by)
    late = NOW + timedelta(hours=25)
    with pytest.raises(RunTooOld):
        commit_allocation(actor=by.actor, run_id=run.public_id, now=late)
    assert not Offer.objects.exists()
    fire_due(late)
    run.refresh_from_db()
    assert run.state == "expired"


def test_a_part_of_a_plan_can_be_committed():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=3)
    for _ in range(3):
        skilled(skill)
    run = plan(by)
    one, two, three = run.proposals.all()
    exclude_proposal(actor=by.actor, proposal_id=two.public_id, now=NOW)
    with pytest.raises(InvalidInput):
        commit(by, run, proposal_ids=[two.public_id])
    with pytest.raises(NotFound):
        commit(by, run, proposal_ids=[uuid4()])
    assert commit(by, run, proposal_ids=[one.public_id]).sent == 1
    assert {row.pk: row.state for row in run.proposals.all()} == {
        one.pk: "sent",
        two.pk: "excluded",
        three.pk: "proposed",
    }


def leaves(candidate: Candidate, opportunity: Opportunity) -> None:
    fields = CandidateFields(open_to_offers=False)
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)


def loses_eligibility(candidate: Candidate, opportunity: Opportunity) -> None:
    update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(country="FR"), now=NOW
    )


def works_less(candidate: Candidate, opportunity: Opportunity) -> None:
    update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(weekly_hours=10), now=NOW
    )


def blocks(candidate: Candidate, opportunity: Opportunity) -> None:
    fields = CandidateFields(blocked_organisation_ids=[opportunity.posting_organisation.public_id])
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)


def is_suspended(candidate: Candidate, opportunity: Opportunity) -> None:
    Candidate.objects.filter(pk=candidate.pk).update(suspended_at=NOW)


def is_paused(candidate: Candidate, opportunity: Opportunity) -> None:
    pause_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)


def seat_goes(candidate: Candidate, opportunity: Opportunity) -> None:
    application = an_application(opportunity, skilled(opportunity.skills.get(), country="DE"))
    send_offer(actor=recruiter_of(opportunity), application_id=application.public_id, pay=EUROS, now=NOW)


@pytest.mark.parametrize("change", [leaves, loses_eligibility, works_less, blocks, is_suspended, is_paused, seat_goes])
def test_what_changed_since_the_plan_drops_its_proposal_and_no_other(change):
    by, skill = an_organisation(), a_skill()
    rule = {"attribute": "country", "op": "eq", "value": "DE"}
    changed, same = asking_for(skill, by, rule=rule), asking_for(skill, by, rule=rule)
    skilled(skill, country="DE")
    skilled(skill, country="DE")
    run = plan(by)
    dropped = run.proposals.get(opportunity=changed)
    change(dropped.candidate, changed)
    offers = Offer.objects.count()
    run = commit(by, run)
    assert (run.state, run.sent, run.dropped) == ("committed", 1, 1)
    dropped.refresh_from_db()
    assert dropped.state == "dropped"
    assert dropped.reason
    assert dropped.offer is None
    assert Offer.objects.count() == offers + 1
    assert Offer.objects.live().filter(opportunity=same).count() == 1


def test_whoever_dies_in_the_middle_of_a_commit_has_sent_nothing(monkeypatch):
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    skilled(skill)
    skilled(skill)
    run = plan(by)
    sending = allocation.committing.send_offer
    calls = []

    def dying(**options):
        calls.append(options)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return sending(**options)

    monkeypatch.setattr(allocation.committing, "send_offer", dying)
    with pytest.raises(KeyboardInterrupt):
        commit(by, run)
    assert not Offer.objects.exists()
    assert AllocationRun.objects.get(pk=run.pk).state == "planned"
    monkeypatch.undo()
    assert commit(by, run).sent == 2


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_two_who_commit_at_once_one_sends_and_the_other_is_refused():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=3)
    for _ in range(3):
        skilled(skill)
    run = plan(by)
    outcomes: list[str] = []
    barrier = Barrier(2)

    def committing():
        try:
            barrier.wait()
            outcomes.append(commit(by, run).state)
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=committing) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ILLEGAL_TRANSITION", "committed"]
    assert Offer.objects.count() == 3


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_runs_that_are_committed_at_once_never_offer_to_one_person_twice():
    skill = a_skill()
    first, second = an_organisation(), an_organisation()
    for by in (first, second):
        asking_for(skill, by, seats=4, weekly_hours=10)
    for _ in range(4):
        skilled(skill)
    runs = [(by, plan(by)) for by in (first, second)]
    barrier = Barrier(2)

    def committing(by, run):
        try:
            barrier.wait()
            commit(by, run)
        finally:
            connections.close_all()

    threads = [Thread(target=committing, args=one) for one in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    offered = list(Offer.objects.live().values_list("candidate", flat=True))
    assert len(offered) == len(set(offered)) == 4
    assert sum(AllocationRun.objects.values_list("sent", flat=True)) == 4
    assert Proposal.objects.filter(state="dropped").count() == 4


# Replay


def test_a_stored_run_recomputes_byte_for_byte_and_proves_itself():
    by, skill = an_organisation(), a_skill()
    for level in (1, 2, 3):
        asking_for(skill, by, level=level, seats=2)
    for number in range(8):
        skilled(skill, 1 + number % 5)
    run = AllocationRun.objects.get(pk=plan(by).pk)
    assert replay(run).identical
    certificate = verify_run(run)
    assert certificate.optimal
    assert (certificate.value, certificate.bound) == (run.value, run.bound)
    Candidate.objects.update(suspended_at=NOW)
    assert replay(AllocationRun.objects.get(pk=run.pk)).identical


def test_a_run_that_was_tampered_with_does_not_pass():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5)
    skilled(skill, 1)
    run = plan(by)
    honest = copy.deepcopy(run.solution)
    run.solution = {**honest, "value": honest["value"] + 1}
    assert replay(run).differences == ("value",)
    assert not verify_run(run).valid
    run.solution = honest
    run.snapshot = {**run.snapshot, "model": "another"}
    assert replay(run).differences == ("snapshot",)


def test_a_run_without_a_solution_says_why_it_cannot_be_replayed():
    by = an_organisation()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    assert not replay(run).identical
    assert "queued" in (replay(run).not_replayable or "")


def test_a_snapshot_holds_no_personal_value():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5, name="Zaphod", headline="President", years_experience=Decimal("77.5"))
    run = plan(by)
    text = str(run.snapshot)
    assert "Zaphod" not in text
    assert "President" not in text
    assert "77.5" not in text


def test_whoever_is_pinned_to_two_opportunities_is_offered_one():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by), asking_for(skill, by)
    person = skilled(skill, 5)
    first = plan(by)
    exclude_proposal(actor=by.actor, proposal_id=first.proposals.get().public_id, now=NOW)
    second = plan(by, previous_run_id=first.public_id)
    excluded = second.proposals.get(state="excluded")
    pin_proposal(actor=by.actor, proposal_id=excluded.public_id, now=NOW)
    assert second.proposals.filter(state__in=["proposed", "pinned"]).count() == 2
    run = commit(by, second)
    assert (run.sent, run.dropped) == (1, 1)
    assert person.offers.count() == 1


def test_totals_of_a_committed_run_are_those_of_its_proposals():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5)
    run = commit(by, plan(by))
    with pytest.raises(IntegrityError, match="totals differ"), transaction.atomic():
        AllocationRun.objects.filter(pk=run.pk).update(sent=2)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        run.proposals.update(state="excluded", offer=None)
