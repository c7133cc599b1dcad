"""What if: supposed facts give verdict, scores and rank, to those who may ask, and betray nothing that is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Event
from marketplace.models import Candidate, CandidateSkill, Opportunity, Skill
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import Recruiter, a_candidate, a_skill, an_organisation
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = pytest.mark.django_db

SCORE = "{ score probability contributions { feature value weight amount sentence } }"
STANDING = f"{{ rank verdict {{ outcome reasons {{ sentence }} }} fit {SCORE} interest {SCORE} acceptance {SCORE} }}"
WHAT_IF = f"""query ($opportunity: ID!, $candidate: ID, $changes: WhatIfChanges!) {{
    whatIf(opportunity: $opportunity, candidate: $candidate, changes: $changes) {{
        sentence ranksHidden isNear before {STANDING} after {STANDING} }} }}"""
SUGGESTIONS = """query ($opportunity: ID!, $candidate: ID, $most: Int! = 5) {
    whatIfSuggestions(opportunity: $opportunity, candidate: $candidate, most: $most) {
        skill { name } level years required fit probability rank sentence } }"""


class Stage:
    """An opportunity that asks for welding at level 3, a person without a skill, and others with it."""

    def __init__(self, others: int = 11, **fields: Any) -> None:
        now = timezone.now()
        self.owner: Recruiter = an_organisation(now=now)
        self.skill: Skill = a_skill("welding")
        self.opportunity: Opportunity = asking_for(self.skill, self.owner, level=3, now=now, **fields)
        self.person: Candidate = a_candidate(now=now, weekly_hours=40)
        self.others = [skilled(self.skill, 1 + place % 3, now=now) for place in range(others)]
        work(now)

    def ask(self, asker: Asker, changes: dict[str, Any], candidate: Candidate | None = None) -> dict[str, Any]:
        named = global_id(candidate) if candidate else None
        return asker.ask(WHAT_IF, opportunity=global_id(self.opportunity), candidate=named, changes=changes)["whatIf"]

    def refusal(self, asker: Asker, changes: dict[str, Any], candidate: Candidate | None = None) -> dict[str, Any]:
        named = global_id(candidate) if candidate else None
        return asker.refusal(WHAT_IF, opportunity=global_id(self.opportunity), candidate=named, changes=changes)

    def welding(self, level: int = 5) -> dict[str, Any]:
        return {"skills": [{"skillId": global_id(self.skill), "level": level}]}


def test_with_a_skill_the_rank_goes_up_and_nothing_is_written() -> None:
    stage = Stage()
    events = Event.objects.count()
    found = stage.ask(Asker(stage.owner.user), stage.welding(), stage.person)
    ranks = found["before"]["rank"], found["after"]["rank"]
    assert ranks[0] == 1 + best(stage.opportunity).index(stage.person.pk)
    assert 1 <= ranks[1] < ranks[0]
    assert found["sentence"] == f"With welding at level 5 the rank goes from {ranks[0]} to {ranks[1]}."
    assert (found["ranksHidden"], found["isNear"]) == (False, False)
    for side in ("before", "after"):
        for head in ("fit", "interest", "acceptance"):
            score = found[side][head]
            assert score["score"] == sum(part["amount"] for part in score["contributions"])
    told = {part["feature"]: part["sentence"] for part in found["after"]["fit"]["contributions"]}
    assert told["required_skills"] == "has 1 of 1 required skill"
    assert found["after"]["verdict"]["outcome"] == "ELIGIBLE"
    assert Event.objects.count() == events
    assert not CandidateSkill.objects.filter(candidate=stage.person).exists()


def test_what_is_supposed_is_what_would_be_once_it_is_stated() -> None:
    stage = Stage()
    supposed = stage.ask(Asker(stage.owner.user), {**stage.welding(3), "weeklyHours": 20}, stage.person)["after"]
    fields = {"skills": [{"skillId": global_id(stage.skill), "level": 3}], "weeklyHours": 20}
    Asker(stage.person).do("updateCandidate", fields, "id", thing="Candidate")
    work(timezone.now())
    stated = stage.ask(Asker(stage.owner.user), {}, stage.person)["before"]
    for part in ("rank", "verdict"):
        assert stated[part] == supposed[part]
    for head in ("fit", "interest", "acceptance"):
        assert stated[head] == supposed[head]


def test_changes_of_conditions_count_and_are_told() -> None:
    stage = Stage()
    changes = {
        "yearsExperience": "7.5",
        "rate": {"amount": "30", "currency": "EUR", "period": "HOUR"},
        "country": "FR",
        "timezone": "Europe/Paris",
        "availableFrom": "2030-01-01",
        "commitments": ["FULL_TIME"],
        "workStartsMinute": 540,
        "workEndsMinute": 1020,
    }
    sentence = stage.ask(Asker(stage.owner.user), changes, stage.person)["sentence"]
    for part in ("country France", "experience 7.5 years", "rate asked 30 EUR an hour", "working hours 09:00-17:00"):
        assert part in sentence
    assert "nothing changed" in stage.ask(Asker(stage.owner.user), {}, stage.person)["sentence"]
    without = stage.ask(Asker(stage.owner.user), {"withoutSkills": [global_id(stage.skill)]}, stage.others[2])
    assert "With no welding the rank goes from" in without["sentence"]


# Who may ask, and what they are told


def test_candidates_ask_for_themselves_and_recruiters_for_their_own_opportunities() -> None:
    stage = Stage()
    assert stage.ask(Asker(stage.person), stage.welding())["after"]["rank"] >= 1
    for stranger in (Asker(stage.others[0]), Asker(an_organisation().user)):
        assert stage.refusal(stranger, stage.welding(), stage.person)["code"] in ("NOT_FOUND", "NOT_PERMITTED")
    assert stage.refusal(Asker(), stage.welding())["code"] in ("LOGIN_REQUIRED", "NOT_FOUND", "NOT_PERMITTED")


def test_among_few_people_candidates_are_told_no_rank() -> None:
    stage = Stage(others=3)
    found = stage.ask(Asker(stage.person), stage.welding())
    assert (found["ranksHidden"], found["before"]["rank"], found["after"]["rank"]) == (True, None, None)
    assert "the fit goes from" in found["sentence"]
    assert stage.ask(Asker(stage.owner.user), stage.welding(), stage.person)["after"]["rank"] is not None


@pytest.mark.parametrize("disclosure", ["organisation", "staff"])
def test_a_hidden_criterion_is_not_found_out_by_supposing(disclosure: str) -> None:
    rule = {"attribute": "years_experience", "op": "gte", "value": 5, "disclosure": disclosure}
    stage = Stage(rule=rule)
    few, many = ({**stage.welding(), "yearsExperience": years} for years in ("1", "9"))
    asker = Asker(stage.person)
    answers = [stage.ask(asker, changes) for changes in (few, many)]
    assert [one["after"]["verdict"] for one in answers] == [None, None]
    assert all(one["after"]["rank"] is not None for one in answers)
    inside = stage.ask(Asker(stage.owner.user), few, stage.person)["after"]["verdict"]
    assert (inside is None) is (disclosure == "staff")


def test_where_the_rule_is_open_supposing_tells_whether_they_would_be_considered() -> None:
    stage = Stage(rule={"attribute": "years_experience", "op": "gte", "value": 5})
    refused = stage.ask(Asker(stage.owner.user), {"yearsExperience": "1"}, stage.person)
    assert (refused["after"]["verdict"]["outcome"], refused["after"]["rank"]) == ("INELIGIBLE", None)
    assert "would not be considered any more" in refused["sentence"]


# Suggestions


def test_suggestions_are_the_skills_asked_for_that_raise_the_rank() -> None:
    stage = Stage()
    [one] = Asker(stage.owner.user).ask(
        SUGGESTIONS, opportunity=global_id(stage.opportunity), candidate=global_id(stage.person)
    )["whatIfSuggestions"]
    assert (one["skill"]["name"], one["level"], one["required"]) == ("welding", 3, True)
    found = stage.ask(Asker(stage.owner.user), stage.welding(3), stage.person)
    assert (one["rank"], one["sentence"]) == (found["after"]["rank"], found["sentence"])
    good = skilled(stage.skill, 5, now=timezone.now())
    assert not Asker(good).ask(SUGGESTIONS, opportunity=global_id(stage.opportunity))["whatIfSuggestions"]


def test_suggestions_take_as_many_statements_for_many_skills_as_for_one() -> None:
    from marketplace.actions.terms import SkillTermInput
    from tests.marketplace.factories import a_published_opportunity

    now, counts = timezone.now(), []
    person = a_candidate(now=now)
    for count in (1, 12):
        terms = [SkillTermInput(a_skill().public_id, required=True, weight=5, min_level=3) for _ in range(count)]
        opportunity = a_published_opportunity(skills=terms, now=now)
        variables = {"opportunity": global_id(opportunity), "most": 20}
        Asker(person).ask(SUGGESTIONS, **variables)
        counts.append(Asker(person).statements(SUGGESTIONS, **variables))
    assert counts[0] == counts[1]


# What cannot be supposed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"skills": [{"level": 9}]}, "skills[0].level"),
        ({"skills": [{"level": 3, "years": "-1"}]}, "skills[0].years"),
        ({"skills": [{"level": 3}, {"level": 4}]}, "skills"),
        ({"skills": [{"level": 3}], "withoutSkills": [None]}, "withoutSkills"),
        ({"skills": [{"level": 3}] * 1000}, "skills"),
        ({"yearsExperience": "-1"}, "yearsExperience"),
        ({"yearsExperience": "NaN"}, None),
        ({"weeklyHours": 169}, "weeklyHours"),
        ({"country": "XX"}, "country"),
        ({"country": "DE", "region": "FR-75C"}, "region"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"rate": {"amount": "10", "currency": "EUR", "period": "PROJECT"}}, "rate"),
    ],
)
def test_what_nobody_could_state_cannot_be_supposed(changes: dict[str, Any], field: str | None) -> None:
    stage = Stage(others=0)
    skill = global_id(stage.skill)
    for one in changes.get("skills", ()):
        one["skillId"] = skill
    if "withoutSkills" in changes:
        changes = {**changes, "withoutSkills": [skill]}
    refusal = stage.refusal(Asker(stage.person), changes)
    assert refusal["code"] == "INVALID_INPUT" if field else refusal["code"]
    if field:
        assert refusal["field"] == field


def test_an_unknown_skill_and_too_many_suggestions_are_refused() -> None:
    stage = Stage(others=0)
    unknown = {"skills": [{"skillId": global_id(stage.skill)[:-4] + "AAA=", "level": 3}]}
    assert stage.refusal(Asker(stage.person), unknown)["code"] in ("INVALID_INPUT", "NOT_FOUND")
    variables = {"opportunity": global_id(stage.opportunity), "most": 21}
    assert Asker(stage.person).refusal(SUGGESTIONS, **variables)["code"] == "INVALID_INPUT"
