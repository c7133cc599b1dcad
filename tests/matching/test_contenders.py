"""Over the roster an opportunity has the same contenders, scores, order and standings as person by person."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.terms import SkillTermInput
from marketplace.core.money import Pay
from marketplace.errors import AnswersNeeded, NotEligible
from marketplace.models import Candidate, EligibilityWaiver, Opportunity
from matching.actions import marks, rescoring
from matching.actions.models import serving_now
from matching.core.columns import Crowd, Leaves
from matching.core.columns.bits import packed
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.ranking import Ranked, rank
from matching.core.truth import truth
from matching.models import Match
from matching.queries import standing as standing_module
from matching.queries.contenders import contenders
from matching.queries.projection import projected_facts
from matching.queries.roster import Roster, keeper, segment_of
from matching.queries.scorable import Scorable, basics_at, pool_of, scorables
from matching.queries.standing import standings_of
from tests.conformance.evaluators import stored as stored_people
from tests.conformance.generators import Chance, facts, terms
from tests.marketplace.factories import (
    NOW,
    Recruiter,
    a_candidate,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    exchange_rates,
)
from tests.matching.core.test_column_scores import check, weights
from tests.matching.staging import mark_everything, skilled, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def rostered(monkeypatch) -> Iterator[None]:
    """The process has a roster of what the test's own transaction sees."""
    roster = Roster(most_bytes=2**30)
    roster.build()
    monkeypatch.setattr(keeper, "_roster", roster)
    yield
    keeper.forget()


def a_market(seed: int) -> tuple[list[Opportunity], list[Candidate]]:
    """People found, hidden, gone, who refuse or are refused, who applied or were let in; opportunities that ask all
    kinds of things of them."""
    draw = random.Random(seed)
    exchange_rates()
    skills = [a_skill() for _ in range(5)]
    by, other = an_organisation(), an_organisation()
    opportunities = [_opportunity(draw, skills, draw.choice([by, other])) for _ in range(6)]
    people = [_person(draw, skills) for _ in range(40)]
    unwanted = standard_group(actor=by.actor, organisation_id=by.organisation.public_id, kind="do_not_rehire")
    for person in people:
        if draw.random() < 0.4:
            with suppress(NotEligible, AnswersNeeded):
                an_application(draw.choice(opportunities), person)
        if draw.random() < 0.2:
            add_to_group(actor=by.actor, group_id=unwanted.public_id, candidate_id=person.public_id, now=NOW)
        fields: dict[str, object] = {}
        if draw.random() < 0.3:
            fields["discoverable"] = False
        if draw.random() < 0.2:
            fields["blocked_organisation_ids"] = [draw.choice([by, other]).organisation.public_id]
        if fields:
            update_candidate(
                actor=actor_of(person), candidate_id=person.public_id, fields=CandidateFields(**fields), now=NOW
            )
        if draw.random() < 0.1:
            Candidate.objects.filter(pk=person.pk).update(suspended_at=NOW)
    for opportunity in opportunities:
        owner = by if opportunity.posting_organisation_id == by.organisation.pk else other
        for person in draw.sample(people, 4):
            EligibilityWaiver.objects.create(
                opportunity=opportunity,
                candidate=person,
                granted_by=owner.user,
                reason="known well",
                until=NOW + timedelta(days=9),
                created_at=NOW,
            )
    mark_everything(NOW)
    work()
    return opportunities, people


def _opportunity(draw: random.Random, skills, by: Recruiter) -> Opportunity:
    asked = draw.sample(skills, 3)
    return a_published_opportunity(
        by,
        seats=2,
        rule=draw.choice(
            [
                None,
                {"skill": asked[0].pk, "minLevel": 2},
                {"any": [{"skill": asked[1].pk}, {"attribute": "country", "op": "in", "value": ["DE", "FR"]}]},
                {"atLeast": {"n": 2, "of": [{"skill": one.pk} for one in asked]}},
            ]
        ),
        skills=[
            SkillTermInput(one.public_id, required=draw.random() < 0.6, weight=draw.randint(1, 9), min_level=3)
            for one in asked
        ],
        weekly_hours=draw.choice([20, 40]),
        years_experience=draw.choice([None, Decimal(4)]),
    )


def _person(draw: random.Random, skills) -> Candidate:
    return a_candidate(
        country=draw.choice(["DE", "FR", "IT", None]),
        timezone=draw.choice(["Europe/Berlin", "America/New_York", None]),
        years_experience=draw.choice([None, Decimal(2), Decimal(8)]),
        weekly_hours=draw.choice([None, 15, 40]),
        rate=draw.choice([None, Pay(Decimal("33.33"), "USD", "hour")]),
        commitments=draw.choice([[], ["full_time"], ["contract", "part_time"]]),
        skills=[SkillInput(one.public_id, draw.randint(1, 5), Decimal(2)) for one in draw.sample(skills, 2)],
    )


def stored() -> list[tuple]:
    return list(
        Match.objects.order_by("opportunity_id", "-fit", "tie_break", "candidate_id").values_list(
            "opportunity_id", "candidate_id", "fit", "interest", "acceptance", "tie_break", "outcome", "contributions"
        )
    )


