"""Guessing is slowed, at one account and from one address; the owner gets in meanwhile."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import strawberry
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import connections
from django.test import Client, RequestFactory
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisIsDown

from accounts.actions.attempts import Place, begin_attempt, forget_attempts, remember_place
from accounts.core.attempts import BY_KNOWN, BY_STRANGERS, FROM_ADDRESS, Allowance
from accounts.errors import TooManyAttempts
from accounts.login.counting import DEVICE_COOKIE, DEVICE_HEADER
from accounts.models import AttemptCounter, KnownPlace, User
from tests.accounts.login.conftest import PASSWORD, App, key_in_mail

NOW = datetime.fromisoformat("2027-03-01T12:00:00+00:00")
HOME, AFAR = Place("192.0.2.7", "h" * 43), Place("203.0.113.9")


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any) -> None:
    """So that clients of one machine come from several addresses."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1


def at(address: str, app: App, **headers: str) -> App:
    return App(app.address, {"X-Forwarded-For": address, **headers})


def guess(app: App, email: str, times: int) -> list[int]:
    return [app.log_in(email, f"wrong-{n}").status_code for n in range(times)]


def tried(account: str, place: Place, now: datetime = NOW) -> int:
    """How many attempts are let through at once."""
    for number in range(1_000):
        try:
            begin_attempt(account=account, place=place, now=now)
        except TooManyAttempts:
            return number
    raise AssertionError("without end")


# --- the bucket


def test_a_bucket_leaks_and_tells_when_there_is_room() -> None:
    bucket = Allowance(burst=3, refill_seconds=60)
    assert bucket.wait_seconds(0) == bucket.wait_seconds(2) == 0
    assert bucket.wait_seconds(3) == 60
    assert bucket.left_in(3, 60) == 2
    assert bucket.left_in(3, 90) == 1.5
    assert bucket.wait_seconds(bucket.left_in(3, 45)) == 15
    assert bucket.left_in(3, 10_000) == 0
    assert bucket.left_in(3, -5) == 3  # a clock that was set back gives nothing away


# --- one account


@pytest.mark.django_db
def test_strangers_share_one_allowance_however_many_addresses_they_have(ann: User) -> None:
    let_through = 0
    for n in range(40):
        try:
            begin_attempt(account="ANN@example.org " if n % 2 else ann.email, place=Place(f"198.51.100.{n}"), now=NOW)
            let_through += 1
        except TooManyAttempts as error:
            assert error.data["retry_after_seconds"] == BY_STRANGERS.refill_seconds
    assert let_through == BY_STRANGERS.burst
    later = NOW + timedelta(seconds=BY_STRANGERS.refill_seconds)
    assert tried(ann.email, AFAR, later) == 1


@pytest.mark.django_db
def test_an_account_that_does_not_exist_is_counted_alike(db: None) -> None:
    assert tried("nobody@example.org", AFAR) == BY_STRANGERS.burst


@pytest.mark.django_db
def test_the_owner_has_an_allowance_of_their_own_from_where_they_are_known(ann: User) -> None:
    remember_place(user=ann, place=HOME, now=NOW)
    assert tried(ann.email, AFAR) == BY_STRANGERS.burst
    assert tried(ann.email, HOME) == 2 * BY_KNOWN.burst  # the device's, and the address's
    assert tried(ann.email, Place("203.0.113.77", HOME.device), NOW + timedelta(hours=1)) >= BY_KNOWN.burst


@pytest.mark.django_db
def test_a_neighbour_who_guesses_does_not_lock_out_a_known_device(ann: User) -> None:
    remember_place(user=ann, place=HOME, now=NOW)
    neighbour = Place(HOME.address)
    let_through = sum(tried(f"victim{n}@example.org", neighbour) for n in range(10))
    assert let_through == FROM_ADDRESS.burst
    assert tried(ann.email, neighbour) == 0
    assert tried(ann.email, HOME) == BY_KNOWN.burst


