"""Subscriptions over server-sent events: a real process that streams, the web server before it, and real clients."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, ExitStack

import httpx
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Membership
from matching.actions.allocation import discard_allocation, plan_allocation, progress, solve_run
from matching.core.workflow import SolvingStage
from matching.models import AllocationRun
from tests.config.graphql_client import global_id, token_of
from tests.config.streaming import PLAIN, SSE, Told, subscribed
from tests.live import eventually
from tests.marketplace.factories import NOW, Recruiter, a_skill, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stream")]

FOLLOW = """subscription ($run: ID!) { allocationProgress(run: $run) {
    state proposed progress { stage done total value bound } } }"""


def following(address: str, run: AllocationRun, by: Recruiter, **headers: str) -> AbstractContextManager[Told]:
    return subscribed(address, FOLLOW, {"run": global_id(run)}, by.user, **headers)


def queued_runs(number: int) -> list[tuple[Recruiter, AllocationRun]]:
    skill, organisations = a_skill(), [an_organisation() for _ in range(number)]
    for by in organisations:
        asking_for(skill, by)
    skilled(skill)
    work()
    return [
        (by, plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW))
        for by in organisations
    ]


def a_queued_run() -> tuple[Recruiter, AllocationRun]:
    [found] = queued_runs(1)
    return found


def test_a_run_is_followed_until_it_is_planned(address):
    by, run = a_queued_run()
    with following(address, run, by) as told:
        assert told.data() == {"state": "QUEUED", "proposed": 0, "progress": None}
        with progress.telling(run.pk) as telling:
            telling.begin(SolvingStage.SOLVING, total=10)
        assert told.data()["progress"] == {"stage": "SOLVING", "done": 0, "total": 10, "value": None, "bound": None}
        solve_run(run.pk, NOW)
        while (last := told.data())["state"] == "QUEUED":
            assert last["progress"] is not None
        assert last == {"state": "PLANNED", "proposed": 1, "progress": None}
        assert told.next() is None
    assert len(told.ids) == len(set(told.ids))


def test_whoever_comes_back_is_told_what_they_do_not_know(direct):
    by, run = a_queued_run()
    with following(direct, run, by) as told:
        told.data()
    with following(direct, run, by, **{"Last-Event-ID": told.ids[-1]}) as again:
        discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
        assert again.data()["state"] == "DISCARDED"
        assert again.next() is None
    with following(direct, run, by, **{"Last-Event-ID": told.ids[-1]}) as late:
        assert late.data()["state"] == "DISCARDED", "what happened in between is told"
    with following(direct, run, by, **{"Last-Event-ID": again.ids[-1]}) as later:
        assert later.next() is None, "it is over, and they know"


def test_something_is_sent_where_nothing_happens(direct):
    by, run = a_queued_run()
    with following(direct, run, by) as told:
        told.data()
        told.wait_for_beats(2)
        discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
        told.data()


def test_a_revoked_token_ends_a_stream(direct):
    by, run = a_queued_run()
    with following(direct, run, by) as told:
        told.data()
        Session.objects.all().delete()
        assert told.refusal() == "UNAUTHENTICATED"


def test_who_leaves_an_organisation_is_told_nothing_more(direct):
    by, run = a_queued_run()
    with following(direct, run, by) as told:
        told.data()
        Membership.objects.filter(user=by.user).delete()
        with progress.telling(run.pk) as telling:
            telling.begin(SolvingStage.SOLVING)
        assert told.refusal() == "NOT_FOUND"


def test_a_run_of_others_is_as_good_as_none(direct):
    _, run = a_queued_run()
    with following(direct, run, an_organisation()) as told:
        assert told.refusal() == "NOT_FOUND"


def test_five_streams_are_enough_for_one_person_and_a_sixth_has_to_wait_for_a_place(servers):
    (by, run), (other, other_run) = queued_runs(2)
    address = f"{servers.direct}/graphql/stream"
    with ExitStack() as stack:
        open_ones = [stack.enter_context(following(address, run, by)) for _ in range(5)]
        open_ones.append(stack.enter_context(following(address, other_run, other)))
        assert {told.data()["state"] for told in open_ones} == {"QUEUED"}
        body = {"query": FOLLOW, "variables": {"run": global_id(run)}}
        headers = {**SSE, "Authorization": f"Bearer {token_of(by.user)}"}
        refused = httpx.post(address, json=body, headers=headers, **PLAIN)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "15")
        assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"

    def there_is_a_place() -> bool:
        with httpx.stream("POST", address, json=body, headers=headers, **PLAIN) as response:
            return response.status_code == 200

    assert eventually(there_is_a_place, seconds=5)


def test_ordinary_requests_are_answered_while_more_streams_are_open_than_threads_answer(servers):
    address = f"{servers.passed_on}/graphql/stream"
    with ExitStack() as stack:
        open_ones = [stack.enter_context(following(address, run, by)) for by, run in queued_runs(2) for _ in range(5)]
        assert {told.data()["state"] for told in open_ones} == {"QUEUED"}
        for _ in range(20):
            answer = httpx.post(f"{servers.passed_on}/graphql", json={"query": "{ __typename }"}, timeout=5, **PLAIN)
            assert answer.json() == {"data": {"__typename": "Query"}}


def test_a_browser_follows_with_its_cookie_and_posts_with_its_csrf_token(address):
    by, run = a_queued_run()
    browser = Client()
    browser.force_login(by.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookies = {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value}
    asked = {"query": FOLLOW, "variables": json.dumps({"run": global_id(run)})}
    with httpx.stream("GET", address, params=asked, headers=SSE, cookies=cookies, **PLAIN) as response:
        assert Told(response.iter_lines()).data()["state"] == "QUEUED"
    body = {"query": FOLLOW, "variables": {"run": global_id(run)}}
    refused = httpx.post(address, json=body, headers=SSE, cookies=cookies, **PLAIN)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF")
    token = "x" * 32
    headers = {**SSE, "X-CSRFToken": token}
    with httpx.stream(
        "POST", address, json=body, headers=headers, cookies=cookies | {"csrftoken": token}, **PLAIN
    ) as response:
        told = Told(response.iter_lines())
        told.data()
        Session.objects.all().delete()
        assert told.refusal() == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("status", "method", "changed"),
    [
        (401, "POST", {"Authorization": ""}),
        (401, "POST", {"Authorization": "Bearer nonsense"}),
        (406, "POST", {"Accept": "application/json"}),
        (405, "PUT", {}),
        (415, "POST", {"Content-Type": "text/plain"}),
        (400, "POST", {"query": "{ __typename }"}),
        (400, "POST", {"query": "subscription { allocationProgress }"}),
        (400, "POST", {"query": "subscription {"}),
        (400, "POST", {"query": "subscription ($run: ID!) { allocationProgress(run: $run) { id } }", "variables": {}}),
    ],
)
def test_what_is_no_subscription_of_somebodys_is_refused_before_anything_is_streamed(servers, status, method, changed):
    by = an_organisation()
    asked = {name: value for name, value in changed.items() if name in ("query", "variables")}
    body = {"query": FOLLOW, "variables": {"run": "x"}, **asked}
    headers = {**SSE, "Content-Type": "application/json", "Authorization": f"Bearer {token_of(by.user)}"}
    headers |= {name: value for name, value in changed.items() if name not in asked}
    headers = {name: value for name, value in headers.items() if value}
    answer = httpx.request(
        method, f"{servers.direct}/graphql/stream", content=json.dumps(body), headers=headers, **PLAIN
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["message"]


def test_the_web_server_alone_says_that_it_does_not_stream(client):
    answer = client.get("/graphql/stream", headers=SSE)
    assert (answer.status_code, answer["content-type"]) == (404, "application/json; charset=utf-8")
