"""Races that are run for minutes: what happens once in a thousand times happens here."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.core.actor import Actor
from accounts.models import Event
from marketplace.actions.offers import accept_offer, decline_offer, expire_offer, send_offer, withdraw_offer
from marketplace.actions.opportunities import change_seats
from marketplace.core.money import Pay
from marketplace.models import Offer, Placement, Seat
from marketplace.queries.audit import audit
from tests.marketplace.factories import HOUR, NOW, a_candidate, a_published_opportunity, an_application, recruiter_of
from tests.marketplace.test_offers import an_offer
from tests.races.crowd import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.soak]

ROUNDS = 10
PAY = Pay(Decimal(25), "EUR", "hour")
DELIVERIES = "all deliveries are done"  # no worker runs here


def broken_promises() -> list[str]:
    return [violation.promise for violation in audit().violations if violation.promise != DELIVERIES]


def accept(job: tuple[int, UUID]) -> str:
    user_id, offer_id = job
    return accept_offer(actor=Actor(user_id=user_id), offer_id=offer_id, now=NOW + HOUR).state


def test_open_calls_of_200_offers_for_20_seats_round_after_round() -> None:
    for done in range(1, ROUNDS + 1):
        opportunity = a_published_opportunity(seats=20)
        offers = [an_offer(an_application(opportunity), kind="open_call") for _ in range(200)]
        answers = all_at_once(accept, [(o.candidate.user_id, o.public_id) for o in offers], processes=25)
        assert Counter(answers) == {"accepted": 20, "overtaken": 180}
        assert Placement.objects.count() == 20 * done
        assert broken_promises() == []


Job = tuple[str, int, UUID, int]


def settle(job: Job) -> str:
    """One of all the things that may happen to an offer or its opportunity. What it refuses it names."""
    what, user_id, public_id, key = job
    actor, later = Actor(user_id=user_id), NOW + HOUR
    if what == "accept":
        accept_offer(actor=actor, offer_id=public_id, now=later)
    elif what == "decline":
        decline_offer(actor=actor, offer_id=public_id, now=later)
    elif what == "withdraw":
        withdraw_offer(actor=actor, offer_id=public_id, now=later)
    elif what == "expire":
        expire_offer(key, after_all_deadlines())
    elif what == "offer":
        send_offer(actor=actor, application_id=public_id, pay=PAY, now=later)
    else:
        change_seats(actor=actor, opportunity_id=public_id, seats=key, now=later)
    return what


def after_all_deadlines() -> datetime:
    return NOW + 1000 * HOUR


REFUSALS = {"IllegalTransition", "SeatsFilled", "OfferExists", "ApplicationNotActive", "HoursExceeded", "OfferExpired"}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_everything_at_once_leaves_books_that_balance(seed: int) -> None:
    chance = random.Random(seed)
    people = [a_candidate(weekly_hours=40) for _ in range(24)]
    jobs: list[Job] = []
    for _ in range(4):
        opportunity = a_published_opportunity(seats=8)
        boss = recruiter_of(opportunity).user_id
        assert boss is not None
        for person in people:
            application = an_application(opportunity, person)
            jobs.append(("offer", boss, application.public_id, 0))
        for application in list(opportunity.applications.all())[:6]:
            offer = an_offer(application)
            whose = offer.candidate.user_id
            assert whose is not None
            jobs += [(what, whose, offer.public_id, offer.pk) for what in ("accept", "accept", "decline")]
            jobs += [("withdraw", boss, offer.public_id, offer.pk), ("expire", boss, offer.public_id, offer.pk)]
        jobs += [("seats", boss, opportunity.public_id, seats) for seats in (6, 12, 7, 10)]
    chance.shuffle(jobs)

    answers = Counter(all_at_once(settle, jobs, processes=12))

    assert answers.keys() <= REFUSALS | {"accept", "decline", "withdraw", "expire", "offer", "seats"}, answers
    assert broken_promises() == []
    assert Event.objects.filter(name="OfferAccepted").count() == Placement.objects.count()
    assert Seat.objects.filter(state="held").count() == Offer.objects.live().count()
