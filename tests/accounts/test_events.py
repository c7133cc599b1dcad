"""The outbox: events, deliveries, transitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.actions import bell, deliveries, events
from accounts.actions.organisations import create_organisation
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.errors import IllegalTransition, NotFound, NotPermitted
from accounts.models import Delivery, Event, Organisation, Transition, User
from accounts.subscriptions import consumers_of, consumes, consumes_many, handler_of
from marketplace.core.workflow import OPPORTUNITY
from marketplace.models import Opportunity

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
SYSTEM = Actor.system("test")
heard: list[int] = []


@consumes(["Heard"])
def hear(event: Event) -> None:
    heard.append(event.pk)
    Organisation.objects.filter(pk=event.aggregate_id).update(website="https://heard.example")


@consumes(["Broken"])
def hear_and_fail(event: Event) -> None:
    hear(event)
    raise RuntimeError("no ears today")


@consumes(["Heard", "OrganisationCreated"])
def overhear(event: Event) -> None:
    hear(event)


@consumes_many(["Murmured", "Coughed"])
def hear_murmurs(events) -> None:
    for event in events:
        hear(event)
        if event.name == "Coughed":
            raise RuntimeError("no ears today")


@consumes(["Hinted"], but=lambda event: event.payload.get("idle", False))
def take_hints(event: Event) -> None:
    hear(event)


@pytest.fixture(autouse=True)
def consumers(settings):
    settings.CONSUMERS = {
        "ears": f"{__name__}.hear",
        "broken": f"{__name__}.hear_and_fail",
        "gossip": f"{__name__}.overhear",
        "crowd": f"{__name__}.hear_murmurs",
        "hints": f"{__name__}.take_hints",
    }
    consumers_of.cache_clear()
    handler_of.cache_clear()
    heard.clear()
    yield
    consumers_of.cache_clear()
    handler_of.cache_clear()


@pytest.fixture
def organisation(db):
    return Organisation.objects.create(name="Weld & Sons", slug="weld-and-sons")


def append(organisation, name: str, **payload: bool) -> Event:
    with transaction.atomic():
        return events.append(organisation, name, actor=SYSTEM, by=ActorKind.SYSTEM, now=NOW, payload=payload)


def test_sequence_is_gapless_per_aggregate(organisation):
    other = Organisation.objects.create(name="Other", slug="other")
    sequences = [append(organisation, "Heard").sequence for _ in range(3)]
    assert sequences == [1, 2, 3]
    assert append(other, "Heard").sequence == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        append(organisation, "Heard")
        raise ZeroDivisionError
    assert append(organisation, "Heard").sequence == 4


@pytest.mark.django_db(transaction=True)
def test_event_outside_a_transaction_is_refused():
    organisation = Organisation.objects.create(name="Weld & Sons", slug="weld-and-sons")
    with pytest.raises(RuntimeError, match="in the transaction"):
        events.append(organisation, "Heard", actor=SYSTEM, by=ActorKind.SYSTEM, now=NOW)
    assert not Event.objects.exists()


def test_event_has_one_delivery_per_subscribed_consumer(organisation):
    event = append(organisation, "Heard")
    assert set(event.deliveries.values_list("consumer", flat=True)) == {"ears", "gossip"}


def test_event_cannot_be_rewritten(organisation):
    event = append(organisation, "Heard")
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(name="Misheard")
    event.refresh_from_db()
    assert event.name == "Heard"


def test_delivery_takes_effect_once(organisation):
    event = append(organisation, "Heard")
    assert deliveries.deliver_due("ears", NOW) == 1
    assert deliveries.deliver_due("ears", NOW) == 0
    assert heard == [event.pk]
    delivery = event.deliveries.get(consumer="ears")
    assert (delivery.state, delivery.attempts, delivery.done_at) == (Delivery.State.DONE, 1, NOW)


def test_failed_delivery_undoes_its_effect_and_is_tried_again_later(organisation):
    append(organisation, "Broken")
    assert deliveries.deliver_due("broken", NOW) == 1
    organisation.refresh_from_db()
    assert organisation.website == ""
    delivery = Delivery.objects.get(consumer="broken")
    assert delivery.state == Delivery.State.PENDING
    assert delivery.last_error.startswith("RuntimeError at ")
    assert delivery.due_at == NOW + timedelta(seconds=2)
    assert deliveries.deliver_due("broken", NOW) == 0


def test_many_deliveries_are_one_transaction_and_take_effect_once(organisation, django_assert_num_queries):
    murmured = [append(organisation, "Murmured").pk for _ in range(20)]
    with django_assert_num_queries(6 + 20):  # an update for each is what this consumer does
        assert deliveries.deliver_due("crowd", NOW) == 20
    assert deliveries.deliver_due("crowd", NOW) == 0
    assert heard == murmured
    done = Delivery.objects.filter(consumer="crowd")
    assert {(one.state, one.attempts, one.done_at) for one in done} == {(Delivery.State.DONE, 1, NOW)}


def test_one_that_fails_among_many_is_tried_again_later_and_the_others_take_effect(organisation):
    one, broken, other = (append(organisation, name) for name in ("Murmured", "Coughed", "Murmured"))
    assert deliveries.deliver_due("crowd", NOW) == 3
    states = {each.event_id: each.state for each in Delivery.objects.filter(consumer="crowd")}
    assert states == {
        one.pk: Delivery.State.DONE,
        broken.pk: Delivery.State.PENDING,
        other.pk: Delivery.State.DONE,
    }
    assert Delivery.objects.get(consumer="crowd", event=broken).due_at == NOW + timedelta(seconds=2)


def test_what_a_consumer_has_no_use_for_is_done_together_and_not_told(organisation, django_assert_max_num_queries):
    for number in range(6):
        append(organisation, "Hinted", idle=number != 2)
    with django_assert_max_num_queries(16):  # of seven more there are four
        assert deliveries.deliver_due("hints", NOW) == 6
    assert heard == [Event.objects.order_by("pk")[2].pk]
    assert not Delivery.objects.exclude(state=Delivery.State.DONE, attempts=1).exists()
    assert deliveries.deliver_due("hints", NOW) == 0


def test_rings_within_a_while_are_one_and_whoever_takes_many_events_is_rung_for_in_the_quick_queue(
    monkeypatch, settings
):
    rung = []
    monkeypatch.setattr(bell.current_app, "send_task", lambda task, args, **how: rung.append((*args, how["queue"])))
    monkeypatch.setattr(bell, "_rest_until", {})
    for _ in range(3):
        bell.ring(["ears", "crowd"])
    assert rung == [("ears", settings.CELERY_TASK_DEFAULT_QUEUE), ("crowd", settings.QUICK_QUEUE)]
    later = bell.time.monotonic() + bell.GATHER_SECONDS
    monkeypatch.setattr(bell.time, "monotonic", lambda: later)
    bell.ring(["crowd"])
    assert len(rung) == 3


def test_delivery_that_keeps_failing_is_left_to_staff_who_can_retry_it(organisation):
    append(organisation, "Broken")
    now = NOW
    for _ in range(Delivery.MAX_ATTEMPTS):
        now += timedelta(days=1)
        deliveries.deliver_due("broken", now)
    delivery = Delivery.objects.get(consumer="broken")
    assert delivery.state == Delivery.State.FAILED
    with pytest.raises(NotPermitted):
        deliveries.retry_delivery(actor=Actor(user_id=1), delivery_id=delivery.pk, now=now)
    deliveries.retry_delivery(actor=Actor(user_id=1, is_staff=True), delivery_id=delivery.pk, now=now)
    assert deliveries.due_consumers(now) == ["broken"]
    with pytest.raises(NotFound):
        deliveries.retry_delivery(actor=Actor(user_id=1, is_staff=True), delivery_id=delivery.pk, now=now)


def test_bell_that_cannot_ring_neither_raises_nor_asks_again_at_once(monkeypatch, caplog):
    calls = []

    def unreachable(*args, **kwargs):
        calls.append(args)
        raise ConnectionError("no Redis")

    monkeypatch.setattr(bell.current_app, "send_task", unreachable)
    monkeypatch.setattr(bell, "_quiet_until", 0.0)
    monkeypatch.setattr(bell, "_rest_until", {})
    bell.ring(["ears"])
    bell.ring(["ears"])
    assert len(calls) == 1


def test_founding_an_organisation_rings_after_commit_only(django_capture_on_commit_callbacks, monkeypatch, db):
    rung: list = []
    monkeypatch.setattr(bell, "ring", lambda consumers: rung.append(tuple(consumers)))
    user = User.objects.create_user("owner@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        create_organisation(actor=Actor(user_id=user.pk), name="Weld & Sons", now=NOW)
        assert rung == []
    assert rung == [("gossip",)]


@pytest.fixture
def opportunity(organisation):
    return Opportunity.objects.create(
        posting_organisation=organisation, hiring_organisation=organisation, title="Welder"
    )


def test_move_writes_state_one_event_and_one_log_row(opportunity):
    with transaction.atomic():
        event = move(opportunity, OPPORTUNITY, "submit", actor=SYSTEM, by=ActorKind.STAFF, now=NOW, reason="looks fine")
    opportunity.refresh_from_db()
    assert opportunity.state == "in_review"
    transition = Transition.objects.get()
    assert (transition.event, transition.from_state, transition.to_state) == (event, "draft", "in_review")
    assert (event.name, event.payload) == ("OpportunitySubmitted", {"from": "draft", "to": "in_review"})


def test_move_is_one_statement_and_writes_what_changes_with_the_state(opportunity, django_assert_num_queries):
    opportunity.title = "not meant to be written"
    with transaction.atomic(), django_assert_num_queries(1):
        extra = {"description": "Ships."}
        move(opportunity, OPPORTUNITY, "submit", actor=SYSTEM, by=ActorKind.STAFF, now=NOW, extra_fields=extra)
    opportunity.refresh_from_db()
    assert (opportunity.state, opportunity.description, opportunity.title) == ("in_review", "Ships.", "Welder")


def test_move_of_a_row_that_is_gone_raises_and_writes_nothing(opportunity):
    key = opportunity.pk
    Opportunity.objects.filter(pk=key).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        move(opportunity, OPPORTUNITY, "submit", actor=SYSTEM, by=ActorKind.STAFF, now=NOW)
    assert not Event.objects.filter(aggregate_type="opportunity", aggregate_id=key).exists()
    assert not Transition.objects.exists()


@pytest.mark.parametrize("action", ["resume", "reopen", "explode"])
def test_illegal_move_names_the_legal_ones_and_writes_nothing(opportunity, action):
    with pytest.raises(IllegalTransition) as refused, transaction.atomic():
        move(opportunity, OPPORTUNITY, action, actor=SYSTEM, by=ActorKind.MEMBER, now=NOW)
    assert refused.value.data["legal"] == ["submit", "publish"]
    opportunity.refresh_from_db()
    assert opportunity.state == "draft"
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_log_of_transitions_cannot_be_rewritten(opportunity):
    with transaction.atomic():
        move(opportunity, OPPORTUNITY, "submit", actor=SYSTEM, by=ActorKind.STAFF, now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_transition SET to_state = 'closed'")
