"""Opportunities: drafting, editing, and their life from publication to closing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.access import access_organisation
from accounts.actions.events import append
from accounts.actions.timers import cancel_timer, set_timer
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.core.machine import decide
from accounts.core.unset import UNSET, Unset
from accounts.errors import InvalidInput
from marketplace.access import access_opportunity, kind_for
from marketplace.actions import checks, seats
from marketplace.actions.offers import end_live_offers
from marketplace.actions.revisions import check_editable, freeze, set_eligibility_rule
from marketplace.actions.terms import (
    LeadInput,
    LocationInput,
    OpportunityFields,
    PayBandInput,
    QuestionInput,
    SkillTermInput,
    check_fields,
)
from marketplace.actions.waivers import revoke_waiver, waive_eligibility
from marketplace.core.workflow import APPLICATION, INVITATION, OPPORTUNITY, OpportunityState, SeatState
from marketplace.errors import OpportunityIncomplete, OrganisationSuspended, SeatsFilled
from marketplace.models import Application, Invitation, Opportunity, Seat, WaitlistEntry

__all__ = [
    "LeadInput",
    "LocationInput",
    "OpportunityFields",
    "PayBandInput",
    "QuestionInput",
    "SkillTermInput",
    "change_seats",
    "close_due_opportunity",
    "close_opportunity",
    "draft_opportunity",
    "pause_opportunity",
    "publish_opportunity",
    "reinstate_opportunity",
    "reopen_opportunity",
    "resume_opportunity",
    "return_opportunity",
    "revoke_waiver",
    "set_eligibility_rule",
    "submit_opportunity",
    "suspend_opportunity",
    "update_opportunity",
    "waive_eligibility",
]

CLOSING = "opportunity_closing"
MOST_SEATS = 10_000
_DRAFT = frozenset({OpportunityState.DRAFT, OpportunityState.IN_REVIEW})
_LIVE = frozenset({OpportunityState.PUBLISHED, OpportunityState.PAUSED})


def draft_opportunity(*, actor: Actor, organisation_id: UUID, fields: OpportunityFields, now: datetime) -> Opportunity:
    """Begin an opportunity of an organisation. A title is all that it needs for now.

    Raises InvalidInput, NotFound, NotPermitted.
    """
    with transaction.atomic():
        organisation = access_organisation(actor, organisation_id, to="manage")
        opportunity = Opportunity(
            posting_organisation=organisation, hiring_organisation=organisation, created_by_id=actor.user_id
        )
        checked = check_fields(fields, opportunity, actor=actor)
        if "title" not in checked.columns:
            raise InvalidInput("title", "must not be empty")
        wanted = _seats(fields, default=0)
        checked.write_columns(opportunity)
        opportunity.save()
        checked.write_rows(opportunity)
        by = kind_for(actor, opportunity)
        append(opportunity, "OpportunityDrafted", actor=actor, by=by, now=now)
        seats.add_seats(opportunity, wanted, actor=actor, by=by, now=now)
    return opportunity


def update_opportunity(*, actor: Actor, opportunity_id: UUID, fields: OpportunityFields, now: datetime) -> Opportunity:
    """Change what an opportunity says. Once it is published, other terms are a new revision: applications and offers
    keep theirs. Nothing changed appends nothing.

    Raises InvalidInput, OpportunityIncomplete (a published one must stay complete), OpportunityOver, SeatsFilled,
    NotFound, NotPermitted.
    """
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        check_editable(opportunity)
        is_draft = opportunity.state in _DRAFT
        if fields.seats is not UNSET and not is_draft:
            raise InvalidInput("seats", "of a published opportunity have an action of their own")
        checked = check_fields(fields, opportunity, actor=actor)
        wanted = _seats(fields, default=opportunity.seats.wanted().count())
        columns = checked.write_columns(opportunity)
        if columns:
            opportunity.save(update_fields=columns)
        changed = columns + checked.write_rows(opportunity)
        by = kind_for(actor, opportunity)
        if _set_seats(opportunity, wanted, actor=actor, by=by, now=now):
            changed.append("seats")
        if not changed:
            return opportunity
        if opportunity.state == OpportunityState.PUBLISHED:
            _require_complete(opportunity, now)
        if not is_draft:
            freeze(opportunity, actor=actor, now=now)
            if "closes_at" in changed:
                _set_closing(opportunity)
        append(opportunity, "OpportunityUpdated", actor=actor, by=by, now=now, payload={"changed": sorted(changed)})
    return opportunity


def change_seats(*, actor: Actor, opportunity_id: UUID, seats: int, now: datetime) -> Opportunity:
    """Have so many seats in all: open, held and filled. More are opened; fewer retire open seats first, then held ones,
    whose offers are withdrawn. Raises InvalidInput, SeatsFilled (below the filled ones), OpportunityOver, NotFound,
    NotPermitted.
    """
    wanted = checks.whole(seats, field="seats", low=1, high=MOST_SEATS)
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        check_editable(opportunity)
        _set_seats(opportunity, wanted, actor=actor, by=kind_for(actor, opportunity), now=now)
    return opportunity


def submit_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """Hand a draft to staff for review. Raises OpportunityIncomplete, IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _move(opportunity, "submit", actor=actor, now=now)
        _require_complete(opportunity, now)
    return opportunity


