"""Codes, recovery codes, passkeys: set up, used once, and asked of staff."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.db import connection

from accounts.core.attempts import BY_STRANGERS
from accounts.login.second_factors import SecondFactors
from accounts.models import User
from tests.accounts.login.conftest import PASSWORD, App, a_person
from tests.accounts.login.passkey import Passkey

ORIGIN = "https://muster.example"


@pytest.fixture(autouse=True)
def frontend(settings: Any) -> None:
    settings.FRONTEND_URL = ORIGIN


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds by which the server's clock is ahead."""
    ahead = [0.0]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    yield ahead


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def reauthenticated(app: App) -> App:
    assert app.post("auth/reauthenticate", password=PASSWORD).status_code == 200
    return app


def with_codes(app: App, email: str) -> str:
    """Set up an authenticator app; its secret."""
    app.log_in(email)
    reauthenticated(app)
    secret = str(app.get("account/authenticators/totp").json()["meta"]["secret"])
    answer = app.post("account/authenticators/totp", code=code_of(secret))
    assert answer.status_code == 200, answer.json()
    return secret


def with_passkey(app: App, email: str) -> Passkey:
    app.log_in(email)
    reauthenticated(app)
    options = app.get("account/authenticators/webauthn?passwordless").json()["data"]["creation_options"]
    key = Passkey(ORIGIN)
    answer = app.post("account/authenticators/webauthn", name="Phone", credential=key.register(options))
    assert answer.status_code == 200, answer.json()
    return key


def asked_for_code(app: App, email: str) -> App:
    """A login that has come as far as the second factor."""
    fresh = App(app.address)
    answer = fresh.log_in(email)
    assert answer.status_code == 401
    assert "mfa_authenticate" in [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]
    assert not fresh.access
    return fresh


# --- codes


def test_a_code_completes_a_login_and_is_good_once(app: App, ann: User, clock: list[float]) -> None:
    secret = with_codes(app, ann.email)
    first = asked_for_code(app, ann.email)
    assert first.post("auth/2fa/authenticate", code="000000").status_code == 400
    assert first.me("x") is None
    clock[0] += 30
    code = code_of(secret)
    assert first.post("auth/2fa/authenticate", code=code).status_code == 200
    assert first.me() == ann.email
    replay = asked_for_code(app, ann.email)
    assert replay.post("auth/2fa/authenticate", code=code).status_code == 400
    assert not replay.access
    clock[0] += 30
    assert replay.post("auth/2fa/authenticate", code=code).status_code == 400
    assert replay.post("auth/2fa/authenticate", code=code_of(secret)).status_code == 200


def test_the_code_that_set_it_up_does_not_log_in(app: App, ann: User, clock: list[float]) -> None:
    secret = with_codes(app, ann.email)
    assert asked_for_code(app, ann.email).post("auth/2fa/authenticate", code=code_of(secret)).status_code == 400


def test_codes_are_counted_like_passwords(app: App, ann: User, clock: list[float]) -> None:
    secret = with_codes(app, ann.email)
    clock[0] += 30
    thief = asked_for_code(app, ann.email)  # who has the password
    seen = [thief.post("auth/2fa/authenticate", code=f"{n:06}").status_code for n in range(BY_STRANGERS.burst + 1)]
    assert seen == [400] * BY_STRANGERS.burst + [429]
    assert thief.post("auth/2fa/authenticate", code=code_of(secret)).status_code == 429
    assert not thief.access


def test_a_recovery_code_is_good_once(app: App, ann: User) -> None:
    with_codes(app, ann.email)
    codes = app.get("account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    assert len(codes) == 10
    assert asked_for_code(app, ann.email).post("auth/2fa/authenticate", code=codes[0]).status_code == 200
    assert asked_for_code(app, ann.email).post("auth/2fa/authenticate", code=codes[0]).status_code == 400
    assert asked_for_code(app, ann.email).post("auth/2fa/authenticate", code=codes[1]).status_code == 200


def test_setting_up_needs_the_password_again_and_tells_the_owner(app: App, ann: User) -> None:
    app.log_in(ann.email)
    secret = app.get("account/authenticators/totp").json()["meta"]["secret"]
    assert app.post("account/authenticators/totp", code=code_of(secret)).status_code == 401
    assert not Authenticator.objects.exists()
    with_codes(app, ann.email)
    assert mail.outbox[-1].to == [ann.email]
    assert app.delete("account/authenticators/totp").status_code == 200
    assert not Authenticator.objects.exists()


def test_secrets_lie_sealed_and_older_ones_open(app: App, ann: User) -> None:
    secret = with_codes(app, ann.email)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, '') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored and "sealed:" in stored
    assert SecondFactors().decrypt(secret) == secret


