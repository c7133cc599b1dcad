"""Acceptances that meet: real processes, real connections, one database."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from accounts.core.actor import Actor
from accounts.models import Event, User
from marketplace.actions.offers import accept_offer, withdraw_offer
from marketplace.actions.opportunities import close_opportunity
from marketplace.models import Application, Candidate, Offer, Placement, Seat, WaitlistEntry
from tests.marketplace.factories import (
    HOUR,
    NOW,
    a_candidate,
    a_published_opportunity,
    actor_of,
    an_application,
    recruiter_of,
)
from tests.marketplace.test_offers import an_offer
from tests.races.crowd import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.slow]


def copies_of(offer: Offer, number: int) -> list[tuple[int, UUID]]:
    """User and offer of this person and of `number` more who were offered the same: rows, without the ceremony."""
    application, candidate = offer.application, offer.candidate
    users = User.objects.bulk_create([User(email=f"caller{n}@example.org") for n in range(number)])
    people = Candidate.objects.bulk_create(
        [Candidate(user=user, name=user.email, weekly_hours=candidate.weekly_hours) for user in users]
    )
    same = {"opportunity": offer.opportunity, "revision": offer.revision, "created_at": NOW}
    applications = Application.objects.bulk_create(
        [
            Application(candidate=one, reference=Application.new_reference(), verdict=application.verdict, **same)
            for one in people
        ]
    )
    terms = {name: getattr(offer, name) for name in ("pay_amount", "pay_currency", "pay_period", "weekly_hours",
                                                     "starts_on", "expires_at", "kind")}  # fmt: skip
    offers = Offer.objects.bulk_create(
        [
            Offer(application=one, candidate=one.candidate, reference=Offer.new_reference(), **same, **terms)
            for one in applications
        ]
    )
    return [(one.candidate.user_id, one.public_id) for one in (offer, *offers)]


def accept(pair: tuple[int, UUID]) -> str:
    user_id, offer_id = pair
    return accept_offer(actor=Actor(user_id=user_id), offer_id=offer_id, now=NOW + HOUR).state


def test_an_open_call_accepted_by_all_at_once_fills_its_seats_and_lines_up_the_rest():
    offers, seats = 60, 6
    opportunity = a_published_opportunity(seats=seats)
    pairs = copies_of(an_offer(an_application(opportunity), kind="open_call"), offers - 1)

    answers = all_at_once(accept, pairs, processes=15)

    assert Counter(answers) == {"accepted": seats, "overtaken": offers - seats}
    assert Placement.objects.count() == seats
    assert Placement.objects.values("seat").distinct().count() == seats
    assert set(Seat.objects.values_list("state", flat=True)) == {"filled"}
    overtaken = Offer.objects.filter(state="overtaken")
    assert set(WaitlistEntry.objects.values_list("candidate_id", flat=True)) == set(
        overtaken.values_list("candidate_id", flat=True)
    )
    assert Event.objects.filter(name="OfferAccepted").count() == seats
    assert Event.objects.filter(name="OfferOvertaken").count() == offers - seats


def test_two_acceptances_at_once_that_exceed_a_persons_hours_make_one_placement():
    for _ in range(2):
        candidate = a_candidate(weekly_hours=40)
        offers = [an_offer(an_application(a_published_opportunity(), candidate)) for _ in range(2)]
        pairs = [(candidate.user_id, offer.public_id) for offer in offers]
        answers = all_at_once(accept, pairs, processes=2)
        assert Counter(answers) == {"accepted": 1, "HoursExceeded": 1}
        assert candidate.placements.count() == 1
        assert sorted(Offer.objects.filter(candidate=candidate).values_list("state", flat=True)) == ["accepted", "sent"]


def test_the_same_offer_accepted_eight_times_at_once_makes_one_placement():
    offer = an_offer()
    answers = all_at_once(accept, [(offer.candidate.user_id, offer.public_id)] * 8, processes=8)
    assert Counter(answers) == {"accepted": 1, "IllegalTransition": 7}
    assert Placement.objects.count() == 1


def settle(job: tuple[str, int, UUID]) -> str:
    what, user_id, row_id = job
    actor = Actor(user_id=user_id)
    if what == "withdraw":
        return withdraw_offer(actor=actor, offer_id=row_id, now=NOW + HOUR).state
    if what == "close":
        return close_opportunity(actor=actor, opportunity_id=row_id, now=NOW + HOUR).state
    return accept_offer(actor=actor, offer_id=row_id, now=NOW + HOUR).state


@pytest.mark.parametrize("rival", ["withdraw", "close"])
def test_acceptance_against_its_rival_has_one_winner(rival):
    for _ in range(2):
        offer = an_offer(an_application(a_published_opportunity(seats=2)))
        boss = recruiter_of(offer.opportunity).user_id
        row = offer.public_id if rival == "withdraw" else offer.opportunity.public_id
        jobs = [("accept", actor_of(offer.candidate).user_id, offer.public_id), (rival, boss, row)]
        all_at_once(settle, jobs, processes=2)
        offer.refresh_from_db()
        seats = Counter(offer.opportunity.seats.values_list("state", flat=True))
        if offer.state == "accepted":
            assert (offer.placement.state, seats["filled"]) == ("onboarding", 1)
        else:
            assert (offer.state, seats["open"]) == ("withdrawn", 2)
            assert not Placement.objects.filter(offer=offer).exists()


def hire(job: tuple[int, UUID]) -> str:
    from decimal import Decimal

    from marketplace.actions.offers import send_offer
    from marketplace.core.money import Pay

    user_id, application_id = job
    pay = Pay(Decimal(25), "EUR", "hour")
    return send_offer(actor=Actor(user_id=user_id), application_id=application_id, pay=pay, now=NOW).state


def test_reserved_offers_sent_at_once_never_hold_more_seats_than_there_are():
    opportunity = a_published_opportunity(seats=3)
    boss = recruiter_of(opportunity).user_id
    jobs = [(boss, an_application(opportunity).public_id) for _ in range(8)]
    answers = all_at_once(hire, jobs, processes=8)
    assert Counter(answers) == {"sent": 3, "SeatsFilled": 5}
    assert set(opportunity.seats.values_list("state", flat=True)) == {"held"}
