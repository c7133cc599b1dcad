"""The endpoint over HTTP: what it takes, whom it believes, what it gives away."""

from __future__ import annotations

import json
import logging
import re
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory, override_settings

from accounts.models import Organisation
from config.graphql_request import MAX_NESTING
from config.graphql_view import view
from tests.config.graphql_client import ADDRESS, Asker, global_id, seconds_of, token_of
from tests.marketplace.factories import a_user, an_organisation

pytestmark = pytest.mark.django_db

WHO = "{ viewer { user { email } } }"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe\x00",
        b'{"query": "\\ud800"}',
        b'{"query": NaN}',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": "  "}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "text"}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "extensions": 1}',
        b'{"query": "query A { __typename }", "operationName": "B"}',
        b'{"query": "fragment A on Query { __typename }"}',
        b'{"query": "subscription { __typename }"}',
        b"[" * 100_000,
        b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
        b'{"query": "{ __typename }", "variables": {"a": ' + b"1" * 100_000 + b"}}",
        b'{"query": "{ __typename }", "variables": {"a": [' + b"1," * 20_001 + b"1]}}",
        b'{"query": "{ __typename }", "variables": {"a": [' + b"[]," * 600_000 + b"[]]}}",
        b'{"query": "{' + b" " * 2_000_000 + b'__typename }"}',
        b'{"query": "{ node(id: \\"' + b"x" * 2_000_000 + b'\\") { id } }"}',
        b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}",
    ],
    ids=lambda body: repr(body[:60]),
)
def test_a_body_that_is_no_request_is_refused_as_the_clients_fault(body: bytes) -> None:
    asker = Asker()
    asker.post({"query": "{ __typename }"})
    took = seconds_of(lambda _: asker.post(body))
    response = asker.post(body)
    assert 400 <= response.status_code < 500
    assert response.json()["errors"][0]["message"]
    assert took < 0.05


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Accept": "image/png, text/html;q=0.9"}, 406),
        ({"Accept": ";;;q=x,,/"}, 406),
        ({"Accept": "application/json;q=0"}, 406),
    ],
    ids=str,
)
def test_headers_that_ask_for_what_there_is_not_are_refused(headers: dict[str, str], status: int) -> None:
    kind = {"content_type": headers["Content-Type"]} if "Content-Type" in headers else {}
    response = Asker().post({"query": "{ __typename }"}, headers=headers, **kind)
    assert response.status_code == status
    assert response.json()["errors"]


def test_a_body_of_unknown_length_is_told_so() -> None:
    request = RequestFactory().post(ADDRESS, content_type="application/json", headers={"Transfer-Encoding": "chunked"})
    del request.META["CONTENT_LENGTH"]
    assert view(request).status_code == 411


@pytest.mark.parametrize(
    ("accepted", "answered"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json;q=0.5, application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.5, application/json", "application/json"),
        ("application/graphql-response+json; charset=utf-8, application/json", "application/graphql-response+json"),
    ],
)
def test_of_two_media_types_the_client_is_sent_what_it_likes_best(accepted: str, answered: str) -> None:
    response = Asker().post({"query": "{ __typename }"}, headers={"Accept": accepted})
    assert response.headers["Content-Type"] == f"{answered}; charset=utf-8"


def test_an_error_does_not_send_the_whole_request_back() -> None:
    response = Asker().post({"query": "a" * 60_000})
    assert len(response.content) < 2_000


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_read(kind: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{ __typename }"}\r\n--x--\r\n'
    response = Asker().post(body, content_type=kind)
    assert response.status_code == 415
    assert response.json()["errors"]


def test_a_body_beyond_the_limit_is_refused() -> None:
    response = Asker().post({"query": "{ __typename }", "variables": {"a": "x" * 5_000_000}})
    assert response.status_code == 413
    assert response.wsgi_request.read(1) == b""  # taken off the wire: who still sends would see no answer


def test_nesting_up_to_the_limit_is_read() -> None:
    deep: object = {}
    for _ in range(MAX_NESTING - 3):
        deep = {"a": deep}
    assert Asker().post({"query": "{ __typename }", "variables": {"a": deep}}).status_code == 200


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ node }", "query ($first: Int!) { opportunities(first: $first) { totalCount } }"]
)
def test_what_cannot_be_executed_says_why_in_either_media_type(query: str) -> None:
    plain = Asker().post({"query": query})
    assert plain.status_code == 200
    assert plain.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    strict = Asker().post({"query": query}, headers={"Accept": "application/graphql-response+json"})
    assert strict.status_code == 400
    assert strict.headers["Content-Type"].startswith("application/graphql-response+json")
    assert "data" not in strict.json()


