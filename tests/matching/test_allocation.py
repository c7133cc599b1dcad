"""Plans are settled by hand, and committed against the truth."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from accounts.actions.timers import fire_due
from accounts.errors import DomainError, IllegalTransition, InvalidInput, NotFound
from accounts.models import Transition
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import pause_opportunity
from marketplace.models import Application, Candidate, Offer, Opportunity, Seat
from matching.actions import allocation
from matching.actions.allocation import (
    commit_allocation,
    discard_allocation,
    exclude_proposal,
    pin_proposal,
)
from matching.errors import RunNotPlanned, RunTooOld
from matching.models import AllocationRun, Proposal
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    recruiter_of,
)
from tests.matching.staging import EUROS, asking_for, commit, pairs, plan, skilled

pytestmark = pytest.mark.django_db


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
