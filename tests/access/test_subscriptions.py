"""Whoever may not read what a stream tells is told nothing by it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import RequestFactory

from accounts.api import watching
from accounts.api.nodes import encode_id
from accounts.models import AuditEntry
from config import graphql_stream
from config.graphql_errors import formatted
from marketplace.api import subscriptions as of_the_marketplace
from matching.api import subscriptions as of_matching
from tests.access.asking import SCHEMA
from tests.access.matrix import matrix
from tests.access.world import PRINCIPALS, SECRET, World
from tests.config.graphql_client import token_of

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

SUBSCRIPTIONS: dict[str, str] = matrix().raw["subscriptions"]
PERSON = "candidate { contactsOpen displayName name email phone linkedin resumeText }"
FIELDS = {
    "allocationProgress": f"allocationProgress(run: $id) {{ id state proposals {{ nodes {{ {PERSON} }} }} }}",
    "matches": f"matches(opportunity: $id) {{ totalCount nodes {{ {PERSON} }} }}",
    "notifications": "notifications { position notifications { id } }",
}
SUBSCRIPTION: Any = SCHEMA.subscription_type


@pytest.fixture(autouse=True)
def _where_the_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads and loops of their own would see nothing of a transaction that is taken back. The first event waits for
    nothing."""

    async def here(do: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return do(*arguments, **options)

    async def once(watch: Any, key: Any) -> AsyncGenerator[None, None]:
        yield

    monkeypatch.setattr(watching.Watch, "changes", once)
    for module in (graphql_stream, of_the_marketplace, of_matching):
        monkeypatch.setattr(module, "in_thread", here)


def test_every_subscription_is_classified() -> None:
    assert set(SUBSCRIPTION.fields) == set(SUBSCRIPTIONS) == set(FIELDS)


def told(user: Any, name: str, id: str | None) -> dict[str, Any]:
    """The first event of a stream."""
    variables = "($id: ID!) " if "$id" in FIELDS[name] else ""
    body = {"query": f"subscription {variables}{{ {FIELDS[name]} }}", "variables": {"id": id}}
    request = RequestFactory().post("/graphql/stream", json.dumps(body), content_type="application/json")
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {token_of(user)}"
    followed = graphql_stream._begin(request)
    results = graphql_stream._results(followed)
    result = without_waiting(anext(results))
    assert graphql_stream._log(followed) is None
    without_waiting(results.aclose())
    return {"data": result.data, "errors": [formatted(error, "") for error in result.errors or ()]}


def without_waiting(awaited: Awaitable[Any]) -> Any:
    try:
        awaited.__await__().send(None)  # type: ignore[attr-defined]
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


@pytest.mark.parametrize("name", ["allocationProgress", "matches"])
def test_a_stream_is_for_those_who_may_read_what_it_tells(world: World, name: str) -> None:
    access, row = matrix().access[SUBSCRIPTIONS[name]], {"allocationProgress": "run", "matches": "open"}[name]
    for principal, user in world.users().items():
        if user is None:
            continue  # 401, before anything is looked at: tests/config/test_stream.py
        for side in (world.ours, world.theirs):
            one = world.specimen(side.rows[row])
            answer = told(user, name, one.id)
            if access.allows(principal, one):
                assert answer["data"] is not None and not answer["errors"], (principal, one, answer)
                assert name != "matches" or _log_of(user) == _open_in(answer), (principal, one)
                assert principal == "staff" or not _others_secrets(answer, name), (principal, answer)
            else:
                [error] = answer["errors"]
                assert answer["data"] is None
                assert error["extensions"]["code"] in ("NOT_FOUND", "NOT_PERMITTED"), (principal, one, answer)
            hidden = world.specimen(side.rows["draft"]) if name == "matches" else one
            if not matrix().node[hidden.type].allows(principal, hidden):
                nothing = told(user, name, encode_id(hidden.type, uuid4()))
                assert told(user, name, hidden.id) == nothing, f"{principal} can tell that {hidden} is there"


def _open_in(answer: dict[str, Any]) -> int:
    return sum(one["candidate"]["contactsOpen"] for one in answer["data"]["matches"]["nodes"])


def _log_of(user: Any) -> int:
    """How many people were logged for the last answer."""
    last = AuditEntry.objects.filter(actor=user, kind="PersonalDataRead", data__through=["matches"]).last()
    return 0 if last is None else AuditEntry.objects.filter(request_id=last.request_id, at=last.at).count()


def _others_secrets(answer: dict[str, Any], name: str) -> list[str]:
    """Of people in an answer whose contacts are not open, what it tells all the same."""
    told = answer["data"][name]
    people = [one["candidate"] for one in (told.get("proposals") or told)["nodes"]]
    assert people
    assert name != "matches" or not all(one["contactsOpen"] for one in people), "otherwise nothing is proven"
    return [str(one) for one in people if not one["contactsOpen"] and SECRET in json.dumps(one)]


def test_everybody_follows_their_own_notifications(world: World) -> None:
    for principal in PRINCIPALS:
        user = world.users()[principal]
        if user is not None:
            assert told(user, "notifications", None)["data"]["notifications"]["notifications"] == []
