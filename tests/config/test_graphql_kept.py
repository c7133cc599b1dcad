"""Which pages of strangers are kept, for whom, and that nobody is told less, or waits, for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.actions.trusted_documents import document_hash
from accounts.api.context import Context
from accounts.core.actor import Actor
from accounts.models import DeprecatedUse
from config import graphql_kept, graphql_reads, graphql_view
from config.graphql_kept import ROOTS
from config.graphql_request import GRAPHQL_RESPONSE
from matching.retrieval.searching import Finding
from tests.access.matrix import matrix
from tests.config.graphql_client import ADDRESS, Asker, global_id, seconds_of, token_of
from tests.config.kept import HIT, PAGE, SEARCH, Scene, Stranger, a_scene, applied, warmed
from tests.marketplace.factories import NOW
from tests.marketplace.test_offers import an_offer
from tests.matching.staging import copy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keeping"), pytest.mark.xdist_group("kept")]


@pytest.fixture(scope="module")
def scene(shared_rows: None) -> Scene:
    return a_scene()


# What is kept


@pytest.mark.parametrize(
    "variables", [{}, SEARCH, {"search": "weldr"}, {"search": "nothing like it"}, {"filter": {"countries": ["DE"]}}]
)
def test_a_page_is_executed_once_and_then_the_same_byte_for_byte(
    scene: Scene, settings: Settings, variables: dict[str, Any]
) -> None:
    stranger = warmed(**variables)
    answer, is_kept = stranger.look(**variables)
    assert is_kept
    assert answer == stranger.fresh(settings, **variables)
    assert json.loads(answer)["extensions"]["search"]["source"] == "postgres"


def test_the_page_shows_what_the_edits_below_change(scene: Scene) -> None:
    """They could change nothing that nobody is shown."""
    answer = Stranger().ask(PAGE, **SEARCH)
    [node] = answer["opportunities"]["nodes"]
    assert node["lead"] == {"name": scene.by.user.name, "title": "Foreman"}
    assert node["skills"][0]["skill"]["labels"] == ["weld"]
    assert node["seats"]["open"] == 2
    assert "5" in node["currentRevision"]["ruleText"]
    assert answer["exchangeRates"]["rates"]


def test_everybody_who_asks_the_same_is_answered_the_same(scene: Scene, settings: Settings) -> None:
    """By whatever method, in whatever media type, and whatever else they send."""
    warmed(**SEARCH)
    same = {"query": PAGE, "variables": {**SEARCH, "unknown": 1}, "operationName": "Explore"}
    http, wanted = Stranger().http, Stranger().look(**SEARCH)[0]
    asked = [
        lambda: http.post(ADDRESS, json.dumps(same), content_type="application/json"),
        lambda: http.post(
            ADDRESS, json.dumps(same), content_type="application/json", headers={"Accept-Language": "de"}
        ),
        lambda: http.get(
            f"{ADDRESS}?{urlencode({'query': PAGE, 'variables': json.dumps(SEARCH)})}",
            headers={"Accept": GRAPHQL_RESPONSE},
        ),
    ]
    for ask in asked:
        with CaptureQueriesContext(connection) as captured:
            response = ask()
        assert len(captured) == HIT
        assert response.content == wanted
        assert response.headers["X-Request-Id"]
        assert "Set-Cookie" not in response.headers
        assert response.headers["Cache-Control"] == "no-store", "browsers and proxies cannot know what has changed"
    assert response.headers["Content-Type"].startswith(GRAPHQL_RESPONSE)


def test_what_is_asked_otherwise_is_answered_otherwise(scene: Scene) -> None:
    stranger = warmed(**SEARCH)
    assert stranger.post({"query": PAGE, "variables": SEARCH, "operationName": "Other"}).status_code == 400
    for variables in ({"search": "riveter", "first": 5}, {"search": "welder", "first": 4}, {"search": "welder"}):
        assert not stranger.look(**variables)[1]


# What is never kept, and who is never answered with what is


def test_who_has_logged_in_neither_gets_nor_leaves_anything(scene: Scene, keeping: redis.Redis) -> None:
    application = applied(scene)
    applicant = application.candidate
    copy()
    assert applicant.user is not None
    member, token = Asker(applicant), token_of(applicant.user)
    ask = [
        lambda: member.post({"query": PAGE, "variables": SEARCH}),
        lambda: Asker().post({"query": PAGE, "variables": SEARCH}, headers={"Authorization": f"Bearer {token}"}),
    ]
    for each in ask:
        assert each().json()["data"]["opportunities"]["nodes"][0]["applications"]["nodes"] == [
            {"id": global_id(application)}
        ]
    assert list(keeping.scan_iter("muster:explored*")) == []
    kept, _ = warmed(**SEARCH).look(**SEARCH)
    assert json.loads(kept)["data"]["opportunities"]["nodes"][0]["applications"]["nodes"] == []
    for each in ask:
        assert each().json()["data"]["opportunities"]["nodes"][0]["applications"]["totalCount"] == 1


def test_a_cookie_of_a_session_that_is_over_is_no_strangers(
    scene: Scene, settings: Settings, keeping: redis.Redis
) -> None:
    stranger = Stranger()
    stranger.http.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    for _ in range(3):
        assert stranger.http.get(f"{ADDRESS}?{urlencode({'query': PAGE})}").status_code == 200
    assert list(keeping.scan_iter("muster:explored*")) == []


@pytest.mark.parametrize("actor", [Actor(user_id=1), Actor(is_staff=True), Actor.system()])
def test_whoever_is_somebody_is_no_stranger_whatever_the_request_looks_like(actor: Actor) -> None:
    context = Context(request=RequestFactory().get(ADDRESS), actor=actor, user=None, now=NOW)
    assert not graphql_kept._is_a_strangers(context)
    assert graphql_kept._is_a_strangers(replace(context, actor=Actor.anonymous("a request")))


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ __typename }", {}),
        ("{ viewer { isStaff } }", {}),
        ("{ opportunities { totalCount } viewer { isStaff } }", {}),
        ("{ ...A } fragment A on Query { opportunities { totalCount } viewer { isStaff } }", {}),
        ("{ ... on Query { viewer { isStaff } } }", {}),
        ("{ ...A } fragment A on Query { ...A }", {}),
        ("{ ...A }", {}),
        ("{ __schema { queryType { name } } }", {}),
        ("{ opportunities { totalCount nothing } }", {}),
        ("{ opportunities { totalCount } opportunity { id } }", {}),  # the half of which is answered
        ("{ opportunities(first: 100000) { totalCount } }", {}),
        ("{ opportunities(orderBy: FIT) { totalCount } }", {}),
        ("{ opportunities(filter: {mine: true}) { totalCount } }", {}),
        ('{ opportunities(after: "nothing") { totalCount } }', {}),
        ("query ($first: Int!) { opportunities(first: $first) { totalCount } }", {}),
        ("{", {}),
    ],
)
def test_errors_and_what_is_no_page_to_explore_are_not_kept(
    scene: Scene, keeping: redis.Redis, query: str, variables: dict[str, Any]
) -> None:
    stranger = Stranger()
    answers = [stranger.post({"query": query, "variables": variables}).content for _ in range(3)]
    assert answers[1]
    assert list(keeping.scan_iter("muster:explored*")) == []


def test_of_several_operations_none_is_kept(scene: Scene, keeping: redis.Redis) -> None:
    both = "query A { opportunities { totalCount } } query B { opportunities { nodes { id } } }"
    for _ in range(3):
        assert "nodes" in Stranger().post({"query": both, "operationName": "B"}).json()["data"]["opportunities"]
    wrong = {"query": "query A { opportunities { totalCount } }", "operationName": "B"}
    for _ in range(3):
        assert Stranger().post(wrong).status_code == 400
    assert list(keeping.scan_iter("muster:explored*")) == []


def test_a_table_without_a_state_keeps_an_answer_from_being_kept(scene: Scene, keeping: redis.Redis) -> None:
    """Nodes of all types are asked for at one door; what strangers are not shown is told of by no table's state."""
    offer = an_offer(applied(scene))
    for _ in range(3):
        assert Stranger().ask("query ($id: ID!) { node(id: $id) { id } }", id=global_id(offer)) == {"node": None}
    assert list(keeping.scan_iter("muster:explored*")) == []


