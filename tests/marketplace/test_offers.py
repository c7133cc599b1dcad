"""Offers, and the seats they hold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.actions.timers import fire_due
from accounts.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event, Organisation, Timer, Transition
from marketplace.actions.applications import reject_application, withdraw_application
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import (
    accept_offer,
    decline_offer,
    prolong_offer,
    send_offer,
    serve_waitlist,
    withdraw_offer,
)
from marketplace.actions.opportunities import change_seats, close_opportunity, pause_opportunity, set_eligibility_rule
from marketplace.core.money import Pay
from marketplace.errors import (
    ApplicationNotActive,
    HoursExceeded,
    NotConsidered,
    NotEligible,
    OfferExists,
    OfferExpired,
    OpportunityNotOpen,
    OrganisationBlocked,
    SeatsFilled,
)
from marketplace.models import Application, Offer, Placement, PlacementTerms, Seat, WaitlistEntry
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_recruiter,
    actor_of,
    an_application,
    everything,
    recruiter_of,
)

pytestmark = pytest.mark.django_db
PAY = Pay(Decimal(25), "EUR", "hour")
TABLES = (Offer, Seat, Application, Placement, PlacementTerms, WaitlistEntry, Event, Transition, Timer)


def an_offer(application=None, *, now=NOW, **fields) -> Offer:
    application = application or an_application()
    actor = recruiter_of(application.opportunity)
    return send_offer(actor=actor, application_id=application.public_id, now=now, **{"pay": PAY, **fields})


def accept(offer: Offer, now=NOW + HOUR) -> Offer:
    return accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=now)


def events_of(row) -> list[str]:
    named = Event.objects.filter(aggregate_type=row._meta.model_name, aggregate_id=row.pk)
    return list(named.order_by("sequence").values_list("name", flat=True))


def test_reserved_offer_holds_a_seat_from_the_start():
    offer = an_offer()
    assert (offer.state, offer.seat.state, offer.expires_at) == ("sent", "held", NOW + timedelta(hours=72))
    assert events_of(offer) == ["OfferSent"]
    assert events_of(offer.seat) == ["SeatOpened", "SeatHeld"]


def test_offer_takes_hours_and_revision_from_the_opportunity():
    offer = an_offer()
    assert offer.weekly_hours == 40
    assert offer.revision == offer.opportunity.current_revision


def test_offer_needs_a_free_seat():
    opportunity = a_published_opportunity(seats=1)
    an_offer(an_application(opportunity))
    second = an_application(opportunity)
    before = everything(TABLES)
    with pytest.raises(SeatsFilled):
        an_offer(second)
    assert everything(TABLES) == before


def test_open_call_goes_to_more_people_than_there_are_seats():
    opportunity = a_published_opportunity(seats=1)
    offers = [an_offer(an_application(opportunity), kind="open_call") for _ in range(3)]
    assert {offer.seat for offer in offers} == {None}
    assert opportunity.seats.get().state == "open"


def test_second_live_offer_to_an_application_is_refused():
    application = an_application(a_published_opportunity(seats=2))
    an_offer(application)
    before = everything(TABLES)
    with pytest.raises(OfferExists):
        an_offer(application)
    assert everything(TABLES) == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"pay": Pay(Decimal(25), "XXQ", "hour")}, "pay.currency"),
        ({"pay": Pay(Decimal(-1), "EUR", "hour")}, "pay.amount"),
        ({"pay": Pay(Decimal("NaN"), "EUR", "hour")}, "pay.amount"),
        ({"pay": Pay(Decimal(25), "EUR", "fortnight")}, "pay.period"),
        ({"weekly_hours": 0}, "weeklyHours"),
        ({"weekly_hours": 169}, "weeklyHours"),
        ({"weekly_hours": True}, "weeklyHours"),
        ({"expires_at": NOW}, "expiresAt"),
        ({"expires_at": NOW + 400 * DAY}, "expiresAt"),
        ({"starts_on": (NOW - DAY).date()}, "startsOn"),
        ({"starts_on": (NOW + 9 * DAY).date(), "ends_on": (NOW + DAY).date()}, "endsOn"),
        ({"kind": "maybe"}, "kind"),
        ({"message": "x" * 10_000_000}, "message"),
        ({"message": "a\0b"}, "message"),
    ],
)
def test_bad_terms_are_refused_and_write_nothing(fields, field):
    application = an_application()
    before = everything(TABLES)
    with pytest.raises(InvalidInput) as refused:
        an_offer(application, **fields)
    assert refused.value.data["field"] == field
    assert everything(TABLES) == before


def test_only_those_who_manage_the_opportunity_send_offers():
    application = an_application()
    before = everything(TABLES)
    with pytest.raises(NotFound):
        send_offer(actor=a_recruiter().actor, application_id=application.public_id, pay=PAY, now=NOW)
    with pytest.raises(NotFound):
        send_offer(actor=a_recruiter().actor, application_id=uuid4(), pay=PAY, now=NOW)
    with pytest.raises((NotFound, NotPermitted)):
        send_offer(actor=actor_of(application.candidate), application_id=application.public_id, pay=PAY, now=NOW)
    assert {name: rows for name, rows in everything(TABLES).items() if name == "Offer"} == {"Offer": before["Offer"]}


def test_paused_opportunity_sends_no_offers():
    application = an_application()
    opportunity = application.opportunity
    pause_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)
    with pytest.raises(OpportunityNotOpen):
        an_offer(application)


def test_accepting_fills_the_seat_hires_and_makes_the_placement():
    offer = accept(an_offer())
    placement = offer.placement
    assert (offer.state, offer.seat.state, offer.application.status) == ("accepted", "filled", "hired")
    assert (placement.seat_id, placement.state, placement.weekly_hours) == (offer.seat_id, "onboarding", 40)
    assert placement.terms.get().pay_amount == 25
    assert events_of(offer) == ["OfferSent", "OfferAccepted"]
    assert events_of(placement) == ["PlacementCreated"]
    assert not Timer.objects.filter(kind="offer_expiry").exists()


def test_every_move_has_one_event_and_one_log_row():
    offer = accept(an_offer())
    moved = Transition.objects.values_list("subject_type", "to_state", "event__name")
    assert ("offer", "accepted", "OfferAccepted") in moved
    assert ("seat", "filled", "SeatFilled") in moved
    assert ("application", "hired", "ApplicationHired") in moved
    assert Transition.objects.count() == Event.objects.exclude(transition=None).count()
    assert offer.state == "accepted"


def test_accepting_twice_is_refused_the_second_time():
    offer = accept(an_offer())
    before = everything(TABLES)
    with pytest.raises(IllegalTransition):
        accept(offer)
    assert everything(TABLES) == before


def test_somebody_else_cannot_accept():
    offer = an_offer()
    before = everything(TABLES)
    for actor in (actor_of(a_candidate()), a_recruiter().actor):
        with pytest.raises(NotFound):
            accept_offer(actor=actor, offer_id=offer.public_id, now=NOW)
    with pytest.raises((NotFound, NotPermitted)):
        accept_offer(actor=recruiter_of(offer.opportunity), offer_id=offer.public_id, now=NOW)
    after = everything(TABLES)
    assert all(after[name] == before[name] for name in ("Offer", "Seat", "Application", "Placement"))


def test_expired_offer_cannot_be_accepted():
    offer = an_offer(expires_at=NOW + HOUR)
    before = everything(TABLES)
    with pytest.raises(OfferExpired):
        accept(offer, now=NOW + HOUR)
    assert everything(TABLES) == before


def test_open_call_overtakes_whoever_comes_too_late_and_gives_them_a_place_in_line():
    opportunity = a_published_opportunity(seats=1)
    first, second = (an_offer(an_application(opportunity), kind="open_call") for _ in range(2))
    assert accept(first).seat.state == "filled"
    late = accept(second)
    assert (late.state, late.seat, late.application.status) == ("overtaken", None, "active")
    entry = opportunity.waitlist.get()
    assert (entry.candidate_id, entry.priority) == (second.candidate_id, WaitlistEntry.OVERTAKEN_PRIORITY)


def test_acceptance_beyond_the_candidates_hours_is_refused_and_writes_nothing():
    candidate = a_candidate(weekly_hours=60)
    offers = [an_offer(an_application(a_published_opportunity(), candidate)) for _ in range(2)]
    accept(offers[0])
    before = everything(TABLES)
    with pytest.raises(HoursExceeded) as refused:
        accept(offers[1])
    assert refused.value.data == {"wanted": 60, "taken": 40, "asked": 40}
    assert everything(TABLES) == before


def test_tightened_rule_does_not_cost_anybody_their_offer():
    offer = an_offer(an_application(candidate=a_candidate(country="DE")))
    opportunity = offer.opportunity
    rule = {"attribute": "country", "op": "eq", "value": "FR"}
    set_eligibility_rule(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW)
    assert accept(offer).state == "accepted"


def test_offer_is_not_sent_to_somebody_whom_the_present_rule_excludes():
    application = an_application(candidate=a_candidate(country="DE"))
    opportunity = application.opportunity
    rule = {"attribute": "country", "op": "eq", "value": "FR"}
    set_eligibility_rule(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW)
    with pytest.raises(NotEligible):
        an_offer(application)


def test_declining_frees_the_seat_and_withdraws_the_application():
    offer = an_offer()
    seat = offer.seat
    declined = decline_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, reason="Too far", now=NOW)
    seat.refresh_from_db()
    assert (declined.state, declined.seat, declined.decline_reason) == ("declined", None, "Too far")
    assert (seat.state, declined.application.status) == ("open", "withdrawn")


def test_withdrawing_frees_the_seat_and_keeps_the_application():
    offer = an_offer()
    withdrawn = withdraw_offer(actor=recruiter_of(offer.opportunity), offer_id=offer.public_id, now=NOW)
    withdrawn.application.refresh_from_db()
    assert (withdrawn.state, withdrawn.application.status) == ("withdrawn", "active")
    assert Seat.objects.get().state == "open"


def test_timer_expires_an_unanswered_offer_and_lapses_its_application():
    offer = an_offer(expires_at=NOW + HOUR)
    assert fire_due(NOW + HOUR) == 1
    offer.refresh_from_db()
    assert (offer.state, offer.application.status, Seat.objects.get().state) == ("expired", "lapsed", "open")
    with pytest.raises(OfferExpired):
        accept(offer, now=NOW + 2 * HOUR)


def test_prolonged_offer_outlives_its_first_timer():
    offer = an_offer(expires_at=NOW + HOUR)
    actor = recruiter_of(offer.opportunity)
    with pytest.raises(InvalidInput):
        prolong_offer(actor=actor, offer_id=offer.public_id, expires_at=NOW + HOUR, now=NOW)
    prolong_offer(actor=actor, offer_id=offer.public_id, expires_at=NOW + 3 * HOUR, now=NOW)
    fire_due(NOW + HOUR)
    assert accept(offer, now=NOW + 2 * HOUR).state == "accepted"


def test_accepted_offer_is_not_expired_by_a_late_timer():
    from marketplace.actions.offers import expire_offer

    offer = accept(an_offer())
    expire_offer(offer.pk, NOW + 400 * DAY)
    offer.refresh_from_db()
    assert offer.state == "accepted"


def test_closing_withdraws_live_offers():
    offer = an_offer()
    opportunity = offer.opportunity
    close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)
    offer.refresh_from_db()
    assert (offer.state, offer.application.status) == ("withdrawn", "lapsed")
    with pytest.raises(IllegalTransition):
        accept(offer)


def test_rejecting_withdraws_and_withdrawing_declines_the_live_offer():
    rejected, withdrawn = an_offer(), an_offer()
    reject_application(
        actor=recruiter_of(rejected.opportunity),
        application_id=rejected.application.public_id,
        reason="experience",
        now=NOW,
    )
    withdraw_application(actor=actor_of(withdrawn.candidate), application_id=withdrawn.application.public_id, now=NOW)
    rejected.refresh_from_db()
    withdrawn.refresh_from_db()
    assert (rejected.state, withdrawn.state) == ("withdrawn", "declined")
    assert set(Seat.objects.values_list("state", flat=True)) == {"open"}


def test_offer_to_an_ended_application_is_refused():
    application = an_application()
    withdraw_application(actor=actor_of(application.candidate), application_id=application.public_id, now=NOW)
    application.refresh_from_db()
    with pytest.raises(ApplicationNotActive):
        an_offer(application)


def test_seat_that_comes_free_is_offered_to_the_first_in_line_on_the_terms_they_missed():
    opportunity = a_published_opportunity(seats=1)
    offers = [an_offer(an_application(opportunity), kind="open_call") for _ in range(3)]
    for minute, offer in enumerate(offers):
        accept(offer, now=NOW + HOUR + timedelta(minutes=minute))
    assert serve_waitlist(opportunity.pk, NOW + 2 * HOUR) == 0
    from marketplace.actions.placements import cancel_placement

    cancel_placement(
        actor=recruiter_of(opportunity),
        placement_id=Placement.objects.get().public_id,
        reason="fell ill",
        now=NOW + 2 * HOUR,
    )
    assert serve_waitlist(opportunity.pk, NOW + 2 * HOUR) == 1
    offer = Offer.objects.live().get()
    assert (offer.candidate_id, offer.kind, offer.pay_amount) == (offers[1].candidate_id, "reserved", 25)
    assert opportunity.waitlist.get().candidate_id == offers[2].candidate_id


def test_answered_offer_cannot_be_prolonged():
    offer = accept(an_offer())
    before = everything(TABLES)
    with pytest.raises(IllegalTransition) as refusal:
        prolong_offer(
            actor=recruiter_of(offer.opportunity), offer_id=offer.public_id, expires_at=NOW + 9 * DAY, now=NOW
        )
    assert refusal.value.data["machine"] == "offer"
    assert everything(TABLES) == before


@pytest.mark.parametrize("kind", ["reserved", "open_call"])
def test_who_accepts_twice_is_told_of_the_offer(kind):
    offer = accept(an_offer(kind=kind))
    with pytest.raises(IllegalTransition) as refusal:
        accept(offer)
    assert refusal.value.data == {"machine": "offer", "state": "accepted", "action": "accept", "legal": []}


def test_nobody_is_offered_what_either_side_has_turned_away_from():
    blocking, unwanted = an_application(), an_application()
    organisation = blocking.opportunity.posting_organisation
    blocking.candidate.blocked_organisations.add(organisation)
    by = recruiter_of(unwanted.opportunity)
    group = standard_group(
        actor=by, organisation_id=unwanted.opportunity.posting_organisation.public_id, kind="do_not_rehire"
    )
    add_to_group(actor=by, group_id=group.public_id, candidate_id=unwanted.candidate.public_id, now=NOW)
    before = everything(TABLES)
    with pytest.raises(OrganisationBlocked):
        an_offer(blocking)
    with pytest.raises(NotConsidered):
        an_offer(unwanted)
    assert everything(TABLES) == before


def test_suspended_organisation_sends_no_offers():
    application = an_application()
    Organisation.objects.update(suspended_at=NOW)
    with pytest.raises(OpportunityNotOpen):
        an_offer(application)


def test_whoever_waits_but_may_no_longer_be_offered_leaves_the_line_to_the_next():
    opportunity = a_published_opportunity(seats=1)
    offers = [an_offer(an_application(opportunity), kind="open_call") for _ in range(3)]
    for minute, offer in enumerate(offers):
        accept(offer, now=NOW + HOUR + timedelta(minutes=minute))
    offers[1].candidate.blocked_organisations.add(opportunity.posting_organisation)
    change_seats(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, seats=2, now=NOW + HOUR)
    assert serve_waitlist(opportunity.pk, NOW + 2 * HOUR) == 1
    assert Offer.objects.live().get().candidate_id == offers[2].candidate_id
    assert not opportunity.waitlist.exists()
