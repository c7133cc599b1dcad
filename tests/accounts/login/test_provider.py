"""Muster as an OpenID Connect provider: another program's users log in with us."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from django.test import Client as Browser
from django.utils import timezone

from accounts.actions.signing_keys import roll_signing_key
from accounts.models import User
from tests.accounts.login.conftest import App

CALLBACK = "https://wiki.example/callback"
SECRET = "the-secret-of-the-wiki"


@pytest.fixture
def wiki(db: None) -> Client:
    client = Client(id="wiki", name="The wiki", redirect_uris=CALLBACK, scopes="openid\nemail\nprofile")
    client.set_secret(SECRET)
    client.set_grant_types(["authorization_code", "refresh_token"])
    client.save()
    return client


@pytest.fixture
def browser(server: str, ann: User, settings: Any) -> Iterator[httpx.Client]:
    """Ann's, logged in with us."""
    settings.SERVER_URL = server
    session = Browser()
    session.force_login(ann, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookies = {settings.SESSION_COOKIE_NAME: session.cookies[settings.SESSION_COOKIE_NAME].value}
    with httpx.Client(verify=False, base_url=server, cookies=cookies, timeout=60) as client:
        yield client


class Asking:
    """One try to log in: what the program sends along, and keeps for itself."""

    def __init__(self, browser: httpx.Client, **changed: str) -> None:
        self.browser, self.verifier = browser, secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        self.sent = {
            "client_id": "wiki", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email",
            "state": "state-1", "nonce": "nonce-1", "code_challenge": challenge, "code_challenge_method": "S256",
        } | changed  # fmt: skip

    def page(self) -> httpx.Response:
        given = {name: value for name, value in self.sent.items() if value}
        return self.browser.get(f"/identity/o/authorize?{urlencode(given)}")

    def answered(self, action: str = "grant", **more: str) -> dict[str, str]:
        """What the program reads from the address to which the browser is sent."""
        page = self.page()
        assert page.status_code == 200, page.text
        fields = dict(_inputs(page.text))
        answer = self.browser.post(
            "/identity/o/authorize", data={**fields, "scopes": self.sent["scope"].split(), "action": action, **more}
        )
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(CALLBACK)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def tokens(self, code: str, **changed: Any) -> httpx.Response:
        body = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": "wiki",
            "client_secret": SECRET, "code_verifier": self.verifier,
        } | changed  # fmt: skip
        return self.browser.post("/identity/o/api/token", data=body)


def _inputs(page: str) -> list[tuple[str, str]]:
    import html
    import re

    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return [(name, html.unescape(value)) for name, value in found]


