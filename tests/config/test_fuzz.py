"""Whatever is sent, nothing breaks: requests drawn from the schema, ids, cursors, headers and bodies that nobody meant.

A short form runs always; `make soak` draws some ten thousand requests.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.graphql_compatibility import RELEASED
from tests.config.graphql_client import ADDRESS, Asker, global_id
from tests.marketplace.factories import (
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_user,
    an_application,
    an_invitation,
    an_organisation,
)

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("fuzz")]

BROKEN = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}
CASES = 10_000


def fuzzing(examples: int | None = None) -> Any:
    """Rows are made once for all examples, and what these write is rolled back with them."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    more = {} if examples is None else {"max_examples": examples}
    return settings(suppress_health_check=checks, deadline=None, **more)  # type: ignore[arg-type]


class Crowd:
    """Somebody of each kind, and ids of what there is."""

    def __init__(self) -> None:
        recruiter = an_organisation()
        opportunity, candidate = a_published_opportunity(recruiter), a_candidate()
        staff = a_user(is_staff=True, is_superuser=True)
        self.askers = [Asker(), Asker(candidate), Asker(recruiter.user), Asker(staff)]
        rows = [
            opportunity,
            candidate,
            recruiter.organisation,
            a_skill(),
            an_application(),
            an_invitation(),
            a_draft(recruiter),
        ]
        self.ids = [global_id(row) for row in rows]


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def assert_not_broken(response: Any, sent: object) -> None:
    assert response.status_code < 500, (response.status_code, sent)
    if response.headers["Content-Type"].startswith("application/"):
        errors = response.json().get("errors", [])
        broken = [error for error in errors if error["extensions"]["code"] in BROKEN]
        assert not broken, (broken, sent)


# --- Requests drawn from the schema


STAND_INS = [f"id-of-row-{number}" for number in range(7)]
SCALARS = {
    "ID": st.sampled_from(STAND_INS) | st.sampled_from(STAND_INS) | st.text(max_size=20),
    "BigInt": st.integers(-(2**70), 2**70).map(str),
    "Date": st.dates().map(str) | st.text(max_size=12),
    "DateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | st.text(max_size=30),
    "Decimal": st.decimals(allow_nan=True).map(str) | st.text(max_size=12),
    "JSON": st.text(max_size=20),
}


@pytest.fixture(scope="module")
def requests() -> st.SearchStrategy[Any]:
    """Cases of schemathesis for all queries and mutations. It is loaded here: that takes a second."""
    import schemathesis
    from schemathesis.graphql import nodes

    for name, texts in SCALARS.items():
        schemathesis.graphql.scalar(name, texts.map(nodes.String))
    drawn: st.SearchStrategy[Any] = schemathesis.graphql.from_path(RELEASED.with_name("schema.graphql")).as_strategy()
    return drawn


def send(crowd: Crowd, data: st.DataObject, case: Any) -> str:
    """As somebody, with the ids of rows that there are. What became of it: a code, or that it was done."""
    query: str = case.body
    for stand_in, known in zip(STAND_INS, crowd.ids, strict=True):
        query = query.replace(stand_in, known)
    asker = data.draw(st.sampled_from(crowd.askers))
    response = asker.post({"query": query})
    assert_not_broken(response, query)
    body = response.json()
    codes = [error["extensions"]["code"] for error in body.get("errors", [])]
    refused = [one["code"] for one in (body.get("data") or {}).values() if isinstance(one, dict) and "code" in one]
    return next(iter(codes + refused), "done")


def test_requests_drawn_from_the_schema_break_nothing(crowd: Crowd, requests: Any) -> None:
    @given(data=st.data(), case=requests)
    @fuzzing()
    def drawn(data: st.DataObject, case: Any) -> None:
        send(crowd, data, case)

    drawn()


@pytest.mark.soak
def test_ten_thousand_requests_drawn_from_the_schema_break_nothing(crowd: Crowd, requests: Any) -> None:
    outcomes: Counter[str] = Counter()

    @given(data=st.data(), case=requests)
    @fuzzing(CASES)
    def drawn(data: st.DataObject, case: Any) -> None:
        outcomes[send(crowd, data, case)] += 1

    drawn()
    print(f"\n{outcomes.total()} requests: {dict(outcomes.most_common())}")
    assert outcomes.total() >= CASES


# --- Ids and cursors


def ids(known: list[str]) -> st.SearchStrategy[str]:
    """Texts, and ids that were cut, lengthened or changed in one place."""

    def changed(drawn: tuple[str, int, str]) -> str:
        id_, place, text = drawn
        return id_[: place % (len(id_) + 1)] + text + id_[place % (len(id_) + 1) + len(text) :]

    spoilt = st.tuples(st.sampled_from(known), st.integers(0, 80), st.text(max_size=3)).map(changed)
    return spoilt | st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.hex()) | st.sampled_from(known)


def test_ids_that_nobody_gave_out_name_nothing(crowd: Crowd) -> None:
    query = """query ($id: ID!) {
        node(id: $id) { id } opportunity(id: $id) { id } organisation(id: $id) { id } allocationRun(id: $id) { id } }"""

    @given(id_=ids(crowd.ids))
    @fuzzing()
    def drawn(id_: str) -> None:
        assert_not_broken(crowd.askers[0].post({"query": query, "variables": {"id": id_}}), id_)

    drawn()


