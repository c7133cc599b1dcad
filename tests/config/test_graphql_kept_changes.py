"""Whatever changes a page that is kept, strangers are answered with the change."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as settings_of_the_run
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.timers import fire_due
from accounts.models import Membership, Organisation, User
from accounts.queries.table_states import told_tables
from config import graphql_reads, graphql_view
from config.graphql_kept import IMMUTABLE
from config.graphql_reads import Reads
from marketplace.actions.offers import accept_offer
from marketplace.actions.opportunities import (
    change_seats,
    close_opportunity,
    pause_opportunity,
    resume_opportunity,
    set_eligibility_rule,
    suspend_opportunity,
)
from marketplace.actions.terms import LeadInput, PayBandInput, QuestionInput, SkillTermInput
from marketplace.models import Skill, SkillBroader, SkillLabel
from matching.actions.copies import project_all
from matching.core.attributes import Subject
from tests.config.graphql_client import Asker
from tests.config.kept import PAGE, SEARCH, Scene, Stranger, a_scene, applied, at_least, warmed
from tests.elasticsearch import an_index, fill, needs_elasticsearch
from tests.marketplace.factories import (
    NOW,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    a_user,
    actor_of,
    exchange_rates,
)
from tests.marketplace.test_offers import an_offer
from tests.matching.staging import copy

ELASTICSEARCH = settings_of_the_run.ELASTICSEARCH_URL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keeping"), pytest.mark.xdist_group("kept")]


@pytest.fixture(scope="module")
def scene(shared_rows: None) -> Scene:
    return a_scene()


# What changes an answer


def edited(name: str, edit: Callable[[Scene], object]) -> Any:
    return pytest.param(edit, id=name)


def _rename_lead(scene: Scene) -> None:
    User.objects.filter(pk=scene.by.user.pk).update(name="Somebody Else")


EDITS = [
    edited("a title", lambda scene: scene.update(title="Welder of ships")),
    edited("a description", lambda scene: scene.update(description="Weld a welder.")),
    edited("pay", lambda s: s.update(pay_bands=[PayBandInput(Decimal(21), Decimal(31), "EUR", "hour", ["DE", "FR"])])),
    edited("a question", lambda scene: scene.update(questions=[QuestionInput("boots", "Have you got boots?")])),
    edited("a lead's title", lambda s: s.update(lead=LeadInput(s.by.user.email, "Head of welding"))),
    edited("a lead's name", _rename_lead),
    edited("what is asked for", lambda s: s.update(skills=[SkillTermInput(s.welding.public_id, True, 5, 4)])),
    edited("a rule", lambda s: s.do(set_eligibility_rule, rule=at_least(6))),
    edited("seats", lambda s: s.do(change_seats, seats=3)),
    edited("an offer", lambda s: an_offer(applied(s))),
    edited("pausing", lambda s: s.do(pause_opportunity)),
    edited("closing", lambda s: s.do(close_opportunity)),
    edited("suspending", lambda s: s.do(suspend_opportunity, actor=a_staff_actor(), reason="Spam")),
    edited("privacy", lambda s: s.update(visibility="unlisted")),
    edited("another one", lambda s: a_published_opportunity(s.by, title="Senior welder")),
    edited("an organisation's name", lambda s: Organisation.objects.update(name="Yard")),
    edited("an organisation's end", lambda s: Organisation.objects.update(suspended_at=NOW)),
    edited("a skill's name", lambda s: Skill.objects.filter(pk=s.welding.pk).update(name="arc welding")),
    edited("a skill's label", lambda s: SkillLabel.objects.create(skill=s.welding, label="welders", folded="welders")),
    edited("a broader skill", lambda s: SkillBroader.objects.create(skill=s.welding, broader=a_skill("metalwork"))),
    edited("a merged skill", lambda s: Skill.objects.filter(pk=a_skill("welder").pk).update(merged_into=s.welding)),
    edited("rates", lambda s: exchange_rates({"USD": Decimal("1.2")}, now=timezone.now())),
]


@pytest.mark.parametrize("edit", EDITS)
def test_whatever_is_changed_is_in_the_next_answer(
    scene: Scene, settings: Settings, edit: Callable[[Scene], object]
) -> None:
    """At once, and when it has been copied."""
    stranger = warmed(**SEARCH)
    before = stranger.look(**SEARCH)[0]
    edit(scene)
    answer, is_kept = stranger.look(**SEARCH)
    assert not is_kept
    assert answer == stranger.fresh(settings, **SEARCH) != before
    copy()
    assert stranger.look(**SEARCH)[0] == answer


@needs_elasticsearch
def test_a_page_that_elasticsearch_found_changes_with_the_tables_and_not_with_the_index(
    scene: Scene, settings: Settings
) -> None:
    settings.ELASTICSEARCH_URL, settings.SEARCH_TIMEOUT_MS = ELASTICSEARCH, 5_000
    with an_index(Subject.OPPORTUNITY) as index:
        fill(index, Subject.OPPORTUNITY)
        stranger, found = warmed(**SEARCH), []
        for edit in (pause_opportunity, resume_opportunity):
            scene.do(edit)
            answer = stranger.look(**SEARCH)[0]
            for step in (lambda: project_all(NOW), copy):  # into the projection, and into the index
                step()
                assert stranger.look(**SEARCH)[0] == stranger.fresh(settings, **SEARCH) == answer
            assert stranger.look(**SEARCH)[1]
            assert json.loads(answer)["extensions"]["search"] == {"source": "elasticsearch", "fellBack": None}
            found.append(json.loads(answer)["data"]["opportunities"]["totalCount"])
        assert found == [0, 1]


def test_what_strangers_are_not_shown_leaves_what_is_kept_in_place(scene: Scene) -> None:
    stranger = warmed(**SEARCH)
    applicant = applied(scene, headline="Welder").candidate
    a_draft(scene.by, title="Welder in the making")
    copy()
    warmed(**SEARCH)
    applied(scene, headline="Riveter")
    Membership.objects.create(user=a_user(), organisation=scene.by.organisation, role="observer")
    Asker(applicant).ask("{ viewer { isStaff } }")
    copy()
    assert stranger.look(**SEARCH)[1]


def test_only_those_who_ask_for_seats_are_told_of_each_that_is_taken(scene: Scene) -> None:
    titles = "{ opportunities { nodes { title } } }"
    stranger = Stranger()
    for _ in range(3):
        stranger.look(titles)
    offer = an_offer(applied(scene))
    accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=NOW)
    assert stranger.look(titles)[1]


def test_every_table_whose_state_is_told_is_read_for_strangers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has triggers, which cost something: no table has them for nothing."""
    met: set[str] = set()
    note = Reads.__call__

    def noting(self: Reads, execute: Any, sql: Any, *rest: Any) -> Any:
        met.update(graphql_reads._read_by(sql)[0])
        return note(self, execute, sql, *rest)

    monkeypatch.setattr(Reads, "__call__", noting)
    scene.update(questions=[QuestionInput("boots", "Have you got boots?")])
    for search in ("welder", "weldr"):
        Stranger().look(search=search)
    assert met - IMMUTABLE == told_tables()


