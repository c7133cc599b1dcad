"""Models in the shadow: they score what the live one scores, are logged, never shown, and disturb nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.core.actor import Actor
from config.schema import schema
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.models import Opportunity
from matching.actions import marks, rescoring
from matching.actions.models import add_model, create_segment, live_model, promote_model, retire_model, shadow_model
from matching.actions.rescoring import shadows
from matching.core.scoring import DEFAULT_MODEL, LinearModel, PairValues
from matching.models import Match, ScoringModel, Segment, ShadowFailure, ShadowMark, ShadowRanking
from matching.queries import scorers
from matching.queries.matches import matches_for
from matching.queries.projection import projected_facts
from tests.marketplace.factories import DAY, NOW, a_skill, actor_of
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = pytest.mark.django_db

REMOTE = {"attribute": "arrangement", "op": "eq", "value": "remote"}


def a_model(version: str, segment: Segment | None = None, **heads: Any) -> ScoringModel:
    """A draft that prefers whoever has least of the skills, unless told otherwise."""
    definition = DEFAULT_MODEL.to_json() | {"version": version}
    definition["heads"]["fit"] = {"intercept": 7, "weights": {"required_skills": -2000, "experience": -1000}}
    definition["heads"] |= heads
    segment_id = segment.public_id if segment else None
    return add_model(actor=Actor.system(), definition=definition, segment_id=segment_id, now=NOW)


def in_the_shadow(version: str = "shady", segment: Segment | None = None, **heads: Any) -> ScoringModel:
    return shadow_model(actor=Actor.system(), model_id=a_model(version, segment, **heads).public_id, now=NOW)


def a_market(people: int = 5, **fields: Any) -> Opportunity:
    skill = a_skill()
    opportunity = asking_for(skill, **fields)
    for number in range(people):
        skilled(skill, 1 + number % 5, years_experience=number)
    return opportunity


def test_it_scores_what_the_live_one_scores_and_is_logged_beside_it():
    opportunity = a_market()
    model = in_the_shadow()
    work()
    ranking = ShadowRanking.objects.get()
    assert (ranking.opportunity, ranking.model, ranking.live_model) == (opportunity, model, live_model())
    assert (ranking.day, ranking.at) == (NOW.date(), NOW)
    live = best(opportunity)
    assert [pk for _, pk in sorted(zip(ranking.live_ranks, ranking.candidates, strict=True))] == live
    assert ranking.ranks == [1, 2, 3, 4, 5]
    assert ranking.fits == sorted(ranking.fits, reverse=True)
    matches = {match.candidate_id: match for match in Match.objects.all()}
    weights = LinearModel.from_json(model.definition)
    facts = {one.candidate_id: one for one in projected_facts(live)}
    for row, pk in enumerate(ranking.candidates):
        match = matches[pk]
        assert ranking.live_fits[row] == match.fit
        assert ranking.live_interests[row] == match.interest
        assert ranking.live_acceptances[row] == match.acceptance
        values = PairValues(facts[pk], _terms(opportunity))
        assert ranking.fits[row] == weights.total("fit", values)
        assert ranking.acceptances[row] == weights.total("acceptance", values)
    assert not ShadowMark.objects.exists()


def _terms(opportunity: Opportunity) -> Any:
    from matching.actions.models import serving_now
    from matching.queries.scorable import basics_at, scorables

    return scorables(Opportunity.objects.filter(pk=opportunity.pk), basics_at(NOW, serving_now()))[opportunity.pk].terms


def test_who_is_among_the_first_of_either_is_logged_and_nobody_else(settings):
    settings.SHADOW_TOP_K = 2
    opportunity = a_market(people=8)
    in_the_shadow()
    work()
    ranking = ShadowRanking.objects.get()
    by_live = [pk for rank, pk in sorted(zip(ranking.live_ranks, ranking.candidates, strict=True)) if rank]
    assert by_live == best(opportunity)[:2]
    assert [rank for rank in ranking.ranks if rank] == [1, 2]
    assert len(ranking.candidates) <= 4
    assert all(rank or live for rank, live in zip(ranking.ranks, ranking.live_ranks, strict=True))


def test_it_is_never_shown():
    opportunity = a_market()
    model = in_the_shadow()
    work()
    assert ShadowRanking.objects.exists()
    assert not Match.objects.filter(model=model).exists()
    assert {match.model for match in matches_for(opportunity)} == {live_model()}
    assert "shadow" not in schema.as_str().casefold()


def test_without_one_nothing_is_marked():
    a_market()
    work()
    assert not ShadowMark.objects.exists()


def test_it_scores_an_opportunity_once_a_day():
    opportunity = a_market()
    in_the_shadow()
    work()
    first = ShadowRanking.objects.get()
    marks.mark_opportunities([opportunity.pk], NOW)
    work()
    assert ShadowRanking.objects.get() == first
    marks.mark_opportunities([opportunity.pk], NOW + DAY)
    rescoring.drain_all(NOW + DAY)
    assert ShadowRanking.objects.count() == 2


def test_a_changed_person_has_it_look_at_their_opportunities():
    opportunity = a_market()
    in_the_shadow()
    work()
    candidate = opportunity.matches.first().candidate
    fields = CandidateFields(years_experience=30)
    later = NOW + DAY
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=fields,
        now=later,
    )
    work(later)
    assert ShadowRanking.objects.filter(day=later.date(), opportunity=opportunity).exists()


def test_it_waits_while_live_scores_are_due():
    opportunity = a_market()
    work()
    in_the_shadow()
    marks.mark_opportunities([opportunity.pk], NOW)
    rescoring.drain(NOW, limit=1)
    assert not ShadowRanking.objects.exists(), "a full batch: there may be more"
    rescoring.drain_all(NOW)
    assert ShadowRanking.objects.exists()


def test_it_scores_what_it_would_serve_and_nothing_else():
    remote, onsite = a_market(arrangement="remote"), a_market(arrangement="onsite")
    segment = create_segment(actor=Actor.system(), name="remote work", rule=REMOTE, now=NOW)
    in_the_shadow("for-remote-work", segment)
    in_the_shadow("for-the-rest")
    work()
    logged = set(ShadowRanking.objects.values_list("model__version", "live_model__version", "opportunity"))
    assert logged == {
        ("for-remote-work", "linear-2", remote.pk),  # though the segment has no live model yet
        ("for-the-rest", "linear-2", remote.pk),
        ("for-the-rest", "linear-2", onsite.pk),
    }


# When it fails


class Broken:
    """A model that fails when it is asked."""

    version, calibration, features = "shady", "log-odds", frozenset({"experience"})

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [ZeroDivisionError("a person's name"), DatabaseError("a row"), MemoryError()])
def test_its_failure_is_noted_and_leaves_what_is_live(error, monkeypatch):
    opportunity = a_market()
    model = in_the_shadow()
    read = scorers.scorer_of
    monkeypatch.setattr(
        "matching.queries.serving.scorer_of", lambda row: Broken(error) if row.pk == model.pk else read(row)
    )
    work()
    assert len(best(opportunity)) == 5
    assert not ShadowRanking.objects.exists()
    assert not ShadowMark.objects.exists(), "it is not tried again and again"
    failure = ShadowFailure.objects.get()
    assert (failure.model, failure.day, failure.times, failure.error) == (model, NOW.date(), 1, type(error).__name__)
    marks.mark_opportunities([opportunity.pk], NOW)
    work()
    failure.refresh_from_db()
    assert failure.times == 2


def test_one_that_fails_leaves_the_others_their_turn(monkeypatch):
    a_market()
    broken, sound = in_the_shadow("broken"), in_the_shadow("sound")
    read = scorers.scorer_of
    monkeypatch.setattr(
        "matching.queries.serving.scorer_of",
        lambda row: Broken(ZeroDivisionError()) if row.pk == broken.pk else read(row),
    )
    work()
    assert ShadowRanking.objects.get().model == sound
    assert ShadowFailure.objects.get().model == broken


def test_a_stored_definition_that_cannot_be_read_any_more_fails_in_the_shadow_alone():
    opportunity = a_market()
    segment = Segment.objects.get(rule__isnull=True)
    ScoringModel.objects.create(segment=segment, version="old", definition={"heads": {}}, state="shadow")
    marks.mark_all_for_shadows(NOW)
    work()
    assert len(best(opportunity)) == 5
    assert ShadowFailure.objects.get().error.startswith("InvalidModel: ")


# What is kept


def test_what_was_logged_is_never_rewritten_and_is_forgotten_in_time():
    a_market()
    in_the_shadow()
    work()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        ShadowRanking.objects.update(fits=[1, 2, 3, 4, 5])
    with pytest.raises(IntegrityError), transaction.atomic():
        row = ShadowRanking.objects.get()
        row.pk, row.day, row.fits = None, row.day + DAY, [1]
        row.save()
    last_day = NOW + timedelta(days=settings.SHADOW_RETENTION_DAYS)
    assert shadows.forget(now=last_day) == 0
    assert shadows.forget(now=last_day + DAY) == 1
    assert not ShadowRanking.objects.exists()


def test_one_that_was_retired_meanwhile_is_not_asked_any_more():
    a_market()
    model = in_the_shadow()
    retire_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    assert not ShadowRanking.objects.exists()
    assert not ShadowMark.objects.exists()


def test_one_that_was_promoted_is_compared_with_nothing_and_its_predecessor_can_shadow_it():
    a_market()
    first, model = live_model(), in_the_shadow()
    promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    assert not ShadowRanking.objects.exists()
    shadow_model(actor=Actor.system(), model_id=first.public_id, now=NOW)
    work()
    ranking = ShadowRanking.objects.get()
    assert (ranking.model, ranking.live_model) == (first, model)


def test_the_live_path_asks_as_much_with_a_shadow_as_without():
    opportunity = a_market()
    work()

    def statements() -> int:
        marks.mark_opportunities([opportunity.pk], NOW)
        with CaptureQueriesContext(connection) as captured:
            rescoring.drain(NOW, limit=1)  # a full batch: shadows have no turn
        return len(captured)

    without = statements()
    in_the_shadow()
    assert statements() == without
