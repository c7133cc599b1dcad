"""A keyed mutation is carried out once, however often it is sent and whatever dies in between."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from accounts.actions import idempotency
from accounts.models import IdempotencyRecord, Organisation
from tests.config.graphql_client import Asker
from tests.marketplace.factories import a_user, actor_of

FOUND = """mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) {
    __typename ... on Organisation { slug id name } ... on Refusal { code field } } }"""


def founding(key: str | None = "key-1", name: str = "Works") -> dict[str, Any]:
    return {"name": name, "idempotencyKey": key}


@pytest.mark.django_db
def test_the_same_request_is_answered_the_same_byte_for_byte_and_done_once() -> None:
    asker = Asker(a_user())
    body = {"query": FOUND, "variables": {"input": founding()}}
    first, second = asker.post(body), asker.post(body)
    assert first.content == second.content
    assert first.json()["data"]["createOrganisation"]["slug"] == "works"
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
def test_a_refusal_is_kept_like_any_answer() -> None:
    asker = Asker(a_user())
    asker.ask(FOUND, input=founding(None))
    taken = founding() | {"slug": "works"}
    assert asker.ask(FOUND, input=taken)["createOrganisation"]["code"] == "SLUG_TAKEN"
    Organisation.objects.all().delete()
    assert asker.ask(FOUND, input=taken)["createOrganisation"]["code"] == "SLUG_TAKEN"
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_another_input_under_the_same_key_is_refused() -> None:
    asker = Asker(a_user())
    asker.ask(FOUND, input=founding())
    assert asker.ask(FOUND, input=founding(name="Mills"))["createOrganisation"] == {
        "__typename": "CreateOrganisationRefused",
        "code": "IDEMPOTENCY_KEY_REUSED",
        "field": None,
    }
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
def test_keys_belong_to_their_principal() -> None:
    for person in (a_user(), a_user()):
        assert Asker(person).ask(FOUND, input=founding())["createOrganisation"]["__typename"] == "Organisation"
    assert Organisation.objects.count() == 2


@pytest.mark.django_db
def test_a_key_needs_a_login() -> None:
    assert Asker().ask(FOUND, input=founding())["createOrganisation"]["code"] == "LOGIN_REQUIRED"
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 121, "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    answer = Asker(a_user()).ask(FOUND, input=founding(key))["createOrganisation"]
    assert (answer["code"], answer["field"]) == ("INVALID_INPUT", "idempotencyKey")
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_a_keyed_operation_has_exactly_one_mutation() -> None:
    query = """mutation {
        a: createOrganisation(input: {name: "A", idempotencyKey: "k"}) { __typename ... on Refusal { code } }
        b: createOrganisation(input: {name: "B"}) { __typename ... on Refusal { code } } }"""
    answer = Asker(a_user()).ask(query)
    assert {one["code"] for one in answer.values()} == {"INVALID_INPUT"}
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_a_key_in_flight_is_refused_until_its_lease_is_over() -> None:
    person = a_user()
    asker = Asker(person)
    asker.ask(FOUND, input=founding())
    Organisation.objects.all().delete()
    # As a request leaves it that was killed before its commit.
    IdempotencyRecord.objects.update(response=None, leased_until=timezone.now() + timedelta(seconds=30))
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["code"] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    IdempotencyRecord.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["__typename"] == "Organisation"


@pytest.mark.django_db
def test_a_key_is_forgotten_after_a_day() -> None:
    asker = Asker(a_user())
    asker.ask(FOUND, input=founding())
    IdempotencyRecord.objects.update(created_at=timezone.now() - idempotency.LIFE)
    assert asker.ask(FOUND, input=founding(name="Mills"))["createOrganisation"]["name"] == "Mills"
    IdempotencyRecord.objects.update(created_at=timezone.now() - idempotency.LIFE)
    assert idempotency.forget_expired(timezone.now()) == 1


@pytest.mark.django_db
def test_half_an_answer_is_none_and_frees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(a_user())

    def fail(self: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Organisation, "__str__", fail)
        patch.setattr("accounts.api.refusals.together", fail)
        answer = asker.answer(FOUND, input=founding())
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert not Organisation.objects.exists()
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["__typename"] == "Organisation"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_carried_out() -> None:
    asker = Asker(a_user())
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(asker.ask(FOUND, input=founding())["createOrganisation"])
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Organisation.objects.count() == 1
    codes = {answer.get("code", "done") for answer in answers}
    assert codes <= {"done", "IDEMPOTENCY_KEY_IN_FLIGHT"}
    assert len(answers) == 6


@pytest.mark.django_db(transaction=True)
def test_who_outlives_the_lease_of_another_cannot_do_the_work_again() -> None:
    """The slow one finds its record taken over, and does nothing."""
    actor, now = actor_of(a_user()), timezone.now()
    claim = {"actor": actor, "key": "k", "operation": "apply", "fingerprint": "f"}
    slow = idempotency.begin(**claim, now=now)
    fast = idempotency.begin(**claim, now=now + idempotency.LEASE)
    assert slow.record is not None and fast.record is not None
    from django.db import transaction

    from accounts.errors import IdempotencyKeyInFlight

    with transaction.atomic(), pytest.raises(IdempotencyKeyInFlight):
        idempotency.hold(slow.record)
    with transaction.atomic():
        idempotency.hold(fast.record)
        idempotency.finish(fast.record, {"data": "{}"})
    idempotency.release(slow.record)
    assert idempotency.begin(**claim, now=now).answer == {"data": "{}"}
