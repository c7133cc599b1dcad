"""Everything that may happen to a market, at random and at once: the books balance and nobody waits in a circle."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import pytest

from accounts.actions.deliveries import deliver_due
from accounts.actions.timers import fire_due
from accounts.core.actor import Actor
from accounts.models import Delivery, Timer
from marketplace.actions import applications, offers, opportunities, placements
from marketplace.core.money import Pay
from marketplace.models import Application, Offer, Placement
from marketplace.queries.audit import audit
from tests.marketplace.factories import HOUR, NOW, a_candidate, a_published_opportunity, an_application, recruiter_of
from tests.marketplace.test_offers import an_offer
from tests.races.crowd import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.slow]

PAY = Pay(Decimal(25), "EUR", "hour")
LATER = NOW + HOUR
DELIVERIES = "all deliveries are done"  # nobody carries out those that are left at the end
REFUSALS = {
    "AlreadyApplied",
    "ApplicationNotActive",
    "HoursExceeded",
    "IllegalTransition",
    "OfferExists",
    "OfferExpired",
    "OpportunityIncomplete",
    "OpportunityNotOpen",
    "OpportunityOver",
    "PlacementOver",
    "SeatsFilled",
}


class Job(NamedTuple):
    """What somebody tries. Rows that come into being meanwhile are found by the pair they belong to."""

    what: str
    person: int  # candidate, inner id
    user: int
    opportunity: int
    opportunity_id: UUID
    boss: int
    number: int


def _application(job: Job) -> UUID:
    row = Application.objects.filter(candidate=job.person, opportunity=job.opportunity).order_by("-pk").first()
    return row.public_id if row else UUID(int=0)


def _offer(job: Job) -> Offer | None:
    return Offer.objects.filter(candidate=job.person, opportunity=job.opportunity).order_by("-pk").first()


def _offer_id(job: Job) -> UUID:
    offer = _offer(job)
    return offer.public_id if offer else UUID(int=0)


def _placement(job: Job) -> UUID:
    row = Placement.objects.filter(candidate=job.person, opportunity=job.opportunity).order_by("-pk").first()
    return row.public_id if row else UUID(int=0)


def _person(job: Job) -> Actor:
    return Actor(user_id=job.user)


def _boss(job: Job) -> Actor:
    return Actor(user_id=job.boss)


def _send(job: Job, kind: str) -> object:
    return offers.send_offer(actor=_boss(job), application_id=_application(job), pay=PAY, kind=kind, now=LATER)


def _fire(job: Job) -> object:
    """Some deadlines pass, for the timers at least."""
    return fire_due(NOW + timedelta(hours=job.number), limit=5)


WAYS: dict[str, Callable[[Job], object]] = {
    "apply": lambda job: applications.apply(actor=_person(job), opportunity_id=job.opportunity_id, now=LATER),
    "step back": lambda job: applications.withdraw_application(
        actor=_person(job), application_id=_application(job), now=LATER
    ),
    "reject": lambda job: applications.reject_application(
        actor=_boss(job), application_id=_application(job), reason="filled", now=LATER
    ),
    "offer": lambda job: _send(job, Offer.Kind.RESERVED),
    "call": lambda job: _send(job, Offer.Kind.OPEN_CALL),
    "accept": lambda job: offers.accept_offer(actor=_person(job), offer_id=_offer_id(job), now=LATER),
    "decline": lambda job: offers.decline_offer(actor=_person(job), offer_id=_offer_id(job), now=LATER),
    "prolong": lambda job: offers.prolong_offer(
        actor=_boss(job), offer_id=_offer_id(job), expires_at=NOW + timedelta(hours=80 + job.number), now=LATER
    ),
    "withdraw": lambda job: offers.withdraw_offer(actor=_boss(job), offer_id=_offer_id(job), now=LATER),
    "expire": lambda job: offers.expire_offer(getattr(_offer(job), "pk", 0), NOW + timedelta(hours=job.number)),
    "deadlines": _fire,
    "seats": lambda job: opportunities.change_seats(
        actor=_boss(job), opportunity_id=job.opportunity_id, seats=1 + job.number % 6, now=LATER
    ),
    "close": lambda job: opportunities.close_opportunity(
        actor=_boss(job), opportunity_id=job.opportunity_id, now=LATER
    ),
    "reopen": lambda job: opportunities.reopen_opportunity(
        actor=_boss(job), opportunity_id=job.opportunity_id, now=LATER
    ),
    "start": lambda job: placements.start_placement(actor=_boss(job), placement_id=_placement(job), now=LATER),
    "terms": lambda job: placements.change_terms(
        actor=_boss(job),
        placement_id=_placement(job),
        weekly_hours=30 + job.number % 20,
        pay=PAY,
        from_on=(NOW + timedelta(days=job.number % 3)).date(),
        now=LATER,
    ),
    "cancel": lambda job: placements.cancel_placement(
        actor=_person(job), placement_id=_placement(job), reason="other work", now=LATER
    ),
    "no show": lambda job: placements.report_no_show(actor=_boss(job), placement_id=_placement(job), now=LATER),
    "serve": lambda job: offers.serve_waitlist(job.opportunity, LATER),
    "deliver": lambda job: deliver_due("waitlist", LATER + HOUR, limit=3),
}
OFTEN = ("apply", "offer", "call", "accept", "accept", "serve", "deliver", "deadlines", "seats", "step back")


def attempt(job: Job) -> str:
    WAYS[job.what](job)
    return job.what


def play(seed: int, *, people: int, jobs: int, processes: int) -> Counter[str]:
    """A market of four opportunities, some of them under offer already, and a crowd that does what it likes."""
    chance = random.Random(seed)
    crowd = [a_candidate(weekly_hours=chance.choice([40, 60, 80])) for _ in range(people)]
    scenes = []
    for _ in range(4):
        opportunity = a_published_opportunity(seats=4, closes_at=NOW + timedelta(hours=100))
        boss = recruiter_of(opportunity).user_id
        for person in crowd:
            an_offer(an_application(opportunity, person), kind="open_call")
        scenes.append((opportunity, boss))
    ways = [*WAYS, *OFTEN, *OFTEN]
    todo = []
    for _ in range(jobs):
        person, (opportunity, boss) = chance.choice(crowd), chance.choice(scenes)
        what = chance.choice(ways)
        if what == "close" and chance.random() < 0.7:
            what = "reopen"
        assert person.user_id is not None and boss is not None
        todo.append(
            Job(what, person.pk, person.user_id, opportunity.pk, opportunity.public_id, boss, chance.randrange(1, 120))
        )
    return Counter(all_at_once(attempt, todo, processes=processes))


def expect_balance(answers: Counter[str]) -> None:
    assert answers.keys() <= REFUSALS | WAYS.keys() | {"NotFound"}, answers
    assert not Delivery.objects.exclude(last_error="").exists()
    assert not Timer.objects.exclude(last_error="").exists()
    assert [violation for violation in audit().violations if violation.promise != DELIVERIES] == []


def test_a_crowd_that_does_what_it_likes_leaves_books_that_balance() -> None:
    expect_balance(play(1, people=5, jobs=240, processes=6))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 22))
def test_a_crowd_that_does_what_it_likes_for_minutes_leaves_books_that_balance(seed: int) -> None:
    expect_balance(play(seed, people=24, jobs=2500, processes=16))
