"""Logging in with an account at an OpenID Connect provider: a real one in miniature, over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from allauth.socialaccount.models import SocialAccount

from accounts.core.rsa import new_rsa_key
from accounts.login.keys import _parsed
from accounts.models import User
from tests.accounts.login.conftest import App

CLIENT = "muster-at-the-company"
KEY, OTHER_KEY = new_rsa_key(), new_rsa_key()


@dataclass
class Company:
    """The provider. `person` is who is logged in there."""

    address: str
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "emp-7", "email": "eve@company.example", "email_verified": True, "name": "Eve"}
    )
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def id_token(self, *, key: str = KEY, **claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, **self.person, **claims}
        return jwt.encode(whole, key, algorithm="RS256", headers={"kid": _parsed(KEY)[0]["kid"]})

    def answer(self, path: str, body: str) -> Any:
        match path:
            case "/.well-known/openid-configuration":
                names = ("authorization", "token", "userinfo")
                return {"issuer": self.address, "jwks_uri": f"{self.address}/jwks"} | {
                    f"{name}_endpoint": f"{self.address}/{name}" for name in names
                }
            case "/jwks":
                return {"keys": [_parsed(KEY)[0]]}
            case "/token":
                self.asked.append(parse_qs(body))
                return {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()}
            case "/userinfo":
                return self.person


@pytest.fixture
def company(settings: Any) -> Iterator[Company]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            answer = json.dumps(found.answer(urlsplit(self.path).path, self.rfile.read(length).decode())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Company(f"http://127.0.0.1:{httpd.server_port}")
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    app = {
        "provider_id": "sso", "name": "The company", "client_id": CLIENT, "secret": "s3cret",
        "settings": {"server_url": found.address},
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    yield found
    httpd.shutdown()
    httpd.server_close()


def with_token(app: App, id_token: Any, **changed: Any) -> httpx.Response:
    token = {"client_id": CLIENT, "id_token": id_token, **changed}
    return app.post("auth/provider/token", provider="sso", process="login", token=token)


def sent_there(browser: httpx.Client, callback: str) -> httpx.Response:
    browser.get("/_allauth/browser/v1/config")
    form = {
        "provider": "sso", "process": "login", "callback_url": callback,
        "csrfmiddlewaretoken": browser.cookies["csrftoken"],
    }  # fmt: skip
    return browser.post("/_allauth/browser/v1/auth/provider/redirect", data=form)


def test_a_browser_is_sent_there_and_comes_back_logged_in(server: str, company: Company, settings: Any) -> None:
    home = f"{settings.FRONTEND_URL}/home"
    with httpx.Client(verify=False, base_url=server, timeout=60) as browser:
        there = urlsplit(sent_there(browser, home).headers["Location"])
        asked = {name: values[0] for name, values in parse_qs(there.query).items()}
        assert f"{there.scheme}://{there.netloc}{there.path}" == f"{company.address}/authorization"
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        callback = urlsplit(asked["redirect_uri"]).path
        forged = browser.get(callback, params={"code": "c", "state": "forged"})
        assert "error=" in forged.headers["Location"] and not company.asked
        back = browser.get(callback, params={"code": "c", "state": asked["state"]})
        assert back.headers["Location"] == home
        assert company.asked[0]["code_verifier"]
        assert browser.get("/_allauth/browser/v1/auth/session").status_code == 200
        again = browser.get(callback, params={"code": "c", "state": asked["state"]})
        assert "error=" in again.headers["Location"] and len(company.asked) == 1
    eve = User.objects.get()
    assert (eve.email, eve.has_usable_password()) == ("eve@company.example", False)
    kept = SocialAccount.objects.get(user=eve)
    assert (kept.uid, kept.extra_data) == ("emp-7", {}), "who they are, and nothing that is said of them"


def test_nobody_is_sent_on_to_a_strangers_page(server: str, company: Company) -> None:
    with httpx.Client(verify=False, base_url=server, timeout=60) as browser:
        sent = sent_there(browser, "https://evil.example/").headers.get("Location", "")
        assert "evil.example" not in sent and not sent.startswith(company.address)


def test_an_app_logs_in_with_the_providers_token(app: App, company: Company) -> None:
    assert with_token(app, company.id_token()).status_code == 200
    assert app.me() == "eve@company.example"
    again = App(app.address)
    assert with_token(again, company.id_token()).status_code == 200
    assert User.objects.count() == 1


def test_a_token_that_the_provider_did_not_give_us_is_refused(app: App, company: Company) -> None:
    for token in (
        company.id_token(key=OTHER_KEY),
        company.id_token(aud="another-program"),
        company.id_token(iss="https://evil.example"),
        company.id_token(exp=1),
        jwt.encode({"sub": "emp-7", "aud": CLIENT, "iss": company.address}, "", algorithm="none"),
        "", "x", "a.b.c", None, 5, {},
    ):  # fmt: skip
        assert with_token(app, token).status_code == 400, token
    assert with_token(app, company.id_token(), client_id="another-program").status_code == 400
    assert not User.objects.exists() and not app.access


def test_an_address_that_the_provider_names_opens_nobody_elses_account(app: App, company: Company, ann: User) -> None:
    company.person["email"] = ann.email
    answer = with_token(app, company.id_token())
    assert answer.status_code != 200 and not app.access
    assert not SocialAccount.objects.exists()
    assert app.log_in(ann.email).status_code == 200


def test_an_address_that_the_provider_does_not_vouch_for_is_verified(app: App, company: Company) -> None:
    company.person["email_verified"] = False
    answer = with_token(app, company.id_token())
    assert "verify_email" in [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]
    assert not app.access


def test_the_owner_connects_the_two_when_logged_in(app: App, company: Company, ann: User) -> None:
    app.log_in(ann.email)
    app.post("auth/reauthenticate", password="a-long-pass-phrase-1")
    token = {"client_id": CLIENT, "id_token": company.id_token()}
    assert app.post("auth/provider/token", provider="sso", process="connect", token=token).status_code == 200
    other = App(app.address)
    assert with_token(other, company.id_token()).status_code == 200
    assert other.me() == ann.email


def test_without_a_provider_there_is_no_such_login(app: App) -> None:
    assert with_token(app, "x").status_code == 400
    assert app.get("config").json()["data"]["socialaccount"]["providers"] == []
