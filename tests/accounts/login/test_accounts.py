"""Signing up, verifying an address, forgetting a password, and ending sessions, as an app does it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.utils import timezone

from accounts.models import User
from tests.accounts.login.conftest import PASSWORD, App, a_person, key_in_mail

NEW = "new@example.org"


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


def pending(answer: Any) -> list[str]:
    return [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]


# --- signing up


def test_who_signs_up_verifies_the_address_before_anything_opens(app: App) -> None:
    answer = app.post("auth/signup", email="New@Example.org", password=PASSWORD)
    assert (answer.status_code, pending(answer)) == (401, ["verify_email"])
    assert not app.access
    assert pending(App(app.address).log_in(NEW)) == ["verify_email"]
    key = key_in_mail("verify-email")
    assert app.get("auth/email/verify", **{"X-Email-Verification-Key": key}).json()["data"]["email"] == NEW
    assert not EmailAddress.objects.get().verified  # looking changes nothing
    assert app.post("auth/email/verify", key=key).status_code in (200, 401)
    assert EmailAddress.objects.get().verified
    fresh = App(app.address)
    assert fresh.log_in(NEW).status_code == 200
    assert fresh.me() == NEW


@pytest.mark.parametrize("key", ["", "x", "MQ:1abc:def", "é", "x" * 10_000, None, 5])
def test_a_key_that_was_never_sent_verifies_nothing(app: App, key: Any) -> None:
    app.post("auth/signup", email=NEW, password=PASSWORD)
    assert app.post("auth/email/verify", key=key).status_code == 400
    assert not EmailAddress.objects.get().verified


def test_a_key_runs_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.post("auth/signup", email=NEW, password=PASSWORD)
    key, now = key_in_mail("verify-email"), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 4 * 86_400)
    assert app.post("auth/email/verify", key=key).status_code == 400
    assert not EmailAddress.objects.get().verified


def test_signing_up_tells_nobody_who_has_an_account(app: App, ann: User) -> None:
    known = app.post("auth/signup", email=ann.email, password=PASSWORD)
    unknown = App(app.address).post("auth/signup", email=NEW, password=PASSWORD)
    assert (known.status_code, pending(known)) == (unknown.status_code, pending(unknown))
    assert [letter.to for letter in mail.outbox] == [[ann.email], [NEW]]
    assert "verify-email" not in str(mail.outbox[0].body)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "no address", "password": PASSWORD},
        {"email": NEW, "password": "short"},
        {"email": NEW, "password": "password123"},
        {"email": NEW},
        {"email": [NEW], "password": PASSWORD},
        {"email": "x" * 300 + "@example.org", "password": PASSWORD},
    ],
)
def test_what_makes_no_account_is_refused(app: App, body: dict[str, Any]) -> None:
    assert app.post("auth/signup", **body).status_code == 400
    assert not User.objects.exists()


# --- forgetting the password


def test_a_forgotten_password_is_replaced_by_a_mail_and_ends_what_was_open(app: App, ann: User) -> None:
    app.log_in(ann.email)
    fresh = App(app.address)
    assert fresh.post("auth/password/request", email=ann.email).status_code == 200
    key = key_in_mail("password/reset")
    assert fresh.post("auth/password/reset", key=key, password="short").status_code == 400
    assert app.me() == ann.email
    assert fresh.post("auth/password/reset", key=key, password="another-pass-phrase-2").status_code == 401
    assert app.me() is None
    assert app.renew().status_code == 400
    assert fresh.log_in(ann.email).status_code == 400
    assert fresh.log_in(ann.email, "another-pass-phrase-2").status_code == 200
    assert App(app.address).post("auth/password/reset", key=key, password="third-pass-phrase-3").status_code == 400
    assert mail.outbox[-1].to == [ann.email]  # the owner hears of it


def test_a_link_to_another_password_runs_out(app: App, ann: User, settings: Any) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 3_600
    app.post("auth/password/request", email=ann.email)
    settings.PASSWORD_RESET_TIMEOUT = -1
    answer = app.post("auth/password/reset", key=key_in_mail("password/reset"), password="another-pass-phrase-2")
    assert answer.status_code == 400
    assert app.log_in(ann.email).status_code == 200


@pytest.mark.parametrize("key", ["", "x", "1-x", "zzzzzzzz-abc", "é-é", None])
def test_a_made_up_link_changes_no_password(app: App, ann: User, key: Any) -> None:
    assert app.post("auth/password/reset", key=key, password="another-pass-phrase-2").status_code == 400
    assert app.log_in(ann.email).status_code == 200


def test_asking_for_a_mail_tells_nobody_who_has_an_account(app: App, ann: User) -> None:
    known = app.post("auth/password/request", email=ann.email)
    unknown = app.post("auth/password/request", email=NEW)
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


def test_the_second_factor_is_asked_for_after_another_password_too(app: App, ann: User) -> None:
    from tests.accounts.login.test_second_factors import with_codes

    with_codes(app, ann.email)
    fresh = App(app.address)
    fresh.post("auth/password/request", email=ann.email)
    fresh.post("auth/password/reset", key=key_in_mail("password/reset"), password="another-pass-phrase-2")
    assert pending(fresh.log_in(ann.email, "another-pass-phrase-2")) == ["mfa_authenticate"]


# --- sessions


def test_sessions_are_listed_and_one_is_ended_from_another(app: App, ann: User) -> None:
    phone = App(app.address, {"User-Agent": "Phone"})
    phone.log_in(ann.email)
    app.log_in(ann.email)
    listed = app.get("auth/sessions").json()["data"]
    assert sorted(one["user_agent"] for one in listed if not one["is_current"]) == ["Phone"]
    [other] = [one["id"] for one in listed if not one["is_current"]]
    assert app.delete("auth/sessions", sessions=[other]).status_code == 200
    assert phone.me() is None
    assert phone.renew().status_code == 400
    assert app.me() == ann.email


def test_a_strangers_session_is_not_ended(app: App, ann: User) -> None:
    bob = App(app.address)
    bob.log_in(a_person("bob@example.org").email)
    app.log_in(ann.email)
    strange = UserSession.objects.get(user__email="bob@example.org").pk
    for sessions in ([strange], [10**9], ["x"], "x", [[]], [None], {}):
        assert app.delete("auth/sessions", sessions=sessions).status_code == 400, sessions
    assert bob.me() == "bob@example.org"
    assert len(bob.get("auth/sessions").json()["data"]) == 1


def test_ending_the_own_session_logs_out(app: App, ann: User) -> None:
    app.log_in(ann.email)
    [own] = [one["id"] for one in app.get("auth/sessions").json()["data"]]
    assert app.delete("auth/sessions", sessions=[own]).status_code == 401
    assert app.me() is None


def test_a_session_that_ran_out_opens_nothing(app: App, ann: User) -> None:
    app.log_in(ann.email)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert app.me() is None
    assert app.renew().status_code == 400


def test_an_account_that_was_deleted_opens_nothing(app: App, ann: User) -> None:
    app.log_in(ann.email)
    ann.delete()
    assert app.me() is None
    assert app.renew().status_code == 400
    assert app.log_in("ann@example.org").status_code == 400
