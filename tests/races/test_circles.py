"""Two who need the same rows do not wait for each other in a circle."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from accounts.actions.timers import fire_due
from accounts.core.actor import Actor
from accounts.models import Timer
from marketplace.actions.offers import serve_waitlist, withdraw_offer
from marketplace.actions.opportunities import change_seats
from marketplace.models import Offer
from tests.marketplace.factories import HOUR, NOW, a_published_opportunity, an_application, recruiter_of
from tests.marketplace.test_offers import accept, an_offer
from tests.races.crowd import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def settle(job: tuple[str, int, UUID]) -> str:
    what, user_id, offer_id = job
    if what == "fire":
        fire_due(NOW + 2 * HOUR)
        return what
    return withdraw_offer(actor=Actor(user_id=user_id), offer_id=offer_id, now=NOW + 2 * HOUR).state


def test_offer_that_is_withdrawn_while_its_timer_fires_ends_once() -> None:
    for _ in range(4):
        offer = an_offer(expires_at=NOW + HOUR)
        boss = recruiter_of(offer.opportunity).user_id or 0
        answers = all_at_once(settle, [(what, boss, offer.public_id) for what in ("fire", "withdraw")], processes=2)
        assert set(answers) <= {"fire", "withdrawn", "IllegalTransition"}
        offer.refresh_from_db()
        assert offer.state in {"expired", "withdrawn"}
        assert not Timer.objects.exclude(last_error="").exists()


def serve(opportunity_id: int) -> str:
    return str(serve_waitlist(opportunity_id, NOW + 2 * HOUR))


def test_line_that_is_served_by_four_at_once_is_served_once_and_in_order() -> None:
    opportunity = a_published_opportunity(seats=1)
    offers = [an_offer(an_application(opportunity), kind="open_call") for _ in range(7)]
    for minute, offer in enumerate(offers):
        accept(offer, now=NOW + HOUR + timedelta(minutes=minute))
    change_seats(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, seats=4, now=NOW + HOUR)

    answers = Counter(all_at_once(serve, [opportunity.pk] * 4, processes=4))

    assert answers == {"3": 1, "0": 3}
    served = set(Offer.objects.live().values_list("candidate_id", flat=True))
    assert served == {offer.candidate_id for offer in offers[1:4]}
    assert opportunity.waitlist.count() == 3
