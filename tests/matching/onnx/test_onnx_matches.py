"""Opportunities that a model made elsewhere scores: matches ranked by it, in the worker, all else by what is near."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.models import Candidate, Opportunity, Skill
from marketplace.queries.facts import facts_of, terms_of
from matching.actions.models import add_model_file, promote_model, serving_now
from matching.core.features import FEATURES, feature_values
from matching.core.scoring import HEADS, Scorer, score
from matching.models import Match, ScoringModel, UnscoredPair
from matching.onnx import session
from matching.queries.recommendations import recommendations_for
from matching.queries.scorable import basics_at
from matching.queries.scorers import linear_of, scorer_of
from matching.queries.standing import standings_of
from tests.marketplace.factories import NOW, a_skill, a_staff_actor, actor_of, an_application
from tests.matching import made_elsewhere as made
from tests.matching.onnx.accepting import accepting
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = pytest.mark.django_db

EVERY = tuple(sorted(FEATURES))


def live(content: bytes, version: str = "elsewhere-1") -> ScoringModel:
    model = add_model_file(actor=a_staff_actor(), version=version, content=content, now=NOW)
    promote_model(actor=a_staff_actor(), model_id=model.public_id, now=NOW)
    model.refresh_from_db()
    return model


def people(skill: Skill, count: int) -> list[Candidate]:
    return [
        skilled(skill, 1 + place % 5, years_experience=Decimal(place % 9), weekly_hours=10 + place % 40)
        for place in range(count)
    ]


def exhaustively(opportunity: Opportunity, model: ScoringModel) -> dict[int, int]:
    """The fit of everybody, one by one."""
    return by(scorer_of(model), opportunity)


def nearest(opportunity: Opportunity, model: ScoringModel) -> dict[int, int]:
    return by(linear_of(scorer_of(model)), opportunity)


def by(scorer: Scorer, opportunity: Opportunity) -> dict[int, int]:
    terms = terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk]
    everybody = facts_of(list(Candidate.objects.values_list("pk", flat=True)), on=NOW.date(), rate_set=None)
    return {pk: scorer.total("fit", feature_values(facts, terms)) for pk, facts in everybody.items()}


# Matches


@pytest.mark.parametrize("content", [made.network(), made.trees()], ids=["network", "trees"])
def test_matches_are_ranked_by_the_model_and_explained(content: bytes) -> None:
    skill = a_skill()
    opportunity = asking_for(skill, years_experience=Decimal(5), weekly_hours=40)
    people(skill, 12)
    model = live(content)
    work()
    fits = exhaustively(opportunity, model)
    assert dict(Match.objects.values_list("candidate_id", "fit")) == fits
    assert [fits[pk] for pk in best(opportunity)] == sorted(fits.values(), reverse=True)
    for match in Match.objects.all():
        assert match.model == model
        for head in HEADS:
            assert getattr(match, head) == sum(part["amount"] for part in match.contributions[head])
            assert {part["weight"] for part in match.contributions[head] if part["feature"] != "intercept"} == {None}


def test_of_more_people_than_are_looked_at_the_nearest_are_ranked_by_the_model(settings) -> None:
    settings.ONNX_POOL, settings.MATCH_TOP_K = 12, 4
    skill = a_skill()
    opportunity = asking_for(skill, years_experience=Decimal(5), weekly_hours=40)
    last = skilled(skill, 1, years_experience=Decimal(0), weekly_hours=1)
    people(skill, 24)
    model = live(made.network())
    an_application(opportunity, last)
    work()
    fits, near = exhaustively(opportunity, model), nearest(opportunity, model)
    looked_at = sorted(near, key=lambda pk: -near[pk])[:12]
    assert best(opportunity) == [*sorted(looked_at, key=lambda pk: -fits[pk])[:4], last.pk]


@pytest.mark.parametrize("content", [made.network(EVERY), made.trees(EVERY)], ids=["network", "trees"])
def test_the_best_hundred_of_all_are_among_those_that_are_looked_at(content: bytes) -> None:
    """Recall at 100 of ten thousand people who differ in everything, three thousand of whom are looked at."""
    scorer = scorer_of(live(content))
    draw = np.random.default_rng(11)
    values = {name: draw.integers(0, 1001, 10_000) for name in sorted(scorer.features)}
    true = np.argsort(-scorer.totals_many(values)["fit"], kind="stable")[:100]
    near = np.argsort(-linear_of(scorer).totals_many(values)["fit"], kind="stable")[:3_000]
    assert len(np.intersect1d(true, near)) >= 99


def test_a_change_of_one_candidate_is_scored_by_the_model() -> None:
    skill = a_skill()
    opportunity = asking_for(skill)
    candidate = skilled(skill, 1)
    people(skill, 3)
    model = live(made.network())
    work()
    before = Match.objects.get(candidate=candidate).fit
    fields = CandidateFields(skills=[SkillInput(skill.public_id, 5, Decimal(9))])
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)
    work()
    after = Match.objects.get(candidate=candidate)
    assert after.fit != before
    assert after.fit == exhaustively(opportunity, model)[candidate.pk]


def test_going_back_to_a_linear_model_leaves_nothing_of_the_other() -> None:
    skill = a_skill()
    asking_for(skill)
    people(skill, 2)
    linear = serving_now().served[-1].model
    model = live(made.network())
    work()
    assert set(Match.objects.values_list("model", flat=True)) == {model.pk}
    promote_model(actor=a_staff_actor(), model_id=linear.public_id, now=NOW)
    work()
    assert set(Match.objects.values_list("model", flat=True)) == {linear.pk}


# What has no number


def test_whom_the_model_has_no_number_for_is_noted_and_never_shown(monkeypatch) -> None:
    skill = a_skill()
    opportunity = asking_for(skill, weekly_hours=40, years_experience=Decimal(5))
    full = skilled(skill, 5, years_experience=Decimal(9), weekly_hours=40)
    poor = skilled(skill, 1, years_experience=Decimal(1), weekly_hours=20)
    features = ("required_skills", "experience", "hours_fit")
    content = made.giving_nan_above(2_900, features)
    accepting(monkeypatch, features)
    model = live(content)
    work()
    assert best(opportunity) == [poor.pk]
    noted = UnscoredPair.objects.get()
    assert (noted.candidate, noted.opportunity, noted.model) == (full, opportunity, model)
    fields = CandidateFields(years_experience=Decimal(1))
    update_candidate(actor=actor_of(full), candidate_id=full.public_id, fields=fields, now=NOW)
    work()
    assert set(best(opportunity)) == {poor.pk, full.pk}
    assert not UnscoredPair.objects.exists()
    update_candidate(
        actor=actor_of(full),
        candidate_id=full.public_id,
        fields=CandidateFields(years_experience=Decimal(9)),
        now=NOW,
    )
    work()
    assert best(opportunity) == [poor.pk]
    assert UnscoredPair.objects.count() == 1


def test_a_model_that_hangs_holds_up_nobody_for_long(monkeypatch, settings) -> None:
    settings.ONNX_RUN_SECONDS = 0.1
    skill = a_skill()
    opportunity = asking_for(skill)
    people(skill, 3)
    accepting(monkeypatch, made.FEATURES)
    live(made.looping(None))
    work()
    assert best(opportunity) == []
    assert UnscoredPair.objects.count() == 3


# The web server


def test_whatever_is_answered_at_once_goes_by_the_linear_model_that_comes_nearest(monkeypatch) -> None:
    skill = a_skill()
    opportunity = asking_for(skill, years_experience=Decimal(5))
    everybody = people(skill, 6)
    model = live(made.network())
    work()

    def loaded(*_: Any) -> None:
        raise AssertionError("the runtime was loaded")

    monkeypatch.setattr(session, "_runtime", loaded)
    basics = basics_at(NOW, serving_now())
    near = linear_of(scorer_of(model))
    found = recommendations_for(everybody[0], basics)
    [match] = found.matches(found.standings)
    facts = facts_of([everybody[0].pk], on=NOW.date(), rate_set=None)[everybody[0].pk]
    terms = terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk]
    assert match.fit == score(facts, terms, model=near).fit.score
    [scorable] = found.scored.values()
    assert standings_of(scorable, basics, [facts])[0] in range(1, 7)