@pytest.mark.django_db
def test_a_device_is_known_to_those_who_used_it_and_for_a_while(ann: User) -> None:
    remember_place(user=ann, place=HOME, now=NOW)
    assert tried("other@example.org", HOME) == BY_STRANGERS.burst
    later = NOW + timedelta(days=200)
    assert tried(ann.email, HOME, later) == BY_STRANGERS.burst
    forget_attempts(later + timedelta(days=2))
    assert not KnownPlace.objects.exists() and not AttemptCounter.objects.exists()


@pytest.mark.django_db
def test_rows_name_neither_addresses_nor_people(ann: User) -> None:
    remember_place(user=ann, place=HOME, now=NOW)
    tried(ann.email, HOME)
    stored = str(list(AttemptCounter.objects.values())) + str(list(KnownPlace.objects.values("kind", "digest")))
    assert not any(secret in stored for secret in (ann.email, HOME.address, HOME.device))


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_get_past() -> None:
    let_through = []

    def try_() -> None:
        try:
            begin_attempt(account="ann@example.org", place=AFAR, now=NOW)
            let_through.append(1)
        except TooManyAttempts:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == BY_STRANGERS.burst


# --- over HTTP


def test_guessing_is_slowed_and_the_right_password_waits_as_well(app: App, ann: User) -> None:
    thief = at("203.0.113.9", app)
    assert guess(thief, ann.email, 10) == [400] * 10
    refused = thief.log_in(ann.email, PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 120
    assert refused.json()["errors"][0]["code"] == "too_many_login_attempts"
    assert not thief.access


def test_the_owner_logs_in_from_their_device_while_somebody_guesses(app: App, ann: User) -> None:
    phone = at("192.0.2.7", app)
    token = phone.log_in(ann.email).headers[DEVICE_HEADER]
    assert guess(at("203.0.113.9", app), ann.email, 11)[-1] == 429
    elsewhere = at("198.51.100.1", app, **{DEVICE_HEADER: token})
    assert elsewhere.log_in(ann.email).status_code == 200
    assert at("192.0.2.7", app).log_in(ann.email).status_code == 200  # from their address, without the device
    assert at("198.51.100.2", app).log_in(ann.email).status_code == 429


def test_a_browser_is_known_by_a_cookie_that_scripts_do_not_read(server: str, ann: User) -> None:
    def browse(client: httpx.Client) -> httpx.Response:
        client.get(f"{server}/_allauth/browser/v1/config")
        headers = {"X-CSRFToken": client.cookies["csrftoken"], "X-Forwarded-For": "192.0.2.8"}
        body = {"email": ann.email, "password": PASSWORD}
        return client.post(f"{server}/_allauth/browser/v1/auth/login", json=body, headers=headers)

    with httpx.Client(verify=False, timeout=60) as client:
        answer = browse(client)
        assert answer.status_code == 200
        assert DEVICE_HEADER not in answer.headers
        [cookie] = [one for one in answer.headers.get_list("Set-Cookie") if one.startswith(DEVICE_COOKIE)]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_the_owner_gets_in_by_mail_where_nothing_of_theirs_is_known(app: App, ann: User) -> None:
    guess(at("203.0.113.9", app), ann.email, 11)
    new = at("198.51.100.1", app)
    assert new.log_in(ann.email).status_code == 429
    new.post("auth/password/request", email=ann.email)
    answer = new.post("auth/password/reset", key=key_in_mail("password/reset"), password="another-pass-phrase-2")
    assert answer.status_code == 401  # reset; not logged in by that
    assert new.log_in(ann.email, "another-pass-phrase-2").status_code == 200


@pytest.mark.django_db
def test_logging_in_to_an_own_account_gives_no_fresh_start_at_others(ann: User) -> None:
    let_through = 0
    for n in range(FROM_ADDRESS.burst):
        let_through += sum(_passes(f"victim{n}-{m}@example.org") for m in range(3))
        _passes(ann.email, right=True)
    assert let_through == FROM_ADDRESS.burst


def _passes(account: str, *, right: bool = False) -> bool:
    try:
        attempt = begin_attempt(account=account, place=AFAR, now=NOW)
    except TooManyAttempts:
        return False
    if right:
        attempt.succeeded()
    return True


def test_a_made_up_device_is_no_device(app: App, ann: User) -> None:
    for made_up in ("x" * 43, "short", "x" * 5_000):
        assert at("192.0.2.1", app, **{DEVICE_HEADER: made_up}).log_in("nobody@example.org").status_code == 400
    assert guess(at("203.0.113.9", app, **{DEVICE_HEADER: "x" * 43}), ann.email, 11)[-1] == 429


def test_the_console_counts_too(server: str, ann: User) -> None:
    with httpx.Client(verify=False, timeout=60, headers={"X-Forwarded-For": "203.0.113.9"}) as client:
        page = f"{server}/admin/login/"
        client.get(page)
        body = {"username": ann.email, "password": "wrong", "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        seen = [client.post(page, data=body).status_code for _ in range(11)]
    assert seen == [200] * 10 + [429]


def test_whoever_has_a_session_does_not_try_out_its_password(
    app: App, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor while Valkey is down; and the owner logs in meanwhile."""
    thief = at("203.0.113.9", app)
    thief.log_in(ann.email)
    monkeypatch.setattr(type(cache._cache), "get_client", _down)  # type: ignore[attr-defined]

    def change(present: str) -> int:
        given = {"current_password": present, "new_password": "another-pass-phrase-1"}
        return thief.post("account/password/change", **given).status_code

    assert [change(f"wrong-{n}") for n in range(11)] == [400] * 10 + [429]
    assert change(PASSWORD) == 429
    assert at("192.0.2.7", app).log_in(ann.email).status_code == 200
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_nor_at_the_console(client: Client, ann: User) -> None:
    ann.is_staff = True
    ann.save()
    client.force_login(ann, backend="allauth.account.auth_backends.AuthenticationBackend")
    page, given = (
        reverse("admin:password_change"),
        dict.fromkeys(("new_password1", "new_password2"), "another-phrase-1"),
    )
    answers = [client.post(page, given | {"old_password": f"wrong-{n}"}).status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    assert client.get(page).status_code == 200
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


@pytest.mark.django_db
def test_each_field_of_one_request_counts(ann: User) -> None:
    """Attempts are counted where passwords are checked, so nothing is won by putting many into one document."""
    request = RequestFactory().post("/graphql", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="203.0.113.9")

    @strawberry.type
    class Query:
        @strawberry.field
        def log_in(self, password: str) -> bool | None:
            return authenticate(request, email=ann.email, password=password) is not None

    aliases = "\n".join(f'a{n}: logIn(password: "wrong-{n}")' for n in range(25))
    answer = strawberry.Schema(query=Query).execute_sync(f'{{ {aliases} right: logIn(password: "{PASSWORD}") }}')
    assert answer.data and answer.errors
    assert [error.path for error in answer.errors] == [[f"a{n}"] for n in range(10, 25)] + [["right"]]
    assert all(isinstance(error.original_error, TooManyAttempts) for error in answer.errors)
    assert not any(answer.data.values())


def _down(*args: Any, **kwargs: Any) -> Any:
    raise RedisIsDown


def test_attempts_are_counted_and_let_through_while_valkey_is_down(
    app: App, ann: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": None}  # as in production
    monkeypatch.setattr(type(cache._cache), "get_client", _down)  # type: ignore[attr-defined]
    thief = at("203.0.113.9", app)
    assert guess(thief, ann.email, 11) == [400] * 10 + [429]
    assert at("192.0.2.7", app).post("auth/signup", email="new@example.org", password=PASSWORD).status_code in (
        200,
        401,
    )
    assert at("192.0.2.7", app).log_in("new@example.org").status_code in (200, 401)
