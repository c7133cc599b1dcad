"""Seats: adding, taking, freeing, replacing. Every function runs in its caller's transaction."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from marketplace.core.workflow import SEAT, OpportunityState
from marketplace.models import Opportunity, Placement, Seat


def add_seats(
    opportunity: Opportunity, count: int, *, actor: Actor, by: ActorKind, now: datetime, replaces: Seat | None = None
) -> list[Seat]:
    """Open new seats with the next numbers. The caller has locked the opportunity, or nobody else can see it yet."""
    last = opportunity.seats.aggregate(last=Max("number"))["last"] or 0
    seats = []
    for number in range(last + 1, last + count + 1):
        seat = Seat.objects.create(opportunity=opportunity, number=number, opened_at=now, replaces=replaces)
        append(seat, "SeatOpened", actor=actor, by=by, now=now, payload={"opportunity": opportunity.pk})
        seats.append(seat)
    return seats


# Written out, because a crowd that accepts at once spends a good part of its time here.
_LOWEST_OPEN = "SELECT * FROM marketplace_seat WHERE opportunity_id = %s AND state = 'open' ORDER BY number LIMIT 1"
_AND_NOT_TAKEN = " FOR NO KEY UPDATE SKIP LOCKED"


def take_open_seat(opportunity_id: int) -> Seat | None:
    """Lock the open seat with the lowest number that nobody else is taking; None if there is none.

    Others' locks are skipped first, so that a crowd spreads over the seats. Only when every open seat is being taken
    does this wait, because one of those may yet be given back: being told "none left" is final for whoever asks.
    """
    while True:
        for seat in Seat.objects.raw(_LOWEST_OPEN + _AND_NOT_TAKEN, [opportunity_id]):
            return seat
        waited_for = next(iter(Seat.objects.raw(_LOWEST_OPEN, [opportunity_id])), None)
        if waited_for is None:
            return None
        given_back = Seat.objects.open().select_for_update(no_key=True).filter(pk=waited_for.pk).first()
        if given_back is not None:
            return given_back


def hold(seat: Seat, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    move(seat, SEAT, "hold", actor=actor, by=by, now=now, payload={"opportunity": seat.opportunity_id})


def fill(seat: Seat, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    payload = {"opportunity": seat.opportunity_id}
    move(seat, SEAT, "fill", actor=actor, by=by, now=now, extra_fields={"filled_at": now}, payload=payload)


def release(seat_id: int, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    """Give a held seat back."""
    seat = Seat.objects.select_for_update(no_key=True).get(pk=seat_id)
    move(seat, SEAT, "release", actor=actor, by=by, now=now, payload={"opportunity": seat.opportunity_id})


def retire(seat: Seat, *, actor: Actor, by: ActorKind, now: datetime) -> None:
    move(seat, SEAT, "retire", actor=actor, by=by, now=now, payload={"opportunity": seat.opportunity_id})


def spend(placement: Placement, *, replace: bool, actor: Actor, by: ActorKind, now: datetime) -> None:
    """End a filled seat's life. With `replace`, open another in its stead if the opportunity asks for it and is open.

    The caller has locked the opportunity: the new seat needs the next number.
    """
    seat = Seat.objects.select_for_update(no_key=True).get(pk=placement.seat_id)
    opportunity = placement.opportunity
    move(seat, SEAT, "spend", actor=actor, by=by, now=now, payload={"opportunity": opportunity.pk})
    is_open = opportunity.state in {OpportunityState.PUBLISHED, OpportunityState.PAUSED}
    if replace and opportunity.replaces_ended_placements and is_open:
        add_seats(opportunity, 1, actor=actor, by=by, now=now, replaces=seat)