def test_a_program_finds_everything_from_our_address_and_learns_who_somebody_is(
    browser: httpx.Client, server: str, wiki: Client, ann: User
) -> None:
    metadata = browser.get("/.well-known/openid-configuration").json()
    assert metadata["issuer"] == server
    asking = Asking(browser)
    answer = asking.answered()
    assert answer["state"] == "state-1"
    given = asking.tokens(answer["code"]).json()
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(given["id_token"])
    claims = jwt.decode(given["id_token"], key.key, algorithms=["RS256"], audience="wiki", issuer=server)
    assert (claims["sub"], claims["nonce"], claims["email"]) == (str(ann.public_id), "nonce-1", ann.email)
    assert claims["email_verified"] is True
    told = browser.get(metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {given['access_token']}"})
    assert told.json()["sub"] == claims["sub"]


def test_of_several_addresses_a_program_learns_the_login_s(browser: httpx.Client, wiki: Client, ann: User) -> None:
    """allauth would keep another one, in plain, with each token."""
    EmailAddress.objects.create(user=ann, email="ann@private.example", verified=True)
    asking = Asking(browser)
    page = asking.page().text
    assert "ann@private.example" not in page and "Sealed(" not in page
    given = asking.tokens(asking.answered(email="ann@private.example")["code"]).json()
    claims = jwt.decode(given["id_token"], options={"verify_signature": False})
    assert claims["email"] == ann.email
    assert [token.data for token in Token.objects.all() if "email" in (token.data or {})] == []


def test_its_tokens_open_nothing_of_ours(browser: httpx.Client, server: str, wiki: Client) -> None:
    asking = Asking(browser)
    given = asking.tokens(asking.answered()["code"]).json()
    for token in (given["access_token"], given["id_token"]):
        assert App(server).graphql(token=token)[0] == 401


def test_a_token_signed_by_the_former_key_is_checked_with_the_listed_one(
    browser: httpx.Client, server: str, wiki: Client
) -> None:
    asking = Asking(browser)
    given = asking.tokens(asking.answered()["code"]).json()
    roll_signing_key(now=timezone.now(), announced=timedelta(0))
    other = Asking(browser)
    newer = other.tokens(other.answered()["code"]).json()
    keys = jwt.PyJWKClient(f"{server}/.well-known/jwks.json")
    kids = set()
    for token in (given["id_token"], newer["id_token"]):
        key = keys.get_signing_key_from_jwt(token)
        kids.add(key.key_id)
        assert jwt.decode(token, key.key, algorithms=["RS256"], audience="wiki")
    assert len(kids) == 2


def test_a_code_is_good_once_and_for_whoever_asked(browser: httpx.Client, wiki: Client) -> None:
    asking = Asking(browser)
    code = asking.answered()["code"]
    assert asking.tokens(code, code_verifier="x" * 64).status_code == 400
    asking = Asking(browser)
    code = asking.answered()["code"]
    assert asking.tokens(code, client_secret="wrong").status_code == 401
    assert asking.tokens(code, redirect_uri="https://evil.example/").status_code in (400, 401)
    asking = Asking(browser)
    code = asking.answered()["code"]
    assert asking.tokens(code).status_code == 200
    assert asking.tokens(code).status_code == 400


def test_a_refresh_token_is_good_once(browser: httpx.Client, wiki: Client) -> None:
    asking = Asking(browser)
    first = asking.tokens(asking.answered()["code"]).json()["refresh_token"]
    renew = {"grant_type": "refresh_token", "client_id": "wiki", "client_secret": SECRET}
    again = browser.post("/identity/o/api/token", data={**renew, "refresh_token": first})
    assert again.status_code == 200
    assert browser.post("/identity/o/api/token", data={**renew, "refresh_token": first}).status_code == 400
    assert Token.objects.exists()


def test_whoever_says_no_is_not_told_of(browser: httpx.Client, wiki: Client) -> None:
    assert Asking(browser).answered("cancel")["error"] == "access_denied"
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f"{CALLBACK}/../evil"},
        {"client_id": "nobody"},
    ],
)
def test_nobody_is_sent_to_an_address_that_was_not_registered(
    browser: httpx.Client, wiki: Client, changed: dict[str, str]
) -> None:
    page = Asking(browser, **changed).page()
    assert page.status_code in (200, 400) and "Location" not in page.headers
    assert "csrfmiddlewaretoken" not in page.text


def test_a_scope_that_it_may_not_ask_for_is_refused(browser: httpx.Client, wiki: Client) -> None:
    page = Asking(browser, scope="openid admin").page()
    assert "error=invalid_scope" in page.headers["Location"]


def test_a_program_that_cannot_keep_a_secret_needs_pkce(browser: httpx.Client, wiki: Client) -> None:
    Client.objects.update(type=Client.Type.PUBLIC)
    for changed in ({"code_challenge": ""}, {"code_challenge_method": "plain"}):
        assert Asking(browser, **changed).page().status_code == 400
    asking = Asking(browser)
    assert asking.tokens(asking.answered()["code"], client_secret="").status_code == 200


def test_who_is_not_logged_in_goes_to_the_frontend_and_comes_back(server: str, wiki: Client, settings: Any) -> None:
    settings.SERVER_URL = server
    with httpx.Client(verify=False, base_url=server, timeout=60) as stranger:
        for prompt in ("", "login"):
            sent = Asking(stranger, prompt=prompt).page().headers["Location"]
            assert sent.startswith("/identity/login?")
            login = stranger.get(sent).headers["Location"]
            assert login.startswith(f"{settings.FRONTEND_URL}/login?next=")
            back = parse_qs(urlsplit(login).query)["next"][0]
            assert back.startswith(f"{server}/identity/o/authorize?")
        assert stranger.get("/identity/login?next=https://evil.example/").headers["Location"].endswith("/login")
        assert "error=login_required" in Asking(stranger, prompt="none").page().headers["Location"]


def test_the_consent_cannot_be_forged_from_elsewhere(browser: httpx.Client, wiki: Client) -> None:
    fields = dict(_inputs(Asking(browser).page().text))
    del fields["csrfmiddlewaretoken"]
    answer = browser.post("/identity/o/authorize", data={**fields, "scopes": "openid", "action": "grant"})
    assert answer.status_code == 403
    assert not Token.objects.exists()
