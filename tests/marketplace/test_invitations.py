"""Inviting, and answering."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.actions.timers import fire_due
from accounts.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event, Timer
from marketplace.actions.invitations import (
    accept_invitation,
    decline_invitation,
    expire_invitation,
    invite_candidate,
    withdraw_invitation,
)
from marketplace.actions.opportunities import close_opportunity
from marketplace.errors import (
    AlreadyApplied,
    AlreadyInvited,
    InvitationOver,
    NotEligible,
    OpportunityNotOpen,
    OrganisationBlocked,
)
from marketplace.models import Application, Invitation
from tests.marketplace.factories import (
    DAY,
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
    everything,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

WRITTEN = (Invitation, Application, Event, Timer)


def answer(action: Any, invitation: Invitation, **more: Any) -> Any:
    more.setdefault("actor", actor_of(invitation.candidate))
    more.setdefault("now", NOW)
    return action(invitation_id=invitation.public_id, **more)


def test_accepting_is_applying() -> None:
    invitation = an_invitation(a_published_opportunity(visibility="invited"))

    application = answer(accept_invitation, invitation)

    invitation.refresh_from_db()
    assert (invitation.state, application.source, application.invitation) == ("accepted", "invitation", invitation)
    assert not Timer.objects.filter(kind="invitation_expiry").exists()


def test_applying_accepts_the_invitation() -> None:
    invitation = an_invitation()

    an_application(invitation.opportunity, invitation.candidate)

    invitation.refresh_from_db()
    assert invitation.state == "accepted"


def test_the_invited_must_be_eligible_too() -> None:
    rule = {"attribute": "years_experience", "op": "gte", "value": 5}
    invitation = an_invitation(a_published_opportunity(rule=rule), a_candidate(years_experience=Decimal(1)))
    before = everything(WRITTEN)

    with pytest.raises(NotEligible):
        answer(accept_invitation, invitation)

    assert everything(WRITTEN) == before


def test_one_live_invitation_a_pair_and_none_beside_an_application() -> None:
    invitation, application = an_invitation(), an_application()
    before = everything(WRITTEN)

    with pytest.raises(AlreadyInvited):
        an_invitation(invitation.opportunity, invitation.candidate)
    with pytest.raises(AlreadyApplied):
        an_invitation(application.opportunity, application.candidate)

    assert everything(WRITTEN) == before


def test_whoever_declined_may_be_asked_again() -> None:
    invitation = an_invitation()
    assert answer(decline_invitation, invitation).state == "declined"
    with pytest.raises(IllegalTransition):
        answer(accept_invitation, invitation)

    an_invitation(invitation.opportunity, invitation.candidate)


def test_an_invitation_expires() -> None:
    invitation = an_invitation()
    later = NOW + 7 * DAY
    with pytest.raises(InvitationOver):
        answer(accept_invitation, invitation, now=later)

    assert fire_due(later) == 1
    expire_invitation(invitation.pk, later)

    invitation.refresh_from_db()
    assert invitation.state == "expired"
    assert Event.objects.filter(name="InvitationExpired").count() == 1


def test_one_that_has_run_out_does_not_stand_in_the_way_of_another() -> None:
    invitation = an_invitation()

    an_invitation(invitation.opportunity, invitation.candidate, now=NOW + 8 * DAY)

    invitation.refresh_from_db()
    assert invitation.state == "expired"


def test_only_open_opportunities_invite() -> None:
    opportunity, candidate = a_published_opportunity(), a_candidate()
    close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)

    for one in (opportunity, a_draft()):
        with pytest.raises(OpportunityNotOpen):
            an_invitation(one, candidate)


@pytest.mark.parametrize("wrong", [{"message": "x" * 2001}, {"expires_at": NOW}, {"expires_at": NOW + 91 * DAY}])
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    opportunity, candidate = a_published_opportunity(), a_candidate()
    ids = {"opportunity_id": opportunity.public_id, "candidate_id": candidate.public_id}
    before = everything(WRITTEN)
    with pytest.raises(InvalidInput):
        invite_candidate(actor=recruiter_of(opportunity), **ids, **wrong, now=NOW)
    assert everything(WRITTEN) == before


def test_only_those_who_can_be_found_are_invited() -> None:
    works = an_organisation()
    opportunity = a_published_opportunity(works)
    blocking = a_candidate(blocked_organisation_ids=[works.organisation.public_id])
    for candidate_id in (a_candidate(discoverable=False).public_id, blocking.public_id, uuid4()):
        with pytest.raises(NotFound):
            invite_candidate(
                actor=works.actor, opportunity_id=opportunity.public_id, candidate_id=candidate_id, now=NOW
            )
    with pytest.raises(OrganisationBlocked):
        invite_candidate(
            actor=a_staff_actor(),
            opportunity_id=opportunity.public_id,
            candidate_id=blocking.public_id,
            now=NOW,
        )


def test_only_the_invited_answer_and_only_the_organisation_withdraws() -> None:
    invitation = an_invitation()

    with pytest.raises(NotFound):
        answer(accept_invitation, invitation, actor=actor_of(a_candidate()))
    with pytest.raises(NotPermitted):
        answer(accept_invitation, invitation, actor=recruiter_of(invitation.opportunity))
    with pytest.raises(NotFound):
        answer(withdraw_invitation, invitation, actor=a_recruiter().actor)
    with pytest.raises(NotPermitted):
        answer(withdraw_invitation, invitation)
    withdrawn = answer(withdraw_invitation, invitation, actor=recruiter_of(invitation.opportunity))
    assert withdrawn.state == "withdrawn"
