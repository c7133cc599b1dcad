"""What came of dealing with a person: told by what they did, and by nothing that was done to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.actions.applications import withdraw_application
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.invitations import (
    accept_invitation,
    decline_invitation,
    expire_invitation,
    withdraw_invitation,
)
from marketplace.actions.offers import decline_offer, expire_offer, withdraw_offer
from marketplace.actions.placements import (
    cancel_placement,
    complete_placement,
    end_placement,
    report_no_show,
    start_placement,
)
from marketplace.models import Candidate, Invitation, Offer
from marketplace.queries.facts import facts_of
from matching.core.facts import CandidateFacts
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    actor_of,
    an_application,
    an_invitation,
    recruiter_of,
)
from tests.marketplace.test_offers import accept, an_offer

pytestmark = pytest.mark.django_db
LATER = NOW + 3 * DAY


def record(candidate: Candidate) -> CandidateFacts:
    return facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk]


def rates(candidate: Candidate) -> dict[str, tuple[int, int]]:
    facts = record(candidate)
    return {
        "invitations": (facts.invitations_answered, facts.invitations_received),
        "offers": (facts.offers_accepted, facts.offers_decided),
        "placements": (facts.placements_completed, facts.placements_over),
    }


NOTHING = {"invitations": (0, 0), "offers": (0, 0), "placements": (0, 0)}


def test_who_is_new_has_no_record_but_that_they_came() -> None:
    candidate = a_candidate()
    assert rates(candidate) == NOTHING
    assert record(candidate).last_active_on == NOW.date()
    assert record(candidate).worked_for == frozenset()


def test_an_invitation_counts_once_it_is_answered_or_has_run_out() -> None:
    candidate = a_candidate()
    for answer in (None, "withdraw", "accept", "decline", "expire"):
        invitation = an_invitation(candidate=candidate)
        answered = {"invitation_id": invitation.public_id, "now": NOW}
        match answer:
            case "withdraw":
                withdraw_invitation(actor=recruiter_of(invitation.opportunity), **answered)
            case "accept":
                accept_invitation(actor=actor_of(candidate), **answered)
            case "decline":
                decline_invitation(actor=actor_of(candidate), **answered)
            case "expire":
                expire_invitation(invitation.pk, NOW + timedelta(days=30))
    assert rates(candidate) == NOTHING | {"invitations": (2, 3)}


def test_an_offer_counts_once_it_is_decided_and_not_when_it_is_taken_back() -> None:
    candidate = a_candidate()
    offers = [an_offer(an_application(candidate=candidate)) for _ in range(5)]
    accept(offers[0], NOW)
    decline_offer(actor=actor_of(candidate), offer_id=offers[1].public_id, now=NOW)
    expire_offer(offers[2].pk, NOW + timedelta(days=30))
    withdraw_offer(actor=recruiter_of(offers[3].opportunity), offer_id=offers[3].public_id, now=NOW)
    assert rates(candidate) == NOTHING | {"offers": (1, 3)}


def test_who_said_yes_when_the_seats_had_gone_said_yes() -> None:
    opportunity = a_published_opportunity()
    first, late = (an_offer(an_application(opportunity), kind=Offer.Kind.OPEN_CALL) for _ in range(2))
    accept(first)
    accept(late)
    assert Offer.objects.get(pk=late.pk).state == "overtaken"
    assert rates(late.candidate) == NOTHING | {"offers": (1, 1)}


def a_placement(candidate: Candidate):
    return accept(an_offer(an_application(candidate=candidate)), NOW).placement


def test_a_placement_counts_when_it_ran_its_course_or_the_person_ended_it() -> None:
    candidate = a_candidate()
    mine = actor_of(candidate)
    completed, ended, cancelled, missed = (a_placement(candidate) for _ in range(4))
    dismissed, dropped = (a_placement(candidate) for _ in range(2))
    a_placement(candidate)  # goes on
    for placement in (completed, ended, dismissed):
        start_placement(actor=recruiter_of(placement.opportunity), placement_id=placement.public_id, now=NOW)
    complete_placement(actor=recruiter_of(completed.opportunity), placement_id=completed.public_id, now=NOW)
    end_placement(actor=mine, placement_id=ended.public_id, reason="moved away", now=NOW)
    cancel_placement(actor=mine, placement_id=cancelled.public_id, reason="found another", now=NOW)
    report_no_show(actor=recruiter_of(missed.opportunity), placement_id=missed.public_id, reason="absent", now=NOW)
    end_placement(actor=recruiter_of(dismissed.opportunity), placement_id=dismissed.public_id, reason="budget", now=NOW)
    cancel_placement(actor=recruiter_of(dropped.opportunity), placement_id=dropped.public_id, reason="budget", now=NOW)

    assert rates(candidate)["placements"] == (1, 4)
    opportunity = completed.opportunity
    assert record(candidate).worked_for == {opportunity.posting_organisation_id, opportunity.hiring_organisation_id}


@pytest.mark.parametrize("what", ["update", "apply", "accept invitation", "decline invitation", "accept", "decline"])
def test_whatever_they_do_themselves_shows_that_they_are_there(what: str) -> None:
    candidate = a_candidate()
    mine = actor_of(candidate)
    if "invitation" in what:
        invitation = an_invitation(candidate=candidate)
        answer = accept_invitation if what.startswith("accept") else decline_invitation
        answer(actor=mine, invitation_id=invitation.public_id, now=LATER)
    elif what == "update":
        update_candidate(actor=mine, candidate_id=candidate.public_id, fields=CandidateFields(headline="x"), now=LATER)
    elif what == "apply":
        an_application(candidate=candidate, now=LATER)
    else:
        offer = an_offer(an_application(candidate=candidate), expires_at=NOW + 9 * DAY)
        if what == "accept":
            accept(offer, LATER)
        else:
            decline_offer(actor=mine, offer_id=offer.public_id, now=LATER)
    assert record(candidate).last_active_on == LATER.date()


def test_what_others_do_shows_nothing_of_the_person() -> None:
    candidate = a_candidate()
    expire_invitation(an_invitation(candidate=candidate).pk, NOW + timedelta(days=30))
    offer = an_offer(an_application(candidate=candidate))
    withdraw_offer(actor=recruiter_of(offer.opportunity), offer_id=offer.public_id, now=LATER)
    expire_offer(an_offer(an_application(candidate=candidate)).pk, NOW + timedelta(days=30))
    assert record(candidate).last_active_on == NOW.date()


def test_withdrawing_an_application_with_an_offer_declines_it() -> None:
    offer = an_offer()
    withdraw_application(actor=actor_of(offer.candidate), application_id=offer.application.public_id, now=LATER)
    assert rates(offer.candidate) == NOTHING | {"offers": (0, 1)}


def test_when_an_invitation_was_answered_is_kept_only_of_answers() -> None:
    invitation = an_invitation()
    withdraw_invitation(actor=recruiter_of(invitation.opportunity), invitation_id=invitation.public_id, now=NOW)
    assert Invitation.objects.get().answered_at is None