def test_what_is_no_code_is_refused(app: App, ann: User) -> None:
    with_codes(app, ann.email)
    asked = asked_for_code(app, ann.email)
    for code in ("", " ", "é" * 6, "1" * 5_000, "\u0000", None, 5, {"a": 1}):
        assert asked.post("auth/2fa/authenticate", code=code).status_code == 400, code


# --- passkeys


def test_a_passkey_logs_in_without_a_password(app: App, ann: User) -> None:
    key = with_passkey(app, ann.email)
    fresh = App(app.address)
    options = fresh.get("auth/webauthn/login").json()["data"]["request_options"]
    assert fresh.post("auth/webauthn/login", credential=key.sign(options)).status_code == 200
    assert fresh.me() == ann.email


def test_a_passkey_is_a_second_factor_too(app: App, ann: User) -> None:
    key = with_passkey(app, ann.email)
    fresh = asked_for_code(app, ann.email)
    options = fresh.get("auth/webauthn/authenticate").json()["data"]["request_options"]
    assert fresh.post("auth/webauthn/authenticate", credential=key.sign(options)).status_code == 200
    assert fresh.me() == ann.email


def test_an_assertion_is_good_once_and_for_its_own_login(app: App, ann: User) -> None:
    key = with_passkey(app, ann.email)
    fresh, other = App(app.address), App(app.address)
    signed = key.sign(fresh.get("auth/webauthn/login").json()["data"]["request_options"])
    other.get("auth/webauthn/login")
    assert other.post("auth/webauthn/login", credential=signed).status_code == 400
    assert fresh.post("auth/webauthn/login", credential=signed).status_code == 200
    assert App(app.address, dict(other.headers)).post("auth/webauthn/login", credential=signed).status_code == 400


@pytest.mark.parametrize("what", ["origin", "site", "key", "nobody verified", "user"])
def test_a_passkey_of_something_else_is_refused(app: App, ann: User, what: str) -> None:
    key = with_passkey(app, ann.email)
    bob = a_person("bob@example.org")
    fresh = App(app.address)
    options = fresh.get("auth/webauthn/login").json()["data"]["request_options"]
    match what:
        case "origin":
            key.origin = "https://muster.example.evil.example"
        case "key":
            key.key = Passkey(ORIGIN).key
        case "nobody verified":
            key.verifies = False
        case "user":
            from allauth.account.utils import user_pk_to_url_str

            key.user_handle = user_pk_to_url_str(bob).encode()
    signed = key.sign(options, rp_id="evil.example" if what == "site" else None)
    assert fresh.post("auth/webauthn/login", credential=signed).status_code == 400
    assert not fresh.access


def test_what_is_no_credential_is_refused(app: App, ann: User) -> None:
    key = with_passkey(app, ann.email)
    fresh = App(app.address)
    good = key.sign(fresh.get("auth/webauthn/login").json()["data"]["request_options"])
    response = good["response"]
    for credential in (
        None, "x", [], {}, {"id": 1},
        {**good, "response": {}}, {**good, "response": {**response, "userHandle": None}},
        {**good, "response": {**response, "authenticatorData": "AA"}}, {**good, "id": "AA"},
        {**good, "response": {**response, "signature": "AA"}}, {**good, "rawId": "é"},
        {**good, "response": {**response, "clientDataJSON": "e30"}},
        {**good, "response": {**response, "userHandle": "AA"}},
        {**good, "response": {**response, "more": "x" * 10_000}},
    ):  # fmt: skip
        assert fresh.post("auth/webauthn/login", credential=credential).status_code == 400, credential
    again = key.sign(fresh.get("auth/webauthn/login").json()["data"]["request_options"])
    assert fresh.post("auth/webauthn/login", credential=again).status_code == 200


def test_what_is_no_new_credential_is_refused(app: App, ann: User) -> None:
    app.log_in(ann.email)
    reauthenticated(app)
    options = app.get("account/authenticators/webauthn").json()["data"]["creation_options"]
    good = Passkey(ORIGIN).register(options)
    for response in ({}, {**good["response"], "attestationObject": "AA"}, {**good["response"], "clientDataJSON": "AA"}):
        answer = app.post("account/authenticators/webauthn", name="x", credential={**good, "response": response})
        assert answer.status_code == 400
    assert not Authenticator.objects.exists()


