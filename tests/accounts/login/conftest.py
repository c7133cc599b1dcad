"""A web server of the test's own, within the test's transaction: requests come over TCP and see what the test wrote."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from wsgiref.simple_server import WSGIServer

import httpx
import pytest
from django.conf import settings
from django.core import mail
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import WSGIRequestHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections, transaction

from accounts.login.keys import forget_keys
from accounts.models import User

PASSWORD = "a-long-pass-phrase-1"
PLAIN: dict[str, Any] = {"verify": False, "timeout": 60}  # loading certificates takes longer than a request


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address. One request at a time, on the test's own connection."""
    later = transaction.on_commit

    def on_commit(do: Callable[[], Any], **options: Any) -> None:
        """allauth's mails, which wait for the end of a transaction that here comes after the test."""
        do() if do.__module__.startswith("allauth.") else later(do, **options)

    monkeypatch.setattr(transaction, "on_commit", on_commit)
    # The test's transaction outlives requests.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    httpd = WSGIServer(("127.0.0.1", 0), _Quiet)
    httpd.set_app(WSGIHandler())
    shared = connections["default"]
    shared.inc_thread_sharing()

    def serve() -> None:
        connections["default"] = shared
        httpd.serve_forever(poll_interval=0.01)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        shared.dec_thread_sharing()
        forget_keys()


@dataclass
class App:
    """A client of the login endpoints as an app is: no cookies, a session token while logging in, a JWT afterwards."""

    address: str
    headers: dict[str, str] = field(default_factory=dict)
    access: str = ""
    refresh: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request to `/_allauth/app/v1/…`; tokens in the answer are kept for the next."""
        sent = {**self.headers, **headers}
        if self.access:
            sent.setdefault("Authorization", f"Bearer {self.access}")
        address = f"{self.address}/_allauth/app/v1/{path}"
        answer = httpx.request(method, address, json=body, headers=sent, **PLAIN)
        meta = answer.json().get("meta", {}) if answer.content else {}
        if "session_token" in meta:
            self.headers["X-Session-Token"] = meta["session_token"]
        if "access_token" in meta:
            self.access, self.refresh = meta["access_token"], meta["refresh_token"]
            self.headers.pop("X-Session-Token", None)
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.ask("POST", path, body)

    def delete(self, path: str, **body: Any) -> httpx.Response:
        return self.ask("DELETE", path, body)

    def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("auth/login", email=email, password=password)

    def renew(self, token: str | None = None) -> httpx.Response:
        """Another pair of tokens, which is kept where it is given."""
        answer = self.post("tokens/refresh", refresh_token=token or self.refresh)
        if answer.status_code == 200:
            data = answer.json()["data"]
            self.access, self.refresh = data["access_token"], data["refresh_token"]
        return answer

    def graphql(self, query: str = "{ viewer { user { email } } }", token: str | None = None, **variables: Any) -> Any:
        """The status and the answer of /graphql, with our token or another."""
        token = self.access if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=asked, headers=headers, **PLAIN)
        return answer.status_code, answer.json()

    def me(self, token: str | None = None) -> str | None:
        """Who the API takes us for; None where it refuses the token."""
        status, answer = self.graphql(token=token)
        return answer["data"]["viewer"]["user"]["email"] if status == 200 else None


@pytest.fixture
def app(server: str) -> App:
    return App(server)


@pytest.fixture
def ann(db: None) -> User:
    """Somebody whose address is verified and who has the password of all people here."""
    return a_person("ann@example.org")


def a_person(email: str, **fields: Any) -> User:
    from allauth.account.models import EmailAddress

    user = User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def key_in_mail(what: str) -> str:
    """The key that the last mail's link holds: `/verify-email/KEY`, `/password/reset/KEY`."""
    found = re.search(rf"{re.escape(settings.FRONTEND_URL)}/{what}/(\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return unquote(found[1])