def test_cursors_that_nobody_gave_out_are_refused(crowd: Crowd) -> None:
    query = "query ($after: String) { opportunities(first: 1, after: $after) { pageInfo { endCursor } nodes { id } } }"
    skills = "query ($after: String) { skills(first: 1, after: $after) { pageInfo { endCursor } nodes { id } } }"
    first = crowd.askers[2].ask(query)["opportunities"]["pageInfo"]["endCursor"] or "AAAA"

    @given(after=ids([first, "AAAA", "e30="]), asked=st.sampled_from([query, skills]))
    @fuzzing()
    def drawn(after: str, asked: str) -> None:
        assert_not_broken(crowd.askers[2].post({"query": asked, "variables": {"after": after}}), after)

    drawn()


# --- Headers and bodies

HEADERS = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Encoding",
    "Cookie",
    "Host",
    "Idempotency-Key",
    "If-Modified-Since",
    "Last-Event-ID",
    "Origin",
    "Range",
    "Referer",
    "X-Client-Name",
    "X-CSRFToken",
    "X-Forwarded-For",
    "X-Request-Id",
    "X-Session-Token",
)
# What a server hands on: any byte but the ends of lines, read as Latin-1.
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
LIKELY = st.sampled_from(
    [
        *("application/json;q=", "*/*;q=nan", "de;q=1e9, " * 200, "gzip", "bytes=-1"),
        *("Bearer ", "Bearer a.b.c", "sessionid=", "sessionid=\xff; csrftoken="),
        *("testserver:99999", "a.example, b.example", "x" * 20_000, "\xe9" * 300),
    ]
)


def test_headers_that_nobody_means_are_refused_or_ignored(crowd: Crowd) -> None:
    @given(headers=st.dictionaries(st.sampled_from(HEADERS), VALUES | LIKELY, max_size=4), kind=VALUES | LIKELY)
    @fuzzing()
    def drawn(headers: dict[str, str], kind: str) -> None:
        http = Client()
        body = json.dumps({"query": "{ viewer { isStaff } }"})
        assert_not_broken(http.post(ADDRESS, body, content_type="application/json", headers=headers), headers)
        assert_not_broken(http.post(ADDRESS, body, content_type=kind, headers=headers), (kind, headers))
        for path in ("/_allauth/browser/v1/config", "/admin/login/", "/healthz", "/unsubscribe/x"):
            assert http.get(path, headers=headers).status_code < 500, (path, headers)

    drawn()


def test_an_address_of_thousands_of_parameters_is_refused(crowd: Crowd) -> None:
    many = "a=1&" * 2_000
    for path in (ADDRESS, "/graphql/stream", "/_allauth/app/v1/config", "/identity/o/authorize", "/admin/login/"):
        assert Client().get(f"{path}?{many}").status_code == 400, path
        assert Client().post(f"{path}?{many}", b"{}", content_type="application/json").status_code == 400, path
    answer = Client().get(f"{ADDRESS}?{many}").json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("text", ["\0", "x" * 9_000, "\ud800".encode("utf-8", "surrogatepass"), "é\0"])
def test_programs_of_no_name_are_refused(crowd: Crowd, text: str | bytes) -> None:
    """Where others log in with us."""
    http, basic = Client(), base64.b64encode((text if isinstance(text, bytes) else text.encode()) + b":x").decode()
    sent = dict.fromkeys(("client_id", "code", "redirect_uri", "scope", "state", "client_secret", "token"), text)
    for grant in ("authorization_code", "refresh_token", "client_credentials"):
        for path in ("token", "revoke", "device/code", "userinfo"):
            form = urlencode(sent | {"grant_type": grant, "refresh_token": text, "response_type": "code"})
            for headers in ({}, {"Authorization": f"Basic {basic}"}):
                answer = http.post(
                    f"/identity/o/api/{path}", form, content_type="application/x-www-form-urlencoded", headers=headers
                )
                assert 400 <= answer.status_code < 500, (path, headers, answer.content)
    assert http.get(f"/identity/o/authorize?{urlencode(sent | {'response_type': 'code'})}").status_code < 500


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ("query", "variables", "operationName", "extensions", "documentId")


def test_bodies_that_nobody_means_are_refused(crowd: Crowd) -> None:
    request = st.dictionaries(st.sampled_from(MEMBERS), JSONS, max_size=5).map(lambda body: json.dumps(body).encode())

    @given(body=st.binary(max_size=200) | request | JSONS.map(lambda body: json.dumps(body).encode()))
    @fuzzing()
    def drawn(body: bytes) -> None:
        for path in (ADDRESS, "/_allauth/app/v1/auth/login", "/_allauth/app/v1/auth/signup"):
            response = crowd.askers[0].http.post(path, body, content_type="application/json")
            assert response.status_code < 500, (path, body)

    drawn()


def test_files_have_no_way_in(crowd: Crowd) -> None:
    """Neither as GraphQL's multipart requests nor compressed: what is small on the way cannot become large here."""

    @given(name=VALUES, content=st.binary(max_size=100), kind=st.sampled_from(["gzip", "br", "zstd", "deflate"]))
    @fuzzing()
    def drawn(name: str, content: bytes, kind: str) -> None:
        http = crowd.askers[1].http
        parts = f'--x\r\nContent-Disposition: form-data; name="0"; filename="{name}"\r\n\r\n'.encode("latin-1")
        form = b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{ __typename }"}\r\n'
        whole = form + parts + content + b"\r\n--x--\r\n"
        assert http.post(ADDRESS, whole, content_type="multipart/form-data; boundary=x").status_code == 415
        squeezed = http.post(ADDRESS, content, content_type="application/json", headers={"Content-Encoding": kind})
        assert squeezed.status_code == 415

    drawn()