@pytest.mark.parametrize(
    ("sql", "is_all"),
    [
        ("SELECT title FROM marketplace_opportunity", True),
        ('SELECT "current_revision_id", updated_at FROM marketplace_opportunity', True),
        ("SELECT 1 FROM marketplace_opportunity WHERE closes_at > now()", False),
        ("SELECT CURRENT_DATE", False),
        ("SELECT random()", False),
        ("WITH gone AS (DELETE FROM marketplace_skill RETURNING id) SELECT id FROM gone", False),
        ("SELECT current_setting('x')", False),
        ("SELECT count(*) FROM pg_stat_activity", False),
    ],
)
def test_a_statement_that_does_more_than_read_tables_is_noticed(sql: str, is_all: bool) -> None:
    assert graphql_reads._read_by(sql)[1] is is_all


def test_an_answer_for_which_more_was_done_is_not_kept(
    scene: Scene, keeping: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = graphql_view._executed

    def looking_at_the_clock(*args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
        return execute(*args)

    monkeypatch.setattr(graphql_view, "_executed", looking_at_the_clock)
    for _ in range(3):
        Stranger().ask(PAGE)
    assert list(keeping.scan_iter("muster:explored*")) == []


def test_no_statement_reads_tables_that_it_does_not_name() -> None:
    """There are no views, and no functions but those of triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v','m')"
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND prorettype <> 'trigger'::regtype AND proname NOT LIKE '\\_pg%'"
        )
        assert cursor.fetchall() == []
        assert set(connection.introspection.table_names(cursor)) - graphql_reads._tables() == {"django_migrations"}


def test_what_follows_an_answer_or_is_logged_of_it_is_never_left_out(
    scene: Scene, keeping: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, done = graphql_view._executed, []

    def leaving_something(request: Any, asked: Any, context: Any) -> Any:
        context.afterwards.append(lambda: done.append(1))
        return execute(request, asked, context)

    monkeypatch.setattr(graphql_view, "_executed", leaving_something)
    for _ in range(4):
        Stranger().ask(PAGE)
    assert len(done) == 4
    assert list(keeping.scan_iter("muster:explored*")) == []


def test_an_answer_from_another_source_than_usual_is_not_kept(
    scene: Scene, keeping: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Finding.page

    def fallen_back(self: Finding, *args: Any, **more: Any) -> Any:
        self._fall_back("timeout")
        return page(self, *args, **more)

    monkeypatch.setattr(Finding, "page", fallen_back)
    for _ in range(3):
        assert Stranger().answer(PAGE)["extensions"]["search"]["fellBack"] == "timeout"
    assert list(keeping.scan_iter("muster:explored*")) == []


def test_long_answers_are_not_kept_and_all_together_have_a_bound(
    scene: Scene, keeping: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_kept, "LONGEST", 100)
    for _ in range(3):
        assert not Stranger().look()[1]
    monkeypatch.undo()
    monkeypatch.setattr(graphql_kept, "MOST", 12_000)
    for first in range(1, 9):
        Stranger().look(first=first)
    kept = list(keeping.scan_iter("muster:explored:*"))
    assert 0 < sum(int(keeping.strlen(key)) for key in kept) <= 12_000
    assert all(0 < int(keeping.ttl(key)) <= 60 for key in [*kept, "muster:explored"])


def test_everything_at_the_roots_is_for_strangers() -> None:
    refused = {name for name, told in matrix().raw["lists"].items() if "anonymous" in told.get("refused", "")}
    asked = {name: matrix().access[told["who"]] for name, told in matrix().raw["asked"].items() if "who" in told}
    guarded = {name for name, access in asked.items() if "anonymous" not in access.cells[""]["other"]}
    assert not ROOTS & (refused | guarded)


# Budgets, registered operations, deprecations


def test_an_answer_that_is_kept_takes_as_much_from_the_budget(
    scene: Scene, settings: Settings, keeping: redis.Redis
) -> None:
    keeping.delete("muster:budget:address:127.0.0.1")
    settings.GRAPHQL_REQUESTS_PER_MINUTE = 5
    told = [Stranger().answer(PAGE, **SEARCH)["extensions"] for _ in range(5)]
    assert [one["budget"]["remainingRequests"] for one in told] == [4, 3, 2, 1, 0]
    assert len({one["budget"]["cost"] for one in told}) == 1
    assert [list(one) for one in told] == [["budget", "search"]] * 5
    refused = Stranger().post({"query": PAGE, "variables": SEARCH})
    assert refused.status_code == 429
    assert "data" not in refused.json()


def test_what_is_not_registered_is_refused_though_it_is_kept(scene: Scene, settings: Settings) -> None:
    warmed()
    settings.GRAPHQL_TRUSTED_ONLY = True
    refused = Stranger().post({"query": PAGE})
    assert "data" not in refused.json()
    named = Stranger().post({"documentId": document_hash(PAGE)})
    assert "data" not in named.json()


def test_what_will_go_is_counted_for_answers_that_are_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_view, "deprecated_uses", lambda *_: frozenset({"Opportunity.title"}))
    for _ in range(4):
        Stranger().post({"query": PAGE}, headers={"X-Client-Name": "web"})
    assert DeprecatedUse.objects.get(client="web").uses == 4


# Valkey


def test_without_valkey_everything_is_executed(scene: Scene, settings: Settings) -> None:
    warmed(**SEARCH)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for _ in range(4):
        answer, is_kept = Stranger().look(**SEARCH)
        assert not is_kept
        assert json.loads(answer)["data"]["opportunities"]["totalCount"] == 1


def test_what_is_in_valkey_and_is_no_answer_is_none(scene: Scene, keeping: redis.Redis) -> None:
    """Nobody else writes there; should somebody, no page breaks."""
    stranger = warmed()
    [key] = keeping.scan_iter("muster:explored:*")
    for nonsense in (b"", b"nonsense", b"{}\n{}"):
        keeping.set(key, nonsense)
        assert json.loads(stranger.look()[0])["data"]["opportunities"]["totalCount"] == 2


def test_an_answer_that_is_kept_takes_little_of_the_processor(scene: Scene, settings: Settings) -> None:
    """A third at the most of what executing takes, though there are but two opportunities to show."""
    stranger = warmed()
    body = {"query": PAGE}
    kept = seconds_of(lambda _: stranger.post(body), times=15)
    settings.GRAPHQL_KEPT_SECONDS = 0
    assert kept < seconds_of(lambda _: stranger.post(body), times=5) / 3
