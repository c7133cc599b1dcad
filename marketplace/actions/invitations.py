"""Invitations: asking somebody to apply."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actions.events import append
from accounts.actions.timers import cancel_timer, set_timer
from accounts.actions.transitions import move
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.machine import decide
from accounts.core.text import clean_text
from accounts.errors import InvalidInput
from marketplace.access import access_candidate, access_invitation, access_opportunity, keep_opportunity, kind_for
from marketplace.actions import checks
from marketplace.actions.applications import submit
from marketplace.actions.refusals import remembering_refusals
from marketplace.actions.standing import check_open, check_relation
from marketplace.core.workflow import INVITATION, InvitationState
from marketplace.errors import AlreadyApplied, AlreadyInvited, InvitationOver
from marketplace.models import Application, Invitation, Opportunity

EXPIRY = "invitation_expiry"
DEFAULT_LIFE = timedelta(days=7)
LONGEST_LIFE = timedelta(days=90)


def invite_candidate(
    *,
    actor: Actor,
    opportunity_id: UUID,
    candidate_id: UUID,
    message: str = "",
    expires_at: datetime | None = None,
    now: datetime,
) -> Invitation:
    """Ask somebody to apply, within seven days if nothing else is said.

    Raises InvalidInput, OpportunityNotOpen, AlreadyInvited, AlreadyApplied, CandidateSuspended, OrganisationBlocked,
    NotConsidered, NotFound, NotPermitted.
    """
    message = clean_text(message, field="message", max_length=2000)
    expires_at = now + DEFAULT_LIFE if expires_at is None else checks.instant(expires_at, field="expiresAt")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidInput("expiresAt", f"must be in the future, at most {LONGEST_LIFE.days} days ahead")
    with transaction.atomic():
        seen = access_opportunity(actor, opportunity_id, to="manage")
        keep_opportunity(seen.pk)
        opportunity = Opportunity.objects.select_related("posting_organisation").get(pk=seen.pk)
        check_open(opportunity, now)
        candidate = access_candidate(actor, candidate_id)
        check_relation(opportunity, candidate)
        if Application.objects.live().filter(opportunity=opportunity, candidate=candidate).exists():
            raise AlreadyApplied
        stale = Invitation.objects.live().filter(opportunity=opportunity, candidate=candidate, expires_at__lte=now)
        for over in stale.select_for_update(no_key=True):  # the timer is about to find it, too
            _end(over, "expire", actor=Actor.system(), by=ActorKind.SYSTEM, now=now)
        with refusing({"one_live_invitation_per_pair": AlreadyInvited}):
            invitation = Invitation.objects.create(
                opportunity=opportunity,
                candidate=candidate,
                invited_by_id=actor.user_id,
                message=message,
                expires_at=expires_at,
                created_at=now,
            )
        set_timer(EXPIRY, invitation.pk, expires_at)
        by = kind_for(actor, opportunity)
        append(invitation, "InvitationSent", actor=actor, by=by, now=now, payload=_subject(invitation))
    return invitation


def accept_invitation(
    *, actor: Actor, invitation_id: UUID, answers: Mapping[str, Any] | None = None, now: datetime
) -> Application:
    """Apply, being asked. Raises InvitationOver, IllegalTransition and whatever applying raises."""
    with remembering_refusals(now), transaction.atomic():
        invitation = access_invitation(actor, invitation_id, to="own", lock=True)
        _check_answerable(invitation, "accept", now)
        return submit(
            invitation.opportunity,
            invitation.candidate_id,
            actor=actor,
            answers=answers or None,
            invitation=invitation,
            now=now,
        )


def decline_invitation(*, actor: Actor, invitation_id: UUID, now: datetime) -> Invitation:
    """Raises InvitationOver, IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        invitation = access_invitation(actor, invitation_id, to="own", lock=True)
        _check_answerable(invitation, "decline", now)
        _end(invitation, "decline", actor=actor, by=ActorKind.CANDIDATE, now=now)
    return invitation


def withdraw_invitation(*, actor: Actor, invitation_id: UUID, now: datetime) -> Invitation:
    """Raises IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        invitation = access_invitation(actor, invitation_id, to="manage", lock=True)
        _end(invitation, "withdraw", actor=actor, by=kind_for(actor, invitation), now=now)
    return invitation


def expire_invitation(invitation_pk: int, now: datetime) -> None:
    """What the timer calls. Does nothing to an invitation that was answered."""
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_pk).first()
        if invitation is None or invitation.state != InvitationState.SENT:
            return
        if invitation.expires_at > now:
            set_timer(EXPIRY, invitation.pk, invitation.expires_at)
            return
        _end(invitation, "expire", actor=Actor.system(), by=ActorKind.SYSTEM, now=now)


def _check_answerable(invitation: Invitation, action: str, now: datetime) -> None:
    decide(INVITATION, invitation.state, action, ActorKind.CANDIDATE)
    if invitation.expires_at <= now:
        raise InvitationOver


def _end(invitation: Invitation, action: str, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    answered = {"answered_at": now} if action == "decline" else {}
    move(
        invitation,
        INVITATION,
        action,
        actor=actor,
        by=by,
        now=now,
        extra_fields=answered,
        payload=_subject(invitation),
    )
    cancel_timer(EXPIRY, invitation.pk)


def _subject(invitation: Invitation) -> dict[str, int]:
    return {"opportunity": invitation.opportunity_id, "candidate": invitation.candidate_id}