# --- staff


@pytest.fixture
def strict(settings: Any) -> None:
    settings.STAFF_NEED_SECOND_FACTOR = True


@pytest.fixture
def chief(db: None) -> User:
    return a_person("chief@muster.example", is_staff=True, is_superuser=True)


def console(server: str, user: User) -> httpx.Client:
    """A browser that has given the password."""
    client = httpx.Client(verify=False, base_url=server, timeout=60)
    client.get("/admin/login/")
    answer = post(client, "/admin/login/?next=/admin/", username=user.email, password=PASSWORD)
    assert answer.status_code == 302
    return client


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data={**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"]})


def test_the_console_asks_staff_for_a_second_factor(
    app: App, server: str, strict: None, chief: User, clock: list[float]
) -> None:
    secret = with_codes(app, chief.email)
    clock[0] += 30
    with closing(console(server, chief)) as browser:
        for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{chief.pk}/change/", "/admin/nothing/"):
            assert browser.get(path).headers["Location"].startswith("/admin/second-factor/?next=/admin/")
        page = "/admin/second-factor/?next=/admin/accounts/user/"
        asked = browser.get(page)
        assert "one-time-code" in asked.text and secret not in asked.text
        assert "script-src 'nonce-" in asked.headers["Content-Security-Policy"]
        assert "Incorrect code" in post(browser, page, code="000000").text
        assert browser.get("/admin/").status_code == 302
        answer = post(browser, page, code=code_of(secret))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/accounts/user/")
        assert browser.get("/admin/accounts/user/").status_code == 200


def test_staff_without_one_set_it_up_before_anything_else(server: str, strict: None, chief: User) -> None:
    with closing(console(server, chief)) as browser:
        page = browser.get("/admin/second-factor/")
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)
        assert secret and "<svg" in page.text
        assert browser.get("/admin/").status_code == 302
        answer = post(browser, "/admin/second-factor/?next=https://evil.example/", code=code_of(secret[1]))
        assert answer.headers["Location"] == "/admin/"
        assert browser.get("/admin/").status_code == 200
    assert mail.outbox[-1].to == [chief.email]
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    with closing(console(server, chief)) as thief:  # who has the password, and sets up nothing of their own
        assert "<svg" not in thief.get("/admin/second-factor/").text
        assert thief.get("/admin/").status_code == 302


def test_a_key_opens_the_console(app: App, server: str, strict: None, chief: User) -> None:
    import html
    import json

    key = with_passkey(app, chief.email)
    with closing(console(server, chief)) as browser:
        page = browser.get("/admin/second-factor/").text
        options = re.search(r'<script id="options" type="application/json">(.*?)</script>', page)
        assert options
        signed = json.dumps(key.sign(json.loads(html.unescape(options[1]))))
        assert post(browser, "/admin/second-factor/", credential=signed).status_code == 302
        assert browser.get("/admin/").status_code == 200


def test_codes_at_the_console_are_counted(app: App, server: str, strict: None, chief: User) -> None:
    with_codes(app, chief.email)
    with closing(console(server, chief)) as browser:
        seen = [post(browser, "/admin/second-factor/", code=f"{n:06}").status_code for n in range(12)]
    assert seen[0] == 200 and seen[-1] == 429


def test_the_second_page_is_no_way_in(server: str, strict: None, ann: User) -> None:
    with httpx.Client(verify=False, base_url=server, timeout=60) as stranger:
        assert stranger.get("/admin/second-factor/").headers["Location"].startswith("/admin/login/")
        assert stranger.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_the_api_takes_staff_for_staff_with_a_second_factor_alone(
    app: App, strict: None, chief: User, clock: list[float]
) -> None:
    def is_staff(asking: App) -> bool:
        return bool(asking.graphql("{ viewer { isStaff } }")[1]["data"]["viewer"]["isStaff"])

    app.log_in(chief.email)
    assert not is_staff(app)
    second = App(app.address)
    secret = with_codes(second, chief.email)
    clock[0] += 30
    third = asked_for_code(app, chief.email)
    third.post("auth/2fa/authenticate", code=code_of(secret))
    assert is_staff(third)


def test_nobody_is_asked_where_the_setting_is_off(server: str, chief: User, settings: Any) -> None:
    assert settings.STAFF_NEED_SECOND_FACTOR is False  # in tests and in development
    with closing(console(server, chief)) as browser:
        assert browser.get("/admin/").status_code == 200