def scored() -> tuple[list[Scorable], object]:
    basics = basics_at(NOW, serving_now())
    return list(scorables(Opportunity.objects.all(), basics).values()), basics


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)])
def test_opportunities_keep_the_same_matches_with_and_without_a_roster(settings, request, monkeypatch, seed):
    settings.MATCH_TOP_K = 5
    opportunities, _ = a_market(seed)
    without = stored()
    assert len({row[0] for row in without}) == len(opportunities)
    Match.objects.all().delete()
    request.getfixturevalue("rostered")
    monkeypatch.setattr("matching.actions.rescoring.opportunities.pool_of", lambda *_: pytest.fail("read everybody"))
    marks.mark_opportunities([one.pk for one in opportunities], NOW)
    rescoring.drain_all(NOW)
    assert stored() == without


def test_the_pool_in_memory_is_the_pool_in_sql(request):
    a_market(4)
    request.getfixturevalue("rostered")
    everyone, basics = scored()
    crowd = keeper.crowd()
    for found in contenders(everyone, basics, crowd):
        pool = set(pool_of(found.scorable, basics).values_list("pk", flat=True))
        everybody = found.scores()
        assert sorted(everybody.ids.tolist()) == sorted(pool)
        facts = {one.candidate_id: one for one in projected_facts(pool)}
        for pk, score in zip(everybody.ids.tolist(), everybody.scores.tolist(), strict=True):
            assert score == found.scorable.score_of("fit", facts[pk])
        pairs = zip(everybody.ids.tolist(), everybody.scores.tolist(), strict=True)
        ranked = rank((Ranked(found.scorable.pk, *pair) for pair in pairs), key=basics.key)
        assert found.best(7).ids.tolist() == [one.candidate_id for one in ranked][:7]
        assert found.best(len(pool)).ids.tolist() == [one.candidate_id for one in ranked]


def test_contenders_are_found_in_a_constant_number_of_statements(request, django_assert_max_num_queries):
    a_market(5)
    request.getfixturevalue("rostered")
    everyone, basics = scored()
    crowd = keeper.crowd()
    assert len(everyone) == 6
    with django_assert_max_num_queries(3):
        assert len([found.best(3) for found in contenders(everyone, basics, crowd)]) == 6


def crowd_of(crowd: Crowd) -> list[int]:
    return sorted(int(pk) for part in crowd.parts for pk in part.segment.ids)


def test_a_model_that_is_not_linear_is_left_to_scoring_person_by_person(request, monkeypatch):
    a_market(6)
    request.getfixturevalue("rostered")
    before = stored()
    everyone, basics = scored()
    monkeypatch.setattr("matching.queries.contenders.linear_head", lambda *_: None)
    assert not list(contenders(everyone, basics, keeper.crowd()))
    mark_everything(NOW)
    rescoring.drain_all(NOW)
    assert stored() == before


def test_people_read_from_the_database_are_scored_as_the_specification_has_it():
    chance = Chance(11)
    people = stored_people(60, lambda candidate_id: facts(chance, candidate_id))
    segment = segment_of([person.candidate_id for person in people])
    crowd = Crowd([Leaves(segment)], packed(np.ones(segment.people, np.bool_)))
    for _ in range(10):
        check(crowd, people, terms(chance, chance.number(1, 99)), weights(chance), 20)


# Standing


def check_standings(opportunity: Scorable, basics) -> None:
    facts = list(projected_facts(list(pool_of(opportunity, basics).values_list("pk", flat=True))))
    ranked = rank(
        (Ranked(opportunity.pk, one.candidate_id, opportunity.score_of("fit", one)) for one in facts),
        key=basics.key,
    )
    places = {one.candidate_id: place for place, one in enumerate(ranked, start=1)}
    assert standings_of(opportunity, basics, facts) == [places[one.candidate_id] for one in facts]


def test_everybody_stands_where_the_ranking_has_them_with_and_without_a_roster(request):
    a_market(7)
    everyone, basics = scored()
    for opportunity in everyone:
        check_standings(opportunity, basics)
    request.getfixturevalue("rostered")
    for opportunity in everyone:
        check_standings(opportunity, basics)


def test_a_better_skill_moves_somebody_up_and_a_refusal_gives_no_rank(request):
    skill = a_skill()
    people = [skilled(skill, level) for level in (1, 2, 3, 4, 5)]
    opportunity = a_published_opportunity(
        rule={"skill": skill.pk}, skills=[SkillTermInput(skill.public_id, required=True, weight=5, min_level=5)]
    )
    work()
    request.getfixturevalue("rostered")
    [one], basics = scored()
    assert one.pk == opportunity.pk
    [weakest] = projected_facts([people[0].pk])
    better = replace(weakest, skills={skill.pk: SkillFact(4, Decimal(3))})
    stranger = CandidateFacts(weakest.candidate_id)
    assert truth(one.rule, stranger, on=basics.on) is False
    assert standings_of(one, basics, [weakest, better, stranger])[::2] == [5, None]
    assert standings_of(one, basics, [better])[0] in (2, 3)
    assert standings_of(one, basics, []) == []


def test_many_standings_take_as_many_statements_as_one(request, monkeypatch):
    a_market(8)
    request.getfixturevalue("rostered")
    [one, *_], basics = scored()
    facts = list(projected_facts(list(pool_of(one, basics).values_list("pk", flat=True))))
    monkeypatch.setattr(standing_module, "pool_of", lambda *_: pytest.fail("read everybody"))
    taken = []
    for people in (facts[:1], facts):
        with CaptureQueriesContext(connection) as statements:
            assert standings_of(one, basics, people)
        taken.append(len(statements))
    assert taken[0] == taken[1] <= 6
