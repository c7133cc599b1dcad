"""Offers: sending, answering, expiring."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.actions.events import append
from accounts.actions.timers import cancel_timer, set_timer
from accounts.actions.transitions import move
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line, clean_text
from accounts.errors import DomainError, IllegalTransition, InvalidInput
from marketplace.access import access_application, access_offer, keep_opportunity, kind_for
from marketplace.actions import checks, seats
from marketplace.actions.placements import create_placement
from marketplace.actions.standing import check_open, check_relation
from marketplace.core.money import Pay, check_pay
from marketplace.core.workflow import APPLICATION, OFFER, ApplicationStatus, OfferState, OpportunityState
from marketplace.errors import (
    ApplicationNotActive,
    CandidateSuspended,
    HoursExceeded,
    OfferExists,
    OfferExpired,
    SeatsFilled,
)
from marketplace.models import Application, Offer, Opportunity, Seat, WaitlistEntry
from marketplace.queries.eligibility import judge
from marketplace.queries.verdicts import not_eligible
from matching.core.rules.grammar import Disclosure

DEFAULT_LIFE = timedelta(hours=72)
LONGEST_LIFE = timedelta(days=90)


def send_offer(
    *,
    actor: Actor,
    application_id: UUID,
    pay: Pay,
    kind: str = Offer.Kind.RESERVED,
    weekly_hours: int | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    expires_at: datetime | None = None,
    message: str = "",
    now: datetime,
) -> Offer:
    """Put exact terms to an applicant. A reserved offer holds a seat at once, an open call takes one on acceptance.

    Hours and dates default to the opportunity's, `expires_at` to three days. Raises InvalidInput, OpportunityNotOpen,
    ApplicationNotActive, CandidateSuspended, OrganisationBlocked, NotConsidered, NotEligible, SeatsFilled (reserved
    only), OfferExists, NotFound, NotPermitted.
    """
    with transaction.atomic():
        application = access_application(actor, application_id, to="manage", lock=True)
        by = kind_for(actor, application)
        opportunity = application.opportunity
        _check_can_be_offered(application, now)
        assert opportunity.current_revision is not None  # published_opportunity_has_a_revision
        terms = _terms(opportunity, kind, pay, weekly_hours, starts_on, ends_on, now)
        expires_at = _expiry(expires_at, now)
        seat = None
        if kind == Offer.Kind.RESERVED:
            seat = seats.take_open_seat(opportunity.pk)
            if seat is None:
                raise SeatsFilled
            seats.hold(seat, actor=actor, by=by, now=now)
        with refusing({"one_live_offer_per_application": OfferExists}):
            offer = Offer.objects.create(
                application=application,
                opportunity=opportunity,
                candidate_id=application.candidate_id,
                revision=opportunity.current_revision,
                seat=seat,
                kind=kind,
                message=clean_text(message, field="message", max_length=2000),
                expires_at=expires_at,
                sent_by_id=actor.user_id,
                created_at=now,
                **terms,
            )
        set_timer("offer_expiry", offer.pk, expires_at)
        # Somebody who holds an offer no longer waits for one.
        WaitlistEntry.objects.filter(opportunity=opportunity, candidate_id=application.candidate_id).delete()
        payload = {"opportunity": opportunity.pk, "application": application.pk, "kind": kind}
        append(offer, "OfferSent", actor=actor, by=by, now=now, payload=payload)
    return offer


def prolong_offer(*, actor: Actor, offer_id: UUID, expires_at: datetime, now: datetime) -> Offer:
    """Give the candidate more time. Raises InvalidInput, IllegalTransition, OfferExpired, NotFound, NotPermitted."""
    with transaction.atomic():
        offer = access_offer(actor, offer_id, to="manage", lock=True)
        by = kind_for(actor, offer)
        _check_live(offer, "prolong", by, now)
        if expires_at <= offer.expires_at:
            raise InvalidInput("expiresAt", "must be later than it is now")
        offer.expires_at = _expiry(expires_at, now)
        offer.save(update_fields=["expires_at"])
        set_timer("offer_expiry", offer.pk, offer.expires_at)
        append(offer, "OfferProlonged", actor=actor, by=by, now=now, payload=_subject(offer))
    return offer


def accept_offer(*, actor: Actor, offer_id: UUID, now: datetime) -> Offer:
    """Take an offer. It comes back `accepted`, with its placement; or, for an open call whose seats have all gone,
    `overtaken`, with a place on the waiting list.

    Eligibility is judged again, under the revision that the offer pinned. Raises OfferExpired, NotEligible,
    HoursExceeded, CandidateSuspended, IllegalTransition, NotFound.
    """
    with refusing({"placement_within_candidate_hours": lambda: HoursExceeded(**_hours(offer))}):
        offer = access_offer(actor, offer_id, to="own", lock=True, with_candidate=True)
        candidate = offer.candidate
        by = kind_for(actor, offer)
        _check_live(offer, "accept", by, now)
        if candidate.suspended_at or candidate.merged_into_id:
            raise CandidateSuspended
        if offer.revision.rule:  # without one, everybody is eligible
            verdict = judge(candidate, offer.opportunity, now=now, revision=offer.revision)
            if not verdict.is_eligible:
                raise not_eligible(verdict)
        is_reserved = offer.kind == Offer.Kind.RESERVED
        seat = offer.seat if is_reserved else seats.take_open_seat(offer.opportunity_id)
        if seat is None:
            return _overtake(offer, actor=actor, by=by, now=now)
        seats.fill(seat, actor=actor, by=by, now=now)
        extra = {"seat": seat, "answered_at": now}
        move(offer, OFFER, "accept", actor=actor, by=by, now=now, extra_fields=extra, payload=_subject(offer))
        create_placement(offer, seat, actor=actor, by=by, now=now)
        move(offer.application, APPLICATION, "hire", actor=actor, by=by, now=now, payload=_subject(offer))
        cancel_timer("offer_expiry", offer.pk)
        WaitlistEntry.objects.filter(opportunity_id=offer.opportunity_id, candidate=candidate).delete()
    return offer


def decline_offer(*, actor: Actor, offer_id: UUID, reason: str = "", now: datetime) -> Offer:
    """Turn an offer down; the application is withdrawn with it. Raises OfferExpired, IllegalTransition, NotFound."""
    with transaction.atomic():
        offer = access_offer(actor, offer_id, to="own", lock=True)
        by = kind_for(actor, offer)
        _check_live(offer, "decline", by, now)
        offer.decline_reason = clean_line(reason, field="reason", max_length=200, required=False)
        offer.save(update_fields=["decline_reason"])
        _end(offer, "decline", actor=actor, by=by, now=now)
        move(offer.application, APPLICATION, "withdraw", actor=actor, by=by, now=now, payload=_subject(offer))
    return offer


def withdraw_offer(*, actor: Actor, offer_id: UUID, reason: str = "", now: datetime) -> Offer:
    """Take an offer back; the application stays at its stage. Raises IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        offer = access_offer(actor, offer_id, to="manage", lock=True)
        reason = clean_line(reason, field="reason", max_length=200, required=False)
        _end(offer, "withdraw", actor=actor, by=kind_for(actor, offer), now=now, reason=reason)
    return offer


