"""Answers about oneself when applying: every question can be answered, and nothing is cleared or written by mistake."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.errors import InvalidInput
from accounts.models import Event
from marketplace.actions.candidates import SkillInput
from marketplace.actions.opportunities import PayBandInput
from marketplace.errors import AnswersNeeded
from marketplace.models import Application, Candidate, CandidateSkill, EligibilityRefusal
from tests.marketplace.factories import (
    a_candidate,
    a_published_opportunity,
    a_skill,
    an_application,
    everything,
)

pytestmark = pytest.mark.django_db

OFFICE = {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}}


@pytest.mark.parametrize(
    ("rule", "answer", "facts"),
    [
        (OFFICE, {"from": "08:00", "to": "16:30", "timezone": "Europe/Paris"}, {"timezone": "Europe/Paris"}),
        (OFFICE, {"from": "08:00", "to": "24:00", "timezone": "UTC"}, {"work_ends_minute": 1440}),
        ({"livesIn": ["DE"]}, "DE", {"country": "DE", "region": ""}),
        ({"livesIn": ["DE-BE"]}, {"country": "DE", "region": "DE-BE"}, {"country": "DE", "region": "DE-BE"}),
        ({"livesIn": ["DE-BE"]}, {"region": "DE-BE"}, {"country": "DE", "region": "DE-BE"}),
        ({"rateWithinPay": True}, 29.5, {"rate_amount": Decimal("29.5"), "rate_currency": "EUR"}),
        (
            {"rateWithinPay": True},
            {"amount": "4000", "currency": "EUR", "period": "month"},
            {"rate_amount": Decimal(4000), "rate_period": "month"},
        ),
        (
            {"attribute": "utc_offset_minutes", "op": "gte", "value": 0},
            "Europe/Berlin",
            {"timezone": "Europe/Berlin"},
        ),
        ({"attribute": "free_hours", "op": "gte", "value": 30}, 40, {"weekly_hours": 40}),
        ({"attribute": "commitments", "op": "eq", "value": "contract"}, ["contract"], {"commitments": ["contract"]}),
    ],
)
def test_every_question_is_answered_under_its_subject(rule: Any, answer: Any, facts: dict[str, Any]) -> None:
    opportunity, person = a_published_opportunity(rule=rule), a_candidate()
    with pytest.raises(AnswersNeeded) as refusal:
        an_application(opportunity, person)
    [question] = refusal.value.data["questions"]

    an_application(opportunity, person, answers={"facts": {question["key"]: answer}})

    person.refresh_from_db()
    assert {name: getattr(person, name) for name in facts} == facts


def test_names_may_be_spelled_as_in_the_rest_of_the_api() -> None:
    rule = {"attribute": "years_experience", "op": "gte", "value": 5}
    opportunity, person = a_published_opportunity(rule=rule), a_candidate()
    an_application(opportunity, person, answers={"facts": {"yearsExperience": 6}})
    person.refresh_from_db()
    assert person.years_experience == 6


def test_years_and_last_use_of_a_skill_keep_what_was_said_of_it_before() -> None:
    skill = a_skill("welding")
    rule = {"skill": skill.pk, "minLevel": 2, "minYears": 3, "usedWithinMonths": 12}
    opportunity = a_published_opportunity(rule=rule)
    person = a_candidate(skills=[SkillInput(skill.public_id, 4)])
    answers = {"facts": {"skill": {str(skill.public_id): {"years": 5, "lastUsedOn": "2027-01-01"}}}}
    an_application(opportunity, person, answers=answers)
    fact = person.skills.get()
    assert (fact.level, fact.years, fact.last_used_on) == (4, 5, date(2027, 1, 1))


def test_a_question_about_a_merged_skill_is_answered_for_the_one_that_was_stated() -> None:
    old, new = a_skill("JS"), a_skill("JavaScript")
    opportunity = a_published_opportunity(rule={"skill": new.pk, "minYears": 3})
    person = a_candidate(skills=[SkillInput(old.public_id, 4)])
    old.merged_into = new
    old.save()
    an_application(opportunity, person, answers={"facts": {"skill": {str(new.public_id): {"years": 5}}}})
    assert list(CandidateSkill.objects.values_list("skill", "level", "years")) == [(old.pk, 4, 5)]


SKILL = str(UUID(int=1))
TOO_MANY = {f"{number:02}": "B2" for number in range(101)}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"weekly_hours": None}, "weekly_hours"),
        ({"country": ""}, "country"),
        ({"commitments": []}, "commitments"),
        ({"hourly_rate": {"amount": None, "currency": "EUR", "period": "hour"}}, "hourly_rate.amount"),
        ({"livesIn": {"country": "DE", "region": None}}, "livesIn.region"),
        ({"skill": {SKILL: {"years": None}}}, f"skill.{SKILL}"),
        ({"weekly_hours": "forty"}, "weekly_hours"),
        ({"weekly_hours": 10**30}, "weekly_hours"),
        ({"years_experience": 1e308}, "years_experience"),
        ({"timezone": ["UTC"]}, "timezone"),
        ({"country": "dе"}, "country"),  # the second letter is Cyrillic
        ({"available_from": "2027-02-30"}, "available_from"),
        ({"hourly_rate": {"amount": 20, "currency": "EUR"}}, "hourly_rate.period"),
        ({"hourly_rate": -1}, "hourly_rate"),
        ({"livesIn": "DE"}, "livesIn"),
        ({"livesIn": {"country": "DE", "planet": "Earth"}}, "livesIn"),
        ({"livesIn": {"country": "FR", "region": "DE-BE"}}, "livesIn"),
        ({"hoursOverlap": {"from": "9", "to": "17:00", "timezone": "UTC"}}, "hoursOverlap.from"),
        ({"hoursOverlap": {"from": "09:00", "to": "17:00"}}, "hoursOverlap.timezone"),
        ({"hoursOverlap": {"from": "09:00", "to": "17:00", "timezone": "Mars/Olympus"}}, "hoursOverlap"),
        ({"language": {"de": {"level": "B2"}}}, "language.de"),
        ({"language": TOO_MANY}, "language"),
        ({"workAuthorisation": {"DE": 2028}}, "workAuthorisation.DE"),
        ({"skill": {"not a skill": {"level": 3}}}, "skill.not a skill"),
        ({"skill": {SKILL: {"level": 3}}}, f"skill.{SKILL}"),
        ({"vetted": {"background": True}}, "vetted"),
        ({"groups": [1]}, "groups"),
        ({"name": "Somebody"}, "name"),
        ({"country": "FR", "livesIn": {"country": "DE"}}, "livesIn"),
        ({"weekly_hours": 20, "free_hours": 40}, "free_hours"),
        ({"x" * 10_000: 1}, "x" * 40),
    ],
)
def test_an_answer_that_says_nothing_or_nonsense_is_refused_with_its_place(facts: dict[str, Any], field: str) -> None:
    opportunity = a_published_opportunity()
    person = a_candidate(country="DE", weekly_hours=30)
    tables = [Application, Candidate, CandidateSkill, Event, EligibilityRefusal]
    before = everything(tables)
    with pytest.raises(InvalidInput) as refusal:
        an_application(opportunity, person, answers={"facts": facts})
    assert refusal.value.data["field"].startswith(f"answers.facts.{field}"[:48])
    assert everything(tables) == before


def test_a_rate_is_asked_for_with_the_place_that_decides_the_pay() -> None:
    bands = [
        PayBandInput(Decimal(20), Decimal(30), "EUR", "hour"),
        PayBandInput(Decimal(20), Decimal(50), "EUR", "hour", ["US-CA"]),
    ]
    opportunity, person = a_published_opportunity(rule={"rateWithinPay": True}, pay_bands=bands), a_candidate()
    with pytest.raises(AnswersNeeded) as refusal:
        an_application(opportunity, person)
    assert [question["key"] for question in refusal.value.data["questions"]] == ["hourly_rate", "livesIn"]
    answers = {"hourly_rate": {"amount": "45", "currency": "EUR", "period": "hour"}, "livesIn": {"region": "US-CA"}}
    application = an_application(opportunity, person, answers={"facts": answers})
    assert application.verdict["outcome"] == "eligible"
