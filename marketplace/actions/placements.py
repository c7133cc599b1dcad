"""Placements: from onboarding to their end."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from marketplace.access import access_placement, kind_for
from marketplace.actions import checks, seats
from marketplace.actions.groups import keep_past_worker
from marketplace.core.money import Pay, check_pay
from marketplace.core.workflow import LIVE_PLACEMENT_STATES, PLACEMENT
from marketplace.errors import HoursExceeded, PlacementOver
from marketplace.models import Candidate, Offer, Opportunity, Placement, PlacementTerms, Seat


def create_placement(offer: Offer, seat: Seat, *, actor: Actor, by: ActorKind, now: datetime) -> Placement:
    """Turn an accepted offer into a placement, in the caller's transaction. The database guards the hours."""
    placement = Placement.objects.create(
        offer=offer,
        seat=seat,
        opportunity_id=offer.opportunity_id,
        candidate_id=offer.candidate_id,
        weekly_hours=offer.weekly_hours,
        starts_on=offer.starts_on,
        ends_on=offer.ends_on,
        created_at=now,
    )
    PlacementTerms.objects.create(
        placement=placement,
        weekly_hours=offer.weekly_hours,
        pay_amount=offer.pay_amount,
        pay_currency=offer.pay_currency,
        pay_period=offer.pay_period,
        from_on=offer.starts_on,
    )
    append(placement, "PlacementCreated", actor=actor, by=by, now=now, payload=_subject(placement))
    return placement


def start_placement(*, actor: Actor, placement_id: UUID, now: datetime) -> Placement:
    """The person has turned up. Raises IllegalTransition, NotFound, NotPermitted, as do all moves below."""
    return _move(actor, placement_id, "start", now)


def pause_placement(*, actor: Actor, placement_id: UUID, now: datetime) -> Placement:
    return _move(actor, placement_id, "pause", now)


def resume_placement(*, actor: Actor, placement_id: UUID, now: datetime) -> Placement:
    return _move(actor, placement_id, "resume", now)


def complete_placement(*, actor: Actor, placement_id: UUID, now: datetime) -> Placement:
    """It ran its course; the seat is spent and not opened again, and the person is a past worker."""
    return _finish(actor, placement_id, "complete", "", now, replace=False)


def end_placement(*, actor: Actor, placement_id: UUID, reason: str, now: datetime) -> Placement:
    """Over before its time, by either side."""
    return _finish(actor, placement_id, "end", reason, now, replace=True)


def cancel_placement(*, actor: Actor, placement_id: UUID, reason: str, now: datetime) -> Placement:
    """Called off before it started, by either side."""
    return _finish(actor, placement_id, "cancel", reason, now, replace=True)


def report_no_show(*, actor: Actor, placement_id: UUID, reason: str = "did not turn up", now: datetime) -> Placement:
    return _finish(actor, placement_id, "report_no_show", reason, now, replace=True)


def change_terms(
    *, actor: Actor, placement_id: UUID, weekly_hours: int, pay: Pay, from_on: date, now: datetime
) -> Placement:
    """Other hours or pay from a day on. Raises InvalidInput, HoursExceeded, PlacementOver, NotFound, NotPermitted."""
    checks.whole(weekly_hours, field="weeklyHours", low=1, high=168)
    check_pay(pay, field="pay")
    with transaction.atomic():
        placement = access_placement(actor, placement_id, to="manage")
        candidate = Candidate.objects.select_for_update(no_key=True).get(pk=placement.candidate_id)
        placement = Placement.objects.select_for_update(no_key=True).get(pk=placement.pk)
        if placement.state not in LIVE_PLACEMENT_STATES:
            raise PlacementOver(state=placement.state)
        if from_on < placement.starts_on:
            raise InvalidInput("fromOn", "must not be before the placement starts")
        PlacementTerms.objects.update_or_create(
            placement=placement,
            from_on=from_on,
            defaults={
                "weekly_hours": weekly_hours,
                "pay_amount": pay.amount,
                "pay_currency": pay.currency,
                "pay_period": pay.period,
            },
        )
        # Hours are promised as soon as they are agreed: the most of the terms in force and those to come counts.
        in_force = placement.terms.filter(from_on__lte=now.date()).values_list("weekly_hours", flat=True)[:1]
        coming = placement.terms.filter(from_on__gt=now.date()).values_list("weekly_hours", flat=True)
        placement.weekly_hours = max([*in_force, *coming])
        taken = sum(candidate.placements.live().exclude(pk=placement.pk).values_list("weekly_hours", flat=True))
        refusal = HoursExceeded(wanted=candidate.weekly_hours or 0, taken=taken, asked=placement.weekly_hours)
        with refusing({"placement_within_candidate_hours": lambda: refusal}):
            placement.save(update_fields=["weekly_hours"])
        append(
            placement,
            "PlacementTermsChanged",
            actor=actor,
            by=kind_for(actor, placement),
            now=now,
            payload=_subject(placement),
        )
    return placement


def _move(actor: Actor, placement_id: UUID, action: str, now: datetime) -> Placement:
    with transaction.atomic():
        pointer, by = _acting(actor, placement_id)
        # The trigger on placements would lock the candidate's row after this one's: against the order.
        Candidate.objects.select_for_update(no_key=True).get(pk=pointer.candidate_id)
        placement = Placement.objects.select_for_update(no_key=True).get(pk=pointer.pk)
        move(placement, PLACEMENT, action, actor=actor, by=by, now=now, payload=_subject(placement))
    return placement


def _finish(actor: Actor, placement_id: UUID, action: str, reason: str, now: datetime, *, replace: bool) -> Placement:
    reason = clean_line(reason, field="reason", max_length=200, required=action != "complete")
    with transaction.atomic():
        pointer, by = _acting(actor, placement_id)
        # A replacing seat needs the next number, so the opportunity is locked, and first.
        opportunity = Opportunity.objects.select_for_update(no_key=True).get(pk=pointer.opportunity_id)
        candidate = Candidate.objects.select_for_update(no_key=True).get(pk=pointer.candidate_id)
        Seat.objects.select_for_update(no_key=True).get(pk=pointer.seat_id)
        placement = Placement.objects.select_for_update(no_key=True).get(pk=pointer.pk)
        placement.opportunity = opportunity
        move(
            placement,
            PLACEMENT,
            action,
            actor=actor,
            by=by,
            now=now,
            reason=reason,
            extra_fields={"ended_at": now, "ended_by_id": actor.user_id, "end_reason": reason},
            payload=_subject(placement),
        )
        seats.spend(placement, replace=replace, actor=actor, by=by, now=now)
        if action == "complete":
            keep_past_worker(placement, candidate, actor=actor, now=now)
    return placement


def _acting(actor: Actor, placement_id: UUID) -> tuple[Placement, ActorKind]:
    """The placement and in which capacity the actor moves it: as the person placed, or for the organisation."""
    placement = access_placement(actor, placement_id, to="read")
    by = kind_for(actor, placement)
    if by != ActorKind.CANDIDATE:
        placement = access_placement(actor, placement_id, to="manage")
    return placement, by


def _subject(placement: Placement) -> dict[str, int]:
    return {"opportunity": placement.opportunity_id, "candidate": placement.candidate_id}