def expire_offer(offer_pk: int, now: datetime) -> None:
    """What the timer calls. Does nothing to an offer that was answered, and waits on for one that was prolonged."""
    actor = Actor.system()
    with transaction.atomic():
        pointer = Offer.objects.only("application_id").filter(pk=offer_pk).first()
        if pointer is None:
            return
        application = Application.objects.select_for_update(no_key=True).get(pk=pointer.application_id)
        offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_pk)
        if offer.state != OfferState.SENT:
            return
        if offer.expires_at > now:
            set_timer("offer_expiry", offer.pk, offer.expires_at)
            return
        _end(offer, "expire", actor=actor, by=ActorKind.SYSTEM, now=now)
        if application.status == ApplicationStatus.ACTIVE:
            by = ActorKind.SYSTEM
            move(application, APPLICATION, "lapse", actor=actor, by=by, now=now, payload=_subject(offer))


def end_live_offers(
    action: str,
    *,
    actor: Actor,
    by: ActorKind,
    now: datetime,
    reason: str = "",
    opportunity: Opportunity | None = None,
    application: Application | None = None,
) -> int:
    """Withdraw, or decline, every live offer of an opportunity or an application; their number.

    For callers that hold the lock of the opportunity or of the application and end it.
    """
    live = Offer.objects.live()
    live = live.filter(opportunity=opportunity) if opportunity is not None else live.filter(application=application)
    application_ids = list(live.values_list("application_id", flat=True))
    list(Application.objects.select_for_update(no_key=True).filter(pk__in=application_ids).order_by("pk"))
    offers = list(live.select_for_update(no_key=True).order_by("pk"))
    for offer in offers:
        _end(offer, action, actor=actor, by=by, now=now, reason=reason)
    return len(offers)


def serve_waitlist(opportunity_pk: int, now: datetime) -> int:
    """Offer open seats to those who wait, first in line first, on the terms of the offer they came too late for.

    Whoever may no longer be offered leaves the line. Returns the number of offers sent.
    """
    if not Seat.objects.open().filter(opportunity_id=opportunity_pk).exists():
        return 0
    sent = 0
    with transaction.atomic():
        keep_opportunity(opportunity_pk)
        line = WaitlistEntry.objects.filter(
            opportunity_id=opportunity_pk, opportunity__state=OpportunityState.PUBLISHED
        )
        # All of them before any seat, as the order of locks wants it. Whoever serves at the same time waits here, and
        # then finds the line as this leaves it.
        waiting = Application.objects.filter(pk__in=line.values("application_id")).order_by("pk")
        applications = {one.pk: one for one in waiting.select_for_update(no_key=True)}
        for entry in line.filter(application__in=applications).order_by("priority", "since", "id"):
            try:
                sent += _offer_again(applications[entry.application_id], now)
            except SeatsFilled:
                break
            entry.delete()  # served, or not to be served: either way they hold up nobody
    return sent