def return_opportunity(*, actor: Actor, opportunity_id: UUID, reason: str = "", now: datetime) -> Opportunity:
    """Give a draft back to its writers (staff). Raises IllegalTransition, NotFound, NotPermitted."""
    return _simple(actor, opportunity_id, "return", now, reason=reason)


def publish_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """Open it to applications: freezes a revision and sets the closing timer.

    Raises OpportunityIncomplete, OrganisationSuspended, IllegalTransition, NotFound, NotPermitted.
    """
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _open(opportunity, "publish", actor=actor, now=now)
    return opportunity


def pause_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """Take no new applications and offers for a while. Raises IllegalTransition, NotFound, NotPermitted."""
    return _simple(actor, opportunity_id, "pause", now)


def resume_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """Raises OpportunityIncomplete, OrganisationSuspended, IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _open(opportunity, "resume", actor=actor, now=now)
    return opportunity


def close_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """End it: live offers and invitations are withdrawn, live applications lapse, the waiting list is emptied.

    Raises IllegalTransition, NotFound, NotPermitted.
    """
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _close(opportunity, actor=actor, now=now)
    return opportunity


def close_due_opportunity(opportunity_pk: int, now: datetime) -> None:
    """What the timer calls. Does nothing where it is closed already, and waits on where the deadline was moved."""
    with transaction.atomic():
        opportunity = Opportunity.objects.select_for_update().filter(pk=opportunity_pk).first()
        if opportunity is None or opportunity.state not in _LIVE or opportunity.closes_at is None:
            return
        if opportunity.closes_at > now:
            set_timer(CLOSING, opportunity.pk, opportunity.closes_at)
            return
        _close(opportunity, actor=Actor.system(), now=now)


def reopen_opportunity(
    *, actor: Actor, opportunity_id: UUID, closes_at: datetime | Unset | None = UNSET, now: datetime
) -> Opportunity:
    """Publish it again. A closing time that has passed is dropped unless a new one is given.

    Raises InvalidInput, OpportunityIncomplete, OrganisationSuspended, IllegalTransition, NotFound, NotPermitted.
    """
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        if isinstance(closes_at, Unset):
            before = opportunity.closes_at
            closes_at = before if before is not None and before > now else None
        elif closes_at is not None and checks.instant(closes_at, field="closesAt") <= now:
            raise InvalidInput("closesAt", "must be in the future")
        if closes_at is not None and opportunity.opens_at is not None and closes_at <= opportunity.opens_at:
            raise InvalidInput("closesAt", "must be later than the start")
        opportunity.closes_at = closes_at
        _open(opportunity, "reopen", actor=actor, now=now, closes_at=closes_at, closed_at=None)
    return opportunity


def suspend_opportunity(*, actor: Actor, opportunity_id: UUID, reason: str = "", now: datetime) -> Opportunity:
    """Take it down (staff): live offers and invitations are withdrawn. Raises IllegalTransition, NotFound."""
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _move(opportunity, "suspend", actor=actor, now=now, reason=reason)
        by = kind_for(actor, opportunity)
        end_live_offers("withdraw", opportunity=opportunity, actor=actor, by=by, now=now, reason="suspended")
        _withdraw_invitations(opportunity, actor=actor, by=by, now=now)
        cancel_timer(CLOSING, opportunity.pk)
    return opportunity


def reinstate_opportunity(*, actor: Actor, opportunity_id: UUID, now: datetime) -> Opportunity:
    """Undo a suspension (staff); it comes back paused. Raises IllegalTransition, NotFound."""
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _move(opportunity, "reinstate", actor=actor, now=now, extra_fields={"closed_at": None})
        _set_closing(opportunity)
    return opportunity


def _simple(actor: Actor, opportunity_id: UUID, action: str, now: datetime, *, reason: str = "") -> Opportunity:
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        _move(opportunity, action, actor=actor, now=now, reason=reason)
    return opportunity


def _move(opportunity: Opportunity, action: str, *, actor: Actor, now: datetime, **more: object) -> None:
    move(opportunity, OPPORTUNITY, action, actor=actor, by=kind_for(actor, opportunity), now=now, **more)  # type: ignore[arg-type]


def _open(opportunity: Opportunity, action: str, *, actor: Actor, now: datetime, **extra_fields: object) -> None:
    """Publish, resume or reopen: whatever is open is complete, has a revision and closes when it says."""
    decide(OPPORTUNITY, opportunity.state, action, kind_for(actor, opportunity))
    if opportunity.posting_organisation.suspended_at is not None:
        raise OrganisationSuspended
    _require_complete(opportunity, now)
    revision = freeze(opportunity, actor=actor, now=now)
    extra_fields["published_at"] = opportunity.published_at or now
    payload = {"revision": revision.number}
    _move(opportunity, action, actor=actor, now=now, extra_fields=extra_fields, payload=payload)
    _set_closing(opportunity)


def _close(opportunity: Opportunity, *, actor: Actor, now: datetime) -> None:
    by = kind_for(actor, opportunity)
    _move(opportunity, "close", actor=actor, now=now, extra_fields={"closed_at": now})
    live = list(
        Application.objects.live().filter(opportunity=opportunity).select_for_update(no_key=True).order_by("pk")
    )
    _withdraw_invitations(opportunity, actor=actor, by=by, now=now)
    end_live_offers("withdraw", opportunity=opportunity, actor=actor, by=by, now=now, reason="closed")
    for application in live:
        # The closing did it, whoever closed: nobody decided on this person.
        move(
            application,
            APPLICATION,
            "lapse",
            actor=actor,
            by=ActorKind.SYSTEM,
            now=now,
            reason="closed",
            payload={"opportunity": opportunity.pk, "candidate": application.candidate_id},
        )
    WaitlistEntry.objects.filter(opportunity=opportunity).delete()
    cancel_timer(CLOSING, opportunity.pk)


def _withdraw_invitations(opportunity: Opportunity, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    live = Invitation.objects.live().filter(opportunity=opportunity)
    for invitation in live.select_for_update(no_key=True).order_by("pk"):
        payload = {"opportunity": opportunity.pk, "candidate": invitation.candidate_id}
        move(invitation, INVITATION, "withdraw", actor=actor, by=by, now=now, payload=payload)
        cancel_timer("invitation_expiry", invitation.pk)


def _set_closing(opportunity: Opportunity) -> None:
    if opportunity.closes_at is None:
        cancel_timer(CLOSING, opportunity.pk)
    else:
        set_timer(CLOSING, opportunity.pk, opportunity.closes_at)


def _require_complete(opportunity: Opportunity, now: datetime) -> None:
    """Raises OpportunityIncomplete naming, as the API does, every field that publishing needs."""
    missing = [
        name
        for name, value in (
            ("title", opportunity.title),
            ("description", opportunity.description),
            ("commitment", opportunity.commitment),
            ("arrangement", opportunity.arrangement),
            ("weeklyHours", opportunity.weekly_hours),
            ("payBands", opportunity.pay_bands.exists()),
            ("seats", opportunity.seats.wanted().exists()),
            ("closesAt", opportunity.closes_at is None or opportunity.closes_at > now),
        )
        if not value
    ]
    if missing:
        raise OpportunityIncomplete(missing)


# Seats


def _seats(fields: OpportunityFields, *, default: int) -> int:
    if isinstance(fields.seats, Unset):
        return default
    return checks.whole(fields.seats, field="seats", low=0, high=MOST_SEATS)


def _set_seats(opportunity: Opportunity, wanted: int, *, actor: Actor, by: ActorKind, now: datetime) -> bool:
    """Add or retire seats until there are so many. The caller has locked the opportunity."""
    has = opportunity.seats.wanted().count()
    if wanted == has:
        return False
    filled = opportunity.seats.filter(state=SeatState.FILLED).count()
    if wanted < filled:
        raise SeatsFilled(filled=filled)
    if wanted > has:
        seats.add_seats(opportunity, wanted - has, actor=actor, by=by, now=now)
    else:
        _retire(opportunity, has - wanted, actor=actor, by=by, now=now)
    payload = {"from": has, "to": wanted}
    append(opportunity, "SeatsChanged", actor=actor, by=by, now=now, payload=payload)
    return True


def _retire(opportunity: Opportunity, surplus: int, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    """Those with the highest numbers, open ones before held ones."""
    open_seats = opportunity.seats.open()
    held = opportunity.seats.filter(state=SeatState.HELD).order_by("-number")
    for seat in held[: max(surplus - open_seats.count(), 0)]:
        for offer in seat.offers.live().select_related("application"):
            end_live_offers(
                "withdraw", application=offer.application, actor=actor, by=by, now=now, reason="fewer seats"
            )
    chosen = list(open_seats.order_by("-number").values_list("pk", flat=True)[:surplus])
    for seat in Seat.objects.filter(pk__in=chosen).select_for_update(no_key=True).order_by("pk"):
        seats.retire(seat, actor=actor, by=by, now=now)