def test_what_the_client_does_not_accept_is_not_sent() -> None:
    assert Asker().post({"query": "{ __typename }"}, headers={"Accept": "image/png"}).status_code == 406


def test_queries_may_come_by_get() -> None:
    http = Asker().http
    query = "query ($id: ID!) { node(id: $id) { id } }"
    response = http.get(ADDRESS, {"query": query, "variables": json.dumps({"id": "x"})})
    assert response.status_code == 200
    assert http.get(ADDRESS, {"query": query, "variables": "{"}).status_code == 400
    assert http.get(ADDRESS).status_code == 400
    assert http.put(ADDRESS).status_code == 405


def test_mutations_never_come_by_get() -> None:
    person = a_user()
    mutation = 'mutation { createOrganisation(input: {name: "Works"}) { __typename } }'
    response = Asker(person).http.get(ADDRESS, {"query": mutation})
    assert response.status_code == 405
    assert not Organisation.objects.exists()


def test_a_cookie_needs_the_csrf_token_to_post() -> None:
    person = a_user()
    http = Client(enforce_csrf_checks=True)
    http.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = json.dumps({"query": WHO})
    refused = http.post(ADDRESS, body, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["extensions"]["code"] == "CSRF"
    with override_settings(DEBUG=True):
        http.get(ADDRESS, headers={"Accept": "text/html"})  # gives out the cookie
    token = http.cookies["csrftoken"].value
    taken = http.post(ADDRESS, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert taken.json()["data"]["viewer"]["user"]["email"] == person.email


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_with_a_cookie_alone_nothing_is_changed(method: str, kind: str) -> None:
    """Whatever a page of somebody else's can make a browser send: it has the cookie and no token."""
    person = a_user()
    http = Client(enforce_csrf_checks=True)
    http.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    founding = 'mutation { createOrganisation(input: {name: "Works"}) { __typename } }'
    body = json.dumps({"query": founding})
    if kind.startswith("multipart"):
        part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        body = part.format("operations", body) + part.format("map", "{}") + "--x--\r\n"
    elif kind.endswith("urlencoded"):
        body = urlencode({"query": founding})
    address = ADDRESS if method == "post" else f"{ADDRESS}?{urlencode({'query': founding})}"
    response = http.generic(method.upper(), address, body, content_type=kind)
    assert response.status_code in (403, 405, 415)
    assert not Organisation.objects.exists()


def test_a_page_elsewhere_cannot_log_its_visitor_in_or_out() -> None:
    """A browser logged in as somebody else would tell them what its owner does."""
    person = a_user()
    http = Client(enforce_csrf_checks=True)
    http.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    for method, path in (("POST", "auth/login"), ("POST", "auth/signup"), ("DELETE", "auth/session")):
        body = {"email": person.email, "password": "x"}
        response = http.generic(method, f"/_allauth/browser/v1/{path}", json.dumps(body), "application/json")
        assert response.status_code == 403, path
    assert http.get(ADDRESS, {"query": WHO}).json()["data"]["viewer"]["user"]["email"] == person.email


def test_a_bearer_token_needs_none() -> None:
    person = a_user()
    http = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {token_of(person)}"}
    response = http.post(ADDRESS, json.dumps({"query": WHO}), content_type="application/json", headers=headers)
    assert response.json()["data"]["viewer"]["user"]["email"] == person.email


@pytest.mark.parametrize("authorization", ["Bearer x.y.z", "Bearer", "Basic dXNlcjpwYXNz", "Bearer " + "a" * 10_000])
def test_a_token_that_does_not_hold_is_refused_rather_than_ignored(authorization: str) -> None:
    response = Asker(a_user()).post({"query": WHO}, headers={"Authorization": authorization})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_dies_with_its_user() -> None:
    person = a_user()
    headers = {"Authorization": f"Bearer {token_of(person)}"}
    person.is_active = False
    person.save()
    assert Asker().post({"query": WHO}, headers=headers).status_code == 401


def test_the_page_to_try_queries_on_is_for_development_alone() -> None:
    headers = {"Accept": "text/html,*/*"}
    assert Asker().http.get(ADDRESS, headers=headers).status_code == 400
    with override_settings(DEBUG=True):
        page = Asker().http.get(ADDRESS, headers=headers)
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"Muster GraphQL" in page.content
    assert "csrftoken" in page.cookies


def test_the_page_to_try_queries_on_is_whole_and_asks_nobody_else_for_anything() -> None:
    with override_settings(DEBUG=True):
        first, second = (Asker().http.get(ADDRESS, headers={"Accept": "text/html"}) for _ in range(2))
    text = first.content.decode()
    assert not re.search(r"https?:|\S//\w|//\w\S*\.\w|@import|\burl\(|\bimport\b", text)
    assert re.findall(r"""\b(?:src|href)\s*=\s*["']?([^"' >]*)""", text) == ["data:,"]
    policy = first["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "connect-src 'self'" in policy
    [nonce] = set(re.findall(r'nonce="([^"]+)"', text))
    assert f"script-src 'nonce-{nonce}'" in policy and f"style-src 'nonce-{nonce}'" in policy
    assert nonce not in second["Content-Security-Policy"]
    assert not re.search(r"\son\w+=|\sstyle=", text), "the policy would refuse it"


def test_a_bug_is_masked_and_logged_with_the_request_id(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError('relation "secret_table" does not exist')

    monkeypatch.setattr("accounts.api.queries.access_organisation", fail)
    recruiter = an_organisation()
    query = f'{{ organisation(id: "{global_id(recruiter.organisation)}") {{ name }} }}'
    with caplog.at_level(logging.ERROR, logger="muster.graphql"):
        response = Asker(recruiter.user).post({"query": query}, headers={"X-Request-Id": "request-12345678"})
    assert b"secret_table" not in response.content
    [error] = response.json()["errors"]
    assert error["message"] == "Something went wrong."
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-12345678"}
    assert "secret_table" in caplog.text


def test_a_refusal_in_a_query_is_an_error_with_its_code_and_data() -> None:
    assert Asker().refusal("{ opportunities(first: 1000) { totalCount } }") == {
        "code": "INVALID_INPUT",
        "field": "first",
        "data": {"field": "first", "problem": "must be from 0 to 100"},
    }
    assert Asker().refusal("{ notifications { totalCount } }")["code"] == "LOGIN_REQUIRED"


def test_of_several_operations_the_request_names_one() -> None:
    """Otherwise the first would be carried out, whichever was meant."""
    asker = Asker(a_user())
    founding = 'createOrganisation(input: {name: "Works", idempotencyKey: "key-1"}) { __typename }'
    answer = asker.answer(f"mutation A {{ {founding} }} mutation B {{ __typename }}")
    assert "operationName" in answer["errors"][0]["message"]
    assert not Organisation.objects.exists()


@pytest.mark.parametrize("path", ["app/v1/auth/login", "app/v1/auth/reauthenticate", "browser/v1/auth/signup"])
def test_text_that_is_no_unicode_is_refused_by_the_login_endpoints(path: str) -> None:
    user = a_user()
    response = Client().post(
        f"/_allauth/{path}",
        f'{{"email": "{user.email}", "password": "\\ud800aaaaaaa12"}}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {token_of(user)}"},
    )
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("canary"), 500, "INTERNAL"), (OperationalError("canary"), 503, "UNAVAILABLE")],
)
def test_what_fails_outside_of_any_field_is_masked_as_well(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(request: object) -> None:
        raise error

    monkeypatch.setattr("config.graphql_view.context_of", fail)
    response = Asker().post({"query": WHO}, headers={"X-Request-Id": "request-12345678"})
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"] == {"code": code, "requestId": "request-12345678"}
    assert b"canary" not in response.content


def test_a_statement_that_takes_too_long_is_ended_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(*args: object, **kwargs: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")  # as `config.wsgi` sets it for all, only shorter
            cursor.execute("SELECT pg_sleep(2)")

    monkeypatch.setattr("accounts.api.queries.access_organisation", sleep)
    works = an_organisation()
    asked = f'{{ organisation(id: "{global_id(works.organisation)}") {{ name }} }}'
    assert Asker(works.user).refusal(asked)["code"] == "TIMEOUT"
