"""Pages that are kept, changed and asked for at the same time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from config import graphql_kept, graphql_view
from marketplace.actions.opportunities import close_opportunity, update_opportunity
from marketplace.actions.terms import OpportunityFields
from marketplace.models import Opportunity
from matching.retrieval.searching import Finding
from tests.config.kept import PAGE, SEARCH, Stranger, a_scene, warmed
from tests.marketplace.factories import NOW, a_published_opportunity
from tests.matching.staging import copy

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("keeping"),
    pytest.mark.xdist_group("kept at once"),
]


@pytest.mark.parametrize("moment", ["before it is executed", "while it is executed", "before it is kept"])
def test_a_change_in_the_midst_of_a_request_is_in_the_next_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    scene = a_scene()
    stranger, edits = warmed(**SEARCH), []
    scene.update(title="Welder of ships")  # so that the page is executed again

    def change() -> None:
        if not edits:
            edits.append(1)
            _thread(lambda: scene.do(close_opportunity)).join()

    def changing(function: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
        def changed(*args: Any, **more: Any) -> Any:
            if first:
                change()
            answer = function(*args, **more)
            if not first:
                change()
            return answer

        return changed

    if moment == "before it is executed":
        monkeypatch.setattr(graphql_kept, "table_states", changing(graphql_kept.table_states, first=False))
    elif moment == "while it is executed":
        monkeypatch.setattr(Finding, "facets", changing(Finding.facets, first=True))
    else:
        monkeypatch.setattr(graphql_kept, "_keep", changing(graphql_kept._keep, first=True))
    stranger.look(**SEARCH)
    assert edits
    answer = stranger.look(**SEARCH)[0]
    assert json.loads(answer)["data"]["opportunities"]["totalCount"] == 0
    assert answer == stranger.fresh(settings, **SEARCH)


def test_what_is_not_committed_is_in_nobodys_answer_and_afterwards_in_everybodys(settings: Settings) -> None:
    scene = a_scene()
    stranger, written, commit = warmed(**SEARCH), threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            scene.update(title="Welder of ships")
            written.set()
            assert commit.wait(10)

    writer = _thread(write)
    assert written.wait(10)
    assert stranger.look(**SEARCH)[1], "nobody waits, and nobody executes anew"
    commit.set()
    writer.join()
    assert b"Welder of ships" in stranger.look(**SEARCH)[0]


def test_a_crowd_that_asks_for_one_page_has_it_executed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = a_scene()
    warmed(**SEARCH)
    scene.update(title="Welder of ships")
    execute, executed, answers = graphql_view._executed, [], []
    all_there = threading.Barrier(8)
    found = graphql_kept._found

    def together(name: str) -> Any:
        all_there.wait(10)
        return found(name)

    def slowly(*args: Any) -> Any:
        executed.append(1)
        until = timezone.now() + timedelta(seconds=0.3)
        while timezone.now() < until:
            threading.Event().wait(0.02)
        return execute(*args)

    monkeypatch.setattr(graphql_kept, "_found", together)
    monkeypatch.setattr(graphql_view, "_executed", slowly)

    def ask() -> None:
        answers.append(Stranger().post({"query": PAGE, "variables": SEARCH}).content)

    for one in [_thread(ask) for _ in range(8)]:
        one.join()
    assert len(executed) == 1
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert b"Welder of ships" in answers[0]


def test_who_waited_for_an_answer_that_may_not_be_shared_executes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    a_scene()
    executed, all_there = [], threading.Barrier(3)
    shared = graphql_kept._under_way.shared

    def together(key: Any, execute: Any) -> Any:
        all_there.wait(10)
        return shared(key, execute)

    def failing(*_: Any) -> Any:
        executed.append(1)
        threading.Event().wait(0.2)
        raise RuntimeError("of no interest")

    monkeypatch.setattr(graphql_kept._under_way, "shared", together)
    monkeypatch.setattr(graphql_view, "_executed", failing)
    for one in [_thread(lambda: Stranger().post({"query": PAGE})) for _ in range(3)]:
        one.join()
    assert len(executed) == 3
    assert graphql_kept._under_way._answers == {}


@pytest.mark.parametrize("edits", [5, pytest.param(500, marks=pytest.mark.soak)])
def test_whoever_has_changed_something_finds_it_changed_however_many_others_do_so_too(edits: int) -> None:
    """Three write, and look at once; one copies what they wrote, as the worker does; and two only look."""
    by, failures, is_over = a_scene().by, list[str](), threading.Event()
    titles = "{ opportunities(first: 50) { nodes { title } } }"

    def look() -> set[str]:
        return {one["title"] for one in Stranger().ask(titles)["opportunities"]["nodes"]}

    def write(opportunity: Opportunity) -> None:
        title = opportunity.title
        for number in range(edits):
            former, title = title, f"{opportunity.reference}, {number}"
            update_opportunity(
                actor=by.actor, opportunity_id=opportunity.public_id, fields=OpportunityFields(title=title), now=NOW
            )
            found = look()
            if title not in found or former in found:
                failures.append(f"{title} is not in {found}")

    def until_it_is_over(do: Callable[[], object]) -> None:
        while not is_over.is_set():
            do()

    writers = [a_published_opportunity(by, title=f"Riveter {number}") for number in range(3)]
    writing = [_thread(lambda one=one: write(one)) for one in writers]
    beside = [_thread(lambda do=do: until_it_is_over(do)) for do in (copy, look, look)]
    for one in writing:
        one.join()
    is_over.set()
    for one in beside:
        one.join()
    assert failures == []


def _thread(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=_in_another_connection, args=[do])
    thread.start()
    return thread


def _in_another_connection(do: Callable[[], object]) -> None:
    try:
        do()
    finally:
        connections.close_all()
