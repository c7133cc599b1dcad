"""Acceptances from many clients at once, each with the moment of its call and of its answer: one clerk could have given
all those answers, one after the other."""

from __future__ import annotations

import time
from collections import Counter
from uuid import UUID

import pytest

from marketplace.models import Offer, Placement, Seat, WaitlistEntry
from marketplace.queries.audit import audit
from tests.marketplace.factories import a_published_opportunity, an_application
from tests.marketplace.test_offers import an_offer
from tests.races.crowd import all_at_once
from tests.races.history import ACCEPTED, OVERTAKEN, Operation, faults
from tests.races.test_acceptance import accept, copies_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]

DELIVERIES = "all deliveries are done"  # no worker runs here


def timed(pair: tuple[int, UUID]) -> str:
    """The answer, between its two moments. All processes of a machine read the same monotonic clock."""
    called = time.monotonic_ns()
    answer = accept(pair)
    return f"{called} {time.monotonic_ns()} {answer}"


def read(line: str) -> Operation:
    called, answered, answer = line.split()
    return Operation(int(called), int(answered), answer)


def crowded(*, calls: int, seats: int, clients: int) -> list[Operation]:
    """The history of so many who accept one opportunity's open calls. Every answer is in it."""
    opportunity = a_published_opportunity(seats=seats)
    pairs = copies_of(an_offer(an_application(opportunity), kind="open_call"), calls - 1)
    history = [read(line) for line in all_at_once(timed, pairs, processes=clients)]
    assert len(history) == calls
    assert faults(history, seats=seats) == []
    assert Counter(one.answer for one in history) == {ACCEPTED: seats, OVERTAKEN: calls - seats}
    assert Counter(Seat.objects.values_list("state", flat=True)) == {"filled": seats}
    assert Placement.objects.values("seat").distinct().count() == Placement.objects.count() == seats
    assert Counter(Offer.objects.values_list("state", flat=True)) == {ACCEPTED: seats, OVERTAKEN: calls - seats}
    assert WaitlistEntry.objects.count() == calls - seats
    assert [violation for violation in audit().violations if violation.promise != DELIVERIES] == []
    return history


def test_what_80_are_answered_at_once_could_have_been_answered_one_after_the_other():
    crowded(calls=80, seats=30, clients=8)


@pytest.mark.soak
def test_what_10_000_are_answered_by_64_clients_could_have_been_answered_one_after_the_other():
    history = crowded(calls=10_000, seats=6_000, clients=64)
    seconds = (max(one.answered for one in history) - min(one.called for one in history)) / 1e9
    waits = sorted((one.answered - one.called) / 1e6 for one in history)
    at_once = sum(one.called < history[0].answered and one.answered > history[0].called for one in history)
    print(
        f"10,000 acceptances from 64 clients in {seconds:.1f} s ({10_000 / seconds:.0f}/s),"
        f" p50 {waits[5_000]:.0f} ms, p95 {waits[9_500]:.0f} ms; {at_once} overlapped the first"
    )
