"""Two models held against each other: by the log of the shadow, by scoring now, by what became of people."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.core.actor import Actor, ActorKind
from accounts.models import User
from marketplace.actions.invitations import invite_candidate
from marketplace.models import Opportunity
from matching.actions.decisions import Ranked, log_shown
from matching.actions.models import add_model, live_model, promote_model, shadow_model
from matching.core.scoring import DEFAULT_MODEL, HEADS
from matching.models import Decision, Match, ScoringModel, ShadowRanking
from matching.queries.comparing import compare, held_against
from tests.marketplace.factories import DAY, NOW, a_skill, a_user, actor_of, everything, recruiter_of
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

LATER = NOW + 60 * DAY


def a_model(version: str = "turned", sign: int = -1) -> ScoringModel:
    """A draft with the default weights of fit, turned round unless told otherwise."""
    definition = DEFAULT_MODEL.to_json() | {"version": version}
    weights = definition["heads"]["fit"]["weights"]
    definition["heads"]["fit"] = {
        "intercept": 250_000, "weights": {name: sign * weight for name, weight in weights.items()}
    }  # fmt: skip
    return add_model(actor=Actor.system(), definition=definition, now=NOW)


def a_market(opportunities: int = 2, people: int = 6) -> list[Opportunity]:
    made = []
    for _ in range(opportunities):
        skill = a_skill()
        made.append(asking_for(skill, level=5))
        for number in range(people):
            skilled(skill, 1 + number % 5)
    work()
    return made


def shown_and_invited(opportunity: Opportunity) -> None:
    """All were shown; of each two the first was invited."""
    matches = list(Match.objects.filter(opportunity=opportunity).order_by("-fit", "tie_break"))
    log_shown(
        actor=actor_of(a_user()),
        capacity=ActorKind.MEMBER,
        surface=Decision.Surface.MATCHES,
        ranked=[Ranked(opportunity.pk, one.candidate_id, one.model_id) for one in matches],
        now=NOW,
    )
    for match in matches[: len(matches) // 2]:
        invite_candidate(
            actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id,
            candidate_id=match.candidate.public_id, now=NOW + DAY,
        )  # fmt: skip


def test_what_the_shadow_logged_is_what_is_compared():
    a_market()
    model = a_model()
    shadow_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    found = compare(model, live_model(), now=NOW)
    assert (found.one, found.other, found.source) == ("turned", live_model().version, "logged in the shadow")
    rows = list(ShadowRanking.objects.all())
    assert found.agreement.opportunities == len(rows) == 2
    assert found.agreement.pairs == sum(len(row.candidates) for row in rows)
    fit = found.agreement.heads["fit"]
    assert fit.rank_correlation is not None and fit.rank_correlation < -0.9
    assert found.agreement.overlap[0].share == 0.0
    expected = np.concatenate([np.array(row.fits) - np.array(row.live_fits) for row in rows]).mean() / 1e6
    assert fit.drift is not None
    assert fit.drift.mean == pytest.approx(expected)
    assert found.agreement.heads["acceptance"].drift is not None
    assert found.agreement.heads["acceptance"].drift.mean == 0
    assert found.outcomes == {}


def test_without_a_log_both_score_now_and_nothing_is_stored():
    a_market()
    model = a_model()
    before = everything([Match, ShadowRanking, ScoringModel])
    found = compare(model, live_model(), now=NOW)
    assert found.source.startswith("scored now")
    assert found.agreement.pairs == Match.objects.count()
    fit = found.agreement.heads["fit"]
    assert fit.rank_correlation is not None and fit.rank_correlation < -0.9
    same = compare(a_model("same", sign=1), live_model(), now=NOW)
    assert all(at.share == 1 for at in same.agreement.overlap)
    del before["ScoringModel"]
    assert everything([Match, ShadowRanking]) == before


def test_outcomes_tell_which_of_the_two_foretold_them():
    for opportunity in a_market():
        shown_and_invited(opportunity)
    found = compare(a_model(), live_model(), now=LATER, since=NOW - DAY)
    fit = found.outcomes["fit"]
    assert fit.examples == Decision.objects.count()
    assert fit.positives == fit.examples // 2
    assert fit.one.auc is not None and fit.other.auc is not None
    assert fit.one.auc < 0.5 < fit.other.auc
    assert sum(one.count for one in fit.one.calibration) == fit.examples
    assert compare(a_model("late"), live_model(), now=LATER, since=LATER).outcomes == {}


def test_an_empty_market_has_nothing_to_compare():
    found = compare(a_model(), live_model(), now=NOW)
    assert (found.agreement.opportunities, found.agreement.pairs, found.outcomes) == (0, 0, {})


def test_the_number_of_statements_does_not_depend_on_how_many_are_compared():
    def statements(model: ScoringModel) -> int:
        with CaptureQueriesContext(connection) as captured:
            compare(model, live_model(), now=NOW)
        return len(captured)

    [opportunity] = a_market(opportunities=1, people=2)
    shown_and_invited(opportunity)
    model = a_model()
    statements(model)
    few = statements(model)
    for opportunity in a_market(opportunities=4):
        shown_and_invited(opportunity)
    assert statements(model) == few


def test_a_model_is_held_against_the_live_one_unless_it_is_that_itself():
    first, model = live_model(), a_model()
    assert held_against(model) == first
    assert held_against(first) == model
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    assert held_against(first) == model
    ScoringModel.objects.exclude(pk=model.pk).filter(state="draft").delete()


# The command


def command(*words: str) -> str:
    out = StringIO()
    call_command("model", "compare", *words, stdout=out)
    return out.getvalue()


def test_the_command_tells_people_and_programs():
    a_market()
    model = a_model()
    shadow_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    told = command()
    assert f"turned against {live_model().version}; rankings logged in the shadow" in told
    assert "fit: rank correlation" in told
    assert "first 1 in common" in told
    read = json.loads(command("turned", live_model().version, "--json"))
    assert read["one"] == "turned"
    assert read["agreement"]["opportunities"] == 2
    assert set(read["agreement"]["heads"]) == set(HEADS)
    histogram = read["agreement"]["heads"]["fit"]["drift"]["histogram"]
    assert sum(histogram["counts"]) == read["agreement"]["pairs"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "in the shadow there is not one"),
        (["unheard-of"], "there is no model unheard-of"),
        (["linear-2", "linear-2"], "needs another version"),
        (["linear-2", "--since", "yesterday"], "yesterday is no date such as"),
    ],
)
def test_a_command_that_cannot_compare_says_why(words, why):
    live_model()
    with pytest.raises(CommandError, match=why):
        command(*words)


# The page


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase", name="Chief"))
    return client


def page(model: ScoringModel) -> str:
    return reverse("admin:matching_scoringmodel_compare", args=[model.pk])


def test_the_page_draws_drift_overlap_and_calibration(console: Client, monkeypatch: pytest.MonkeyPatch):
    for opportunity in a_market():
        shown_and_invited(opportunity)
    model = a_model()
    monkeypatch.setattr("matching.admin.comparing.timezone.now", lambda: LATER)
    console.force_login(User.objects.get(email="chief@muster.example"))  # the session has run out by then
    shown = console.get(page(model))
    assert shown.status_code == 200
    titles = [plot.title for plot in shown.context["plots"]]
    assert titles == [
        "Overlap by depth", "Drift of fit", "Drift of interest", "Drift of acceptance", "Calibration of fit",
    ]  # fmt: skip
    text = shown.content.decode()
    assert text.count("<svg viewBox") == 5
    assert "fit: AUC" in text
    assert "NaN" not in text and "inf" not in "".join(plot.drawing for plot in shown.context["plots"])


@pytest.mark.parametrize(("other", "status"), [("x", 404), ("-1", 404), ("9" * 30, 404), ("²", 404), ("0", 404)])
def test_a_page_against_a_model_that_there_is_not_is_not_found(console: Client, other: str, status: int):
    assert console.get(page(a_model()), {"other": other}).status_code == status


def test_only_staff_who_may_see_models_see_the_page(client: Client, console: Client):
    address = page(a_model())
    assert console.get(address).status_code == 200
    client.force_login(User.objects.create_user("new@muster.example", is_staff=True))
    assert client.get(address).status_code == 403
    client.logout()
    assert client.get(address).status_code == 302


def test_a_definition_that_cannot_be_read_any_more_is_told_of(console: Client):
    a_market()
    broken: Any = {"segment": live_model().segment, "version": "old", "definition": {"heads": {}}}
    model = ScoringModel.objects.create(**broken)
    assert "These cannot be compared" in console.get(page(model)).content.decode()
    with pytest.raises(CommandError):
        command("old", live_model().version)
