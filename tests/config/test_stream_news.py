"""Following what one is told, and who suits an opportunity, over server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing
from datetime import date
from types import MappingProxyType
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import AsyncClient

from accounts.actions.events import append
from accounts.api.connections import NEWEST
from accounts.api.watching import in_thread
from accounts.core.actor import Actor, ActorKind
from accounts.models import AuditEntry, DeprecatedUse, Membership, User
from config import graphql_deprecations
from config.graphql_deprecations import deprecated
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.api.subscriptions import _MOMENTS
from marketplace.models import Candidate, Notification
from marketplace.queries.notifications import BATCH, Moment, present_moment, told_since
from tests.config.graphql_client import global_id, schema, token_of
from tests.config.streaming import SSE, Told, subscribed
from tests.database import address_of
from tests.marketplace.factories import NOW, Recruiter, a_candidate, a_skill, actor_of, an_application, an_organisation
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stream")]

NEWS = "subscription ($after: String) { notifications(after: $after) { position notifications { text } } }"
MATCHES = """subscription ($opportunity: ID!) { matches(opportunity: $opportunity, first: 9) {
    totalCount nodes { candidate { id } fit { score } } } }"""


def following_news(
    address: str, who: Candidate, after: str | None = None, **headers: str
) -> AbstractContextManager[Told]:
    assert who.user is not None
    return subscribed(address, NEWS, {"after": after}, who.user, **headers)


def tell(who: Candidate, *texts: str) -> None:
    Notification.objects.bulk_create(a_notification(who, text) for text in texts)


def a_notification(who: Candidate, text: str) -> Notification:
    with transaction.atomic():
        event = append(
            who, "CandidateUpdated", actor=Actor.system(), by=ActorKind.SYSTEM, now=NOW, payload={"changed": []}
        )
    return Notification(
        user=who.user,
        event=event,
        kind=event.name,
        subject_type="candidate",
        subject_id=who.pk,
        text=text,
        created_at=NOW,
        mail_due_at=NOW,
    )


def texts(told: Told) -> list[str]:
    return [one["text"] for one in told.data()["notifications"]]


def test_whoever_follows_is_told_what_is_new_to_them_alone(address):
    who, other = a_candidate(), a_candidate()
    tell(who, "of yesterday")
    with following_news(address, who) as told:
        assert texts(told) == []
        tell(other, "for another")
        tell(who, "first", "second")
        assert texts(told) == ["first", "second"]
        tell(who, "second")
        assert texts(told) == ["second"], "the same words are news again"


def test_whoever_comes_back_has_missed_nothing_and_hears_nothing_twice(direct):
    who = a_candidate()
    with following_news(direct, who) as told:
        begun = told.data()["position"]
        tell(who, "first")
        position = told.data()["position"]
        assert told.ids == [begun, position]
    tell(who, "while away")
    with following_news(direct, who, begun, **{"Last-Event-ID": position}) as again:
        assert texts(again) == ["while away"], "the newer of both counts"
        tell(who, "back again")
        assert texts(again) == ["back again"]
    with following_news(direct, who, begun) as explicit:
        assert texts(explicit) == ["first", "while away", "back again"]
    with following_news(direct, who, **{"Last-Event-ID": again.ids[-1]}) as later:
        tell(who, "last")
        assert texts(later) == ["last"]


def test_what_is_committed_late_is_told_late_and_once(direct):
    who = a_candidate()
    late = a_notification(who, "written first")
    with psycopg.connect(address_of(connection.settings_dict["NAME"])) as other:
        with following_news(direct, who) as told:
            assert texts(told) == []
            other.execute(
                "INSERT INTO marketplace_notification (public_id, user_id, event_id, kind, subject_type, subject_id,"
                " text, created_at, mail_state, mail_attempts, mail_due_at, mail_error)"
                " VALUES (%s, %s, %s, '', '', 0, %s, now(), 'none', 0, now(), '')",
                [late.public_id, late.user_id, late.event_id, late.text],
            )
            tell(who, "written second")
            assert texts(told) == ["written second"]
            other.commit()
            assert texts(told) == ["written first"]
        first, second, third = told.ids
    for after, left in [(first, ["written first", "written second"]), (second, ["written first"]), (third, [])]:
        moment = present_moment()
        with following_news(direct, who, after) as again:
            tell(who, "new")
            heard: list[str] = []
            while "new" not in heard:
                heard += texts(again)
        assert heard == [*left, "new"]
        Notification.objects.filter(text="new").delete()
        assert told_since(who.user_id or 0, moment).rows == []


def test_of_more_than_one_event_can_hold_all_are_told_in_their_order():
    who = a_candidate()
    moment = present_moment()
    tell(who, *map(str, range(BATCH + 20)))
    found = told_since(who.user_id or 0, moment)
    assert (len(found.rows), found.has_more) == (BATCH, True)
    tell(who, "meanwhile")
    rest = told_since(who.user_id or 0, found.moment)
    assert [row.text for row in found.rows + rest.rows] == [str(number) for number in range(BATCH + 20)]
    assert rest.has_more, "for it does not know what came since"
    after = told_since(who.user_id or 0, rest.moment)
    assert ([row.text for row in after.rows], after.has_more) == (["meanwhile"], False)
    assert told_since(who.user_id or 0, after.moment).rows == []


@pytest.mark.parametrize("position", ["nonsense", "x" * 10_000, "AAAA", "é"], ids=range(4))
def test_a_position_that_was_not_given_out_is_refused(direct, position):
    with following_news(direct, a_candidate(), position) as told:
        assert told.refusal() == "INVALID_INPUT"


def test_neither_another_list_s_cursor_nor_another_server_s_position_is_gone_on_after(direct):
    with following_news(direct, a_candidate(), NEWEST.sealed([1])) as told:
        assert told.refusal() == "INVALID_INPUT"
    following = present_moment().since.split(":")[1]
    ahead = Moment(f"{following}0:{following}0:")
    with following_news(direct, a_candidate(), _MOMENTS.sealed([ahead.since, ahead.until, ahead.after_id])) as told:
        assert told.refusal() == "INVALID_INPUT", "of another server"


def shown(told: Told) -> list[str]:
    return [one["candidate"]["id"] for one in told.data()["nodes"]]


def test_who_suits_best_is_told_whenever_it_changes(address):
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    few = [skilled(skill, level) for level in (5, 3)]
    work()
    with subscribed(address, MATCHES, {"opportunity": global_id(opportunity)}, by.user) as told:
        ids = {candidate.pk: global_id(candidate) for candidate in few}
        assert shown(told) == [ids[pk] for pk in best(opportunity)]
        newcomer = skilled(skill, 4)
        work()
        ids[newcomer.pk] = global_id(newcomer)
        assert shown(told) == [ids[pk] for pk in best(opportunity)]
        first = Candidate.objects.get(pk=best(opportunity)[0])
        update_candidate(
            actor=actor_of(first), candidate_id=first.public_id, fields=CandidateFields(discoverable=False), now=NOW
        )
        assert shown(told) == [ids[pk] for pk in best(opportunity) if pk != first.pk]
    known = {"Last-Event-ID": told.ids[-1]}
    with subscribed(address, MATCHES, {"opportunity": global_id(opportunity)}, by.user, **known) as again:
        Membership.objects.filter(user=by.user).delete()
        skilled(skill, 5)
        work()
        assert again.refusal() in ("NOT_FOUND", "NOT_PERMITTED"), "and before it nothing that was known already"


NAMES = "subscription ($of: ID!) { matches(opportunity: $of, first: 9) { nodes { candidate { name } } } }"


def somebody_who_turned_to(by: Recruiter) -> tuple[dict[str, str], Candidate]:
    """What the organisation asks to read their name, and who they are."""
    opportunity, candidate = asking_for(skill := a_skill(), by), skilled(skill, 5)
    work()
    an_application(opportunity, candidate)
    return {"of": global_id(opportunity)}, candidate


def test_whoever_comes_back_and_is_told_nothing_new_has_read_of_nobody(direct):
    by = an_organisation()
    asked, candidate = somebody_who_turned_to(by)
    read = AuditEntry.objects.filter(kind="PersonalDataRead", actor=by.user)
    with subscribed(direct, NAMES, asked, by.user) as told:
        assert told.data()["nodes"][0]["candidate"]["name"] == candidate.name
        assert [entry.subject_id for entry in read] == [candidate.pk], "before it is sent"
    with subscribed(direct, NAMES, asked, by.user, **{"Last-Event-ID": told.ids[-1]}) as again:
        assert next(again.lines).startswith("retry: ")
        again.wait_for_beats(2)
        assert read.count() == 1


def test_what_cannot_be_logged_is_not_told(direct):
    by = an_organisation()
    asked, _ = somebody_who_turned_to(by)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry ADD CONSTRAINT disk_is_full CHECK (false) NOT VALID")
        try:
            with subscribed(direct, NAMES, asked, by.user) as told:
                assert (told.refusal(), told.ids) == ("INTERNAL", [])
        finally:
            cursor.execute("ALTER TABLE accounts_auditentry DROP CONSTRAINT disk_is_full")


def test_who_suits_is_told_to_nobody_else(direct):
    opportunity = asking_for(a_skill())
    for stranger in (an_organisation().user, a_candidate().user):
        assert isinstance(stranger, User)
        with subscribed(direct, MATCHES, {"opportunity": global_id(opportunity)}, stranger) as told:
            assert told.refusal() == "NOT_PERMITTED"


async def streamed(who: Candidate, headers: Mapping[str, str] = MappingProxyType({})) -> AsyncGenerator[bytes, None]:
    """What this process itself streams, in parts."""
    assert who.user is not None
    headers = {**SSE, "Authorization": f"Bearer {await in_thread(token_of, who.user)}", **headers}
    asked = {"path": "/graphql/stream", "data": {"query": NEWS}, "content_type": "application/json"}
    response: Any = await AsyncClient().post(**asked, headers=headers)
    assert response.status_code == 200
    async with aclosing(response.streaming_content) as parts:
        async for part in parts:
            yield part


def test_events_are_paid_for_until_the_budget_is_used_up(settings):
    settings.GRAPHQL_REQUESTS_PER_MINUTE, settings.STREAM_HEARTBEAT_SECONDS = 2, 5
    who = a_candidate()

    async def follow() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        async with aclosing(streamed(who)) as parts:
            async for part in parts:
                if data := [line for line in part.decode().splitlines() if line.startswith("data: ")]:
                    heard.append(json.loads(data[0].removeprefix("data: ")))
                    await in_thread(tell, who, "another")
        return heard

    first, second, last = asyncio.run(follow())
    assert [len(one["data"]["notifications"]["notifications"]) for one in (first, second)] == [0, 1]
    [error] = last["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert 0 < error["extensions"]["retryAfterSeconds"] <= 30


def test_what_a_stream_uses_of_what_is_deprecated_is_counted_once(monkeypatch):
    monkeypatch.setattr(
        schema._schema.type_map["NotificationNews"].fields["position"],  # type: ignore[attr-defined]
        "deprecation_reason",
        deprecated("place", goes_on=date(2030, 1, 31)),
    )
    for cache in (graphql_deprecations._has_any, graphql_deprecations._in_document):
        cache.cache_clear()
    who = a_candidate()

    async def follow() -> bytes:
        async with aclosing(streamed(who, {"X-Client-Name": "web"})) as parts:
            return await anext(parts) + await anext(parts)

    assert b"event: next" in asyncio.run(follow())
    for cache in (graphql_deprecations._has_any, graphql_deprecations._in_document):
        cache.cache_clear()
    [row] = DeprecatedUse.objects.all()
    assert (row.element, row.client, row.uses) == ("NotificationNews.position", "web", 1)