# Time


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(graphql_view.timezone, "now", lambda: now)


def test_what_ends_is_gone_when_its_timer_has_ended_it(scene: Scene, settings: Settings) -> None:
    scene.update(closes_at=NOW + timedelta(hours=1))
    stranger = warmed(**SEARCH)
    fire_due(NOW + timedelta(minutes=59))
    assert stranger.look(**SEARCH)[1]
    fire_due(NOW + timedelta(minutes=61))
    answer = stranger.look(**SEARCH)[0]
    assert json.loads(answer)["data"]["opportunities"]["totalCount"] == 0
    assert answer == stranger.fresh(settings, **SEARCH)


@pytest.mark.parametrize("order", ["RELEVANCE", "CLOSING"])
def test_an_answer_is_the_same_all_day(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Though opportunities open and close meanwhile, by their own words: timers say when."""
    scene.update(opens_at=NOW + timedelta(hours=1), closes_at=NOW + timedelta(hours=2))
    day, query = NOW.astimezone(UTC).date(), PAGE.replace("first: $first)", f"first: $first, orderBy: {order})")
    assert query != PAGE
    answers = set()
    for hour in (0, 10, 23):
        at(monkeypatch, datetime(day.year, day.month, day.day, hour, 59, 59, tzinfo=UTC))
        answers.add(Stranger().fresh(settings, query, **SEARCH))
    assert len(answers) == 1


def test_another_day_is_another_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates of the new day hold, though nothing is written when it begins."""
    today = timezone.now()
    tomorrow = today + timedelta(days=1)
    exchange_rates({"USD": Decimal(2)}, now=tomorrow)
    stranger = warmed()
    for now in (today, tomorrow):
        at(monkeypatch, now)
        assert stranger.ask(PAGE)["exchangeRates"]["on"] == now.date().isoformat()
