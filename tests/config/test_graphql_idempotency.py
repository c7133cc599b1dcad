"""A keyed mutation is carried out once, however often it is sent and whatever dies in between."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from accounts.actions import idempotency
from accounts.models import IdempotencyRecord, Organisation
from tests.config.graphql_client import Asker, global_id
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
    IdempotencyRecord.objects.update(response="", leased_until=timezone.now() + timedelta(seconds=30))
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


def failing(error: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    return fail


@pytest.mark.django_db
def test_a_failure_undoes_the_work_and_is_kept_like_any_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(a_user())
    with monkeypatch.context() as patch:
        patch.setattr("accounts.api.refusals.together", failing(RuntimeError("broken")))
        first = asker.answer(FOUND, input=founding())
    assert first["data"] is None
    assert first["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert not Organisation.objects.exists()
    assert asker.answer(FOUND, input=founding()) == first, "the request id of the first is what the log knows"
    assert not Organisation.objects.exists()
    assert asker.ask(FOUND, input=founding("key-2"))["createOrganisation"]["__typename"] == "Organisation"


@pytest.mark.django_db
def test_a_database_that_is_away_or_busy_frees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(a_user())
    with monkeypatch.context() as patch:
        patch.setattr("accounts.api.refusals.together", failing(OperationalError("deadlock detected")))
        assert asker.answer(FOUND, input=founding())["data"] is None
    assert not Organisation.objects.exists()
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["__typename"] == "Organisation"


@pytest.mark.django_db
def test_what_cannot_be_used_is_not_kept_for_execution_has_not_begun() -> None:
    asker = Asker(a_user())
    for unusable in ({"name": 5}, {"nothing": "x"}):
        assert "errors" in asker.answer(FOUND, input=founding() | unusable)
    assert asker.ask(FOUND, input=founding(name=" "))["createOrganisation"]["code"] == "INVALID_INPUT"
    assert not IdempotencyRecord.objects.exists()
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["__typename"] == "Organisation", "put right"


@pytest.mark.django_db
def test_the_same_key_with_other_fields_of_the_answer_is_another_request() -> None:
    asker = Asker(a_user())
    asker.ask(FOUND, input=founding())
    other = FOUND.replace("slug id name", "id")
    assert asker.ask(other, input=founding())["createOrganisation"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def killed(work: Callable[[], Any]) -> bool:
    """Whether a copy of this process, which does the work, was killed by SIGKILL."""
    connection.close()  # the copy makes one of its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which the copy does not use
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def die(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.django_db(transaction=True)
def test_killed_before_the_commit_nothing_is_done_until_the_lease_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asker, finish = Asker(a_user()), idempotency.finish

    def finish_and_die(*args: Any) -> None:
        finish(*args)
        die()

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "finish", finish_and_die)
        assert killed(lambda: asker.ask(FOUND, input=founding()))
    assert not Organisation.objects.exists()
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["code"] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    assert IdempotencyRecord.objects.update(leased_until=timezone.now()) == 1
    assert asker.ask(FOUND, input=founding())["createOrganisation"]["slug"] == "works"
    assert Organisation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_killed_after_the_commit_the_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asker, hold = Asker(a_user()), idempotency.hold

    def hold_and_die_afterwards(record: Any) -> None:
        transaction.on_commit(die)
        hold(record)

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "hold", hold_and_die_afterwards)
        assert killed(lambda: asker.ask(FOUND, input=founding()))
    made = Organisation.objects.get()
    assert asker.ask(FOUND, input=founding())["createOrganisation"] == {
        "__typename": "Organisation",
        "slug": made.slug,
        "id": global_id(made),
        "name": made.name,
    }
    assert Organisation.objects.count() == 1


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
    from accounts.errors import IdempotencyKeyInFlight

    with transaction.atomic(), pytest.raises(IdempotencyKeyInFlight):
        idempotency.hold(slow.record)
    with transaction.atomic():
        idempotency.hold(fast.record)
        idempotency.finish(fast.record, {"data": "{}"})
    idempotency.release(slow.record)
    assert idempotency.begin(**claim, now=now).answer == {"data": "{}"}
