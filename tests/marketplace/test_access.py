"""Who sees what. Absent and forbidden look alike."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.core.actor import Actor
from accounts.errors import LoginRequired, NotFound, NotPermitted
from marketplace.access import (
    access_application,
    access_candidate,
    access_invitation,
    access_offer,
    access_opportunity,
    access_placement,
    contacts_open,
    contacts_open_to,
    kind_for,
    own_candidate,
    visible_applications,
    visible_candidates,
    visible_invitations,
    visible_offers,
    visible_opportunities,
    visible_placements,
)
from marketplace.actions.applications import open_application, withdraw_application
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.invitations import accept_invitation, decline_invitation
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import close_opportunity
from marketplace.core.money import Pay
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_staff_actor,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

ANYBODY = Actor.anonymous()


def test_anybody_sees_what_is_public_and_nothing_else() -> None:
    public, unlisted = a_published_opportunity(), a_published_opportunity(visibility="unlisted")
    invited, draft = a_published_opportunity(visibility="invited"), a_draft()

    assert list(visible_opportunities(ANYBODY)) == [public]
    assert access_opportunity(ANYBODY, unlisted.public_id) == unlisted  # who has the address
    for hidden in (invited.public_id, draft.public_id, uuid4(), "nonsense"):
        with pytest.raises(NotFound):
            access_opportunity(ANYBODY, hidden)  # type: ignore[arg-type]


def test_a_suspended_organisation_vanishes() -> None:
    opportunity = a_published_opportunity(visibility="unlisted")
    opportunity.posting_organisation.suspended_at = NOW
    opportunity.posting_organisation.save()

    with pytest.raises(NotFound):
        access_opportunity(ANYBODY, opportunity.public_id)


def test_members_see_all_of_their_organisation_and_observers_only_read() -> None:
    works = an_organisation()
    draft, observer = a_draft(works), a_recruiter(works, role="observer").actor
    application = an_application(a_published_opportunity(works))

    assert access_opportunity(observer, draft.public_id) == draft
    assert access_application(observer, application.public_id) == application
    with pytest.raises(NotPermitted):
        access_opportunity(observer, draft.public_id, to="manage")
    with pytest.raises(NotPermitted):
        access_application(observer, application.public_id, to="manage")


def test_the_invited_and_the_applicants_keep_seeing_their_opportunity() -> None:
    opportunity = a_published_opportunity(visibility="invited")
    invitation = an_invitation(opportunity)
    person = actor_of(invitation.candidate)
    assert list(visible_opportunities(person)) == [opportunity]

    accept_invitation(actor=person, invitation_id=invitation.public_id, now=NOW)
    close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)

    assert access_opportunity(person, opportunity.public_id).state == "closed"


def test_whoever_declined_no_longer_sees_what_was_for_the_invited() -> None:
    invitation = an_invitation(a_published_opportunity(visibility="invited"))
    decline_invitation(actor=actor_of(invitation.candidate), invitation_id=invitation.public_id, now=NOW)

    with pytest.raises(NotFound):
        access_opportunity(actor_of(invitation.candidate), invitation.opportunity.public_id)


def test_what_is_between_two_is_seen_by_these_two_and_staff() -> None:
    opportunity = a_published_opportunity()
    application = an_application(opportunity)
    invitation = an_invitation(opportunity)
    offer = send_offer(
        actor=recruiter_of(opportunity),
        application_id=application.public_id,
        pay=Pay(Decimal(25), "EUR", "hour"),
        now=NOW,
    )
    accept_offer(actor=actor_of(application.candidate), offer_id=offer.public_id, now=NOW)
    placement = offer.candidate.placements.get()
    rows = [
        (access_application, visible_applications, application),
        (access_offer, visible_offers, offer),
        (access_placement, visible_placements, placement),
        (access_invitation, visible_invitations, invitation),
    ]
    for access, visible, row in rows:
        person, member, staff = actor_of(row.candidate), recruiter_of(opportunity), a_staff_actor()
        for actor, kind in ((person, "candidate"), (member, "member"), (staff, "staff"), (Actor.system(), "system")):
            assert access(actor, row.public_id) == row
            assert list(visible(actor)) == [row]
            assert kind_for(actor, row) == kind
        for stranger in (actor_of(a_candidate()), a_recruiter().actor, ANYBODY):
            with pytest.raises(NotFound):
                access(stranger, row.public_id)
            assert list(visible(stranger)) == []
        assert access(person, row.public_id, to="own", lock=True) == row
        assert access(member, row.public_id, to="manage", lock=True) == row
        with pytest.raises(NotPermitted):
            access(member, row.public_id, to="own")
        with pytest.raises(NotPermitted):
            access(person, row.public_id, to="manage")


def test_candidates_are_found_by_members_only_and_only_if_they_want() -> None:
    open_one, shy = a_candidate(), a_candidate(discoverable=False)
    recruiter = a_recruiter().actor

    assert set(visible_candidates(recruiter)) == {open_one}
    assert list(visible_candidates(actor_of(shy))) == [shy]
    assert not visible_candidates(ANYBODY).exists()
    assert set(visible_candidates(a_staff_actor())) == {open_one, shy}


def test_applicants_are_seen_though_they_are_not_discoverable() -> None:
    opportunity, shy = a_published_opportunity(), a_candidate(discoverable=False)
    an_application(opportunity, shy)

    assert access_candidate(recruiter_of(opportunity), shy.public_id) == shy
    with pytest.raises(NotFound):
        access_candidate(a_recruiter().actor, shy.public_id)


def test_a_blocked_organisation_does_not_see_the_candidate_and_another_of_the_same_recruiter_does() -> None:
    works, other = an_organisation(), an_organisation()
    candidate = a_candidate(blocked_organisation_ids=[works.organisation.public_id])
    assert not visible_candidates(works.actor).exists()

    from accounts.actions.organisations import invite_member

    invite_member(
        actor=other.actor,
        organisation_id=other.organisation.public_id,
        email=works.user.email,
        role="recruiter",
        now=NOW,
    )
    assert list(visible_candidates(works.actor)) == [candidate]


def test_contacts_open_when_the_candidate_turns_to_the_organisation() -> None:
    opportunity = a_published_opportunity()
    recruiter, stranger = recruiter_of(opportunity), a_recruiter().actor
    invitation = an_invitation(opportunity)
    candidate = invitation.candidate

    assert not contacts_open_to(recruiter, candidate)  # being asked opens nothing
    with pytest.raises(NotPermitted):
        access_candidate(recruiter, candidate.public_id, to="contact")
    application = accept_invitation(actor=actor_of(candidate), invitation_id=invitation.public_id, now=NOW)

    for actor, is_open in ((recruiter, True), (stranger, False), (actor_of(candidate), True), (ANYBODY, False)):
        assert contacts_open_to(actor, candidate) is is_open
    assert contacts_open_to(a_staff_actor(), candidate)
    withdraw_application(actor=actor_of(candidate), application_id=application.public_id, now=NOW)
    assert contacts_open_to(recruiter, candidate)
    fields = CandidateFields(blocked_organisation_ids=[opportunity.posting_organisation.public_id])
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)
    assert not contacts_open_to(recruiter, candidate)


def test_an_offer_unasked_for_opens_contacts_only_when_accepted() -> None:
    opportunity, candidate = a_published_opportunity(), a_candidate(open_to_offers=True)
    recruiter = recruiter_of(opportunity)
    application = open_application(
        opportunity_pk=opportunity.pk,
        candidate_pk=candidate.pk,
        actor=recruiter,
        by=kind_for(recruiter, opportunity),
        now=NOW,
    )
    offer = send_offer(
        actor=recruiter, application_id=application.public_id, pay=Pay(Decimal(25), "EUR", "hour"), now=NOW
    )
    assert not contacts_open_to(recruiter, candidate)
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
    assert contacts_open_to(recruiter, candidate)


def test_lists_take_the_same_number_of_queries_however_long(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    opportunity = a_published_opportunity()
    recruiter = recruiter_of(opportunity)
    for wanted in (1, 5):
        while visible_applications(recruiter).count() < wanted:
            an_application(opportunity)
        with django_assert_num_queries(5):
            ids = [candidate.pk for candidate in visible_candidates(recruiter)]
            assert contacts_open(recruiter, ids) == set(ids)
            assert len(visible_applications(recruiter)) == wanted
            assert list(visible_invitations(recruiter)) == []
            assert list(visible_opportunities(recruiter)) == [opportunity]


def test_ones_own_profile() -> None:
    candidate = a_candidate()
    assert own_candidate(actor_of(candidate)) == candidate
    with pytest.raises(NotFound):
        own_candidate(a_recruiter().actor)
    with pytest.raises(LoginRequired):
        own_candidate(ANYBODY)