def _offer_again(application: Application, now: datetime) -> bool:
    """Send the offer that was missed once more, now reserved; False where it may not be. Raises SeatsFilled."""
    missed = application.offers.order_by("-id").first()
    if missed is None:
        return False
    try:
        with transaction.atomic():
            send_offer(
                actor=Actor.system(),
                application_id=application.public_id,
                pay=Pay(missed.pay_amount, missed.pay_currency, missed.pay_period),
                weekly_hours=missed.weekly_hours,
                starts_on=max(missed.starts_on, now.date()),
                ends_on=missed.ends_on,
                now=now,
            )
    except SeatsFilled:
        raise
    except DomainError:
        return False
    return True


def _check_live(offer: Offer, action: str, by: ActorKind, now: datetime) -> None:
    """Before anything else: whoever comes too late, or twice, is told of the offer, not of its seat or its rule.
    Raises OfferExpired, IllegalTransition."""
    if offer.state == OfferState.EXPIRED or (offer.state == OfferState.SENT and offer.expires_at <= now):
        raise OfferExpired(expired_at=offer.expires_at.isoformat())
    if offer.state != OfferState.SENT:
        legal = OFFER.legal(offer.state, by)
        raise IllegalTransition(machine=OFFER.noun, state=str(offer.state), action=action, legal=legal)


def _check_can_be_offered(application: Application, now: datetime) -> None:
    opportunity, candidate = application.opportunity, application.candidate
    check_open(opportunity, now)
    if application.status != ApplicationStatus.ACTIVE:
        raise ApplicationNotActive(status=application.status)
    check_relation(opportunity, candidate)
    verdict = judge(candidate, opportunity, now=now)
    if not verdict.is_eligible:
        raise not_eligible(verdict, Disclosure.ORGANISATION)


def _terms(
    opportunity: Opportunity,
    kind: str,
    pay: Pay,
    weekly_hours: int | None,
    starts_on: date | None,
    ends_on: date | None,
    now: datetime,
) -> dict:
    """Columns of the offer. Raises InvalidInput."""
    checks.choice(kind, field="kind", among=Offer.Kind.values)
    check_pay(pay, field="pay")
    hours = weekly_hours if weekly_hours is not None else opportunity.weekly_hours
    checks.whole(hours, field="weeklyHours", low=1, high=168)
    today = now.date()
    starts_on = starts_on or max(opportunity.starts_on or today, today)
    if starts_on < today:
        raise InvalidInput("startsOn", "must not be in the past")
    ends_on = ends_on or opportunity.ends_on
    if ends_on is not None and ends_on < starts_on:
        raise InvalidInput("endsOn", "must not be before the start")
    return {
        "pay_amount": pay.amount,
        "pay_currency": pay.currency,
        "pay_period": pay.period,
        "weekly_hours": hours,
        "starts_on": starts_on,
        "ends_on": ends_on,
    }


def _expiry(expires_at: datetime | None, now: datetime) -> datetime:
    expires_at = expires_at or now + DEFAULT_LIFE
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidInput("expiresAt", f"must be in the future, at most {LONGEST_LIFE.days} days ahead")
    return expires_at


def _overtake(offer: Offer, *, actor: Actor, by: ActorKind, now: datetime) -> Offer:
    move(
        offer,
        OFFER,
        "overtake",
        actor=actor,
        by=by,
        now=now,
        extra_fields={"answered_at": now},
        payload=_subject(offer),
    )
    cancel_timer("offer_expiry", offer.pk)
    entry = WaitlistEntry(
        opportunity_id=offer.opportunity_id,
        candidate_id=offer.candidate_id,
        application=offer.application,
        priority=WaitlistEntry.OVERTAKEN_PRIORITY,
        since=now,
    )
    # Whoever waits already keeps the moment since when they have.
    WaitlistEntry.objects.bulk_create(
        [entry],
        update_conflicts=True,
        unique_fields=["opportunity", "candidate"],
        update_fields=["application", "priority"],
    )
    append(entry, "WaitlistJoined", actor=actor, by=by, now=now, payload=_subject(offer))
    return offer


def _end(offer: Offer, action: str, *, actor: Actor, by: ActorKind, now: datetime, reason: str = "") -> None:
    """Decline, expire or withdraw: the offer lets go of its seat. The seat's row is locked after the offer's."""
    seat_id = offer.seat_id
    move(
        offer,
        OFFER,
        action,
        actor=actor,
        by=by,
        now=now,
        reason=reason,
        extra_fields={"seat": None, "answered_at": now},
        payload=_subject(offer),
    )
    cancel_timer("offer_expiry", offer.pk)
    if seat_id is not None:
        seats.release(seat_id, actor=actor, by=by, now=now)


def _subject(offer: Offer) -> dict[str, int]:
    return {"opportunity": offer.opportunity_id, "candidate": offer.candidate_id}


def _hours(offer: Offer) -> dict[str, int]:
    candidate = offer.candidate
    taken = sum(candidate.placements.live().values_list("weekly_hours", flat=True))
    return {"wanted": candidate.weekly_hours or 0, "taken": taken, "asked": offer.weekly_hours}
