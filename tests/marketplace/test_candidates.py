"""Registering, and stating facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps

from accounts.core.actor import Actor
from accounts.errors import InvalidInput, LoginRequired, NotFound, NotPermitted
from accounts.models import Event
from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    ExperienceInput,
    LanguageInput,
    SkillInput,
    register_candidate,
    update_candidate,
)
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.core.money import Pay
from marketplace.errors import CandidateExists, HoursPromised
from marketplace.models import Candidate, CandidateLanguage, CandidateSkill
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    everything,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

WRITTEN = (Candidate, CandidateSkill, CandidateLanguage, Event)


def update(candidate: Candidate, **facts: Any) -> Candidate:
    return update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(**facts), now=NOW
    )


def last_event(candidate: Candidate) -> Event:
    return Event.objects.filter(aggregate_type="candidate", aggregate_id=candidate.pk).latest("sequence")


def test_a_candidate_registers_with_facts() -> None:
    skill, user = a_skill(), a_user(name="Łukasz 🛠 Nowak")

    candidate = a_candidate(
        user=user,
        country="DE",
        region="DE-BE",
        weekly_hours=40,
        rate=Pay(Decimal("35.50"), "EUR", "hour"),
        skills=[SkillInput(skill.public_id, 4, Decimal("6.5"))],
        languages=[LanguageInput("de", 6)],
    )

    candidate.refresh_from_db()
    assert candidate.name == "Łukasz 🛠 Nowak"
    assert (candidate.country, candidate.rate_amount, candidate.rate_period) == ("DE", Decimal("35.5"), "hour")
    assert candidate.skills.get().level == 4
    event = last_event(candidate)
    assert event.name == "CandidateRegistered"
    assert "Nowak" not in str(event.payload)


def test_nobody_registers_twice() -> None:
    candidate = a_candidate()
    before = everything(WRITTEN)

    with pytest.raises(CandidateExists):
        register_candidate(actor=actor_of(candidate), fields=CandidateFields(), now=NOW)

    assert everything(WRITTEN) == before


def test_registering_needs_a_login() -> None:
    with pytest.raises(LoginRequired):
        register_candidate(actor=Actor.anonymous(), fields=CandidateFields(), now=NOW)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": "nul\x00"}, "name"),
        ({"name": "x" * 10_000_000}, "name"),
        ({"name": " "}, "name"),
        ({"headline": 5}, "headline"),
        ({"country": "XX"}, "country"),
        ({"country": "de"}, "country"),
        ({"region": "DE-BE"}, "region"),  # no country is known
        ({"country": "FR", "region": "DE-BE"}, "region"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"weekly_hours": -1}, "weeklyHours"),
        ({"weekly_hours": 169}, "weeklyHours"),
        ({"weekly_hours": True}, "weeklyHours"),
        ({"years_experience": Decimal("NaN")}, "yearsExperience"),
        ({"years_experience": Decimal("1.25")}, "yearsExperience"),
        ({"latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"latitude": float("nan"), "longitude": 0.0}, "latitude"),
        ({"latitude": 5.0}, "latitude"),
        ({"rate": Pay(Decimal(-1), "EUR", "hour")}, "rate.amount"),
        ({"rate": Pay(Decimal(1), "ZZZ", "hour")}, "rate.currency"),
        ({"rate": Pay(Decimal(1), "XAU", "hour")}, "rate.currency"),
        ({"rate": Pay(Decimal(1), "EUR", "fortnight")}, "rate.period"),
        ({"rate": Pay(Decimal("Infinity"), "EUR", "hour")}, "rate.amount"),
        ({"commitments": ["for_ever"]}, "commitments"),
        ({"linkedin": "javascript:alert(1)"}, "linkedin"),
        ({"languages": [LanguageInput("xx", 1)]}, "languages[0].language"),
        ({"languages": [LanguageInput("de", 7)]}, "languages[0].level"),
        ({"languages": [LanguageInput("de", 1), LanguageInput("de", 2)]}, "languages"),
        ({"work_authorisations": [AuthorisationInput("EU")]}, "workAuthorisations[0].country"),
        (
            {"experiences": [ExperienceInput("Welder", date(2020, 1, 2), ends_on=date(2020, 1, 1))]},
            "experiences[0].endsOn",
        ),
        ({"skills": [SkillInput(uuid4(), 3)] * 101}, "skills"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_written(facts: dict[str, Any], field: str) -> None:
    candidate = a_candidate()
    before = everything(WRITTEN)

    with pytest.raises(InvalidInput) as refusal:
        update(candidate, weekly_hours=facts.pop("weekly_hours", 20), **facts)

    assert refusal.value.data["field"] == field
    assert everything(WRITTEN) == before


def test_ids_of_nothing_are_refused() -> None:
    candidate = a_candidate()
    for facts in ({"skills": [SkillInput(uuid4(), 3)]}, {"blocked_organisation_ids": [uuid4()]}):
        with pytest.raises(NotFound):
            update(candidate, **facts)


def test_an_update_names_what_changed_and_nothing_else() -> None:
    candidate = a_candidate(country="DE", weekly_hours=40)

    update(candidate, country="DE", weekly_hours=30, headline="Welder")

    event = last_event(candidate)
    assert (event.name, event.payload) == ("CandidateUpdated", {"changed": ["headline", "weekly_hours"]})


def test_every_change_of_facts_makes_the_revision_grow_and_saying_the_same_again_does_not() -> None:
    skill = a_skill()
    candidate = a_candidate(country="DE", skills=[SkillInput(skill.public_id, 2)])
    events = Event.objects.count()

    assert update(candidate, country="DE", skills=[SkillInput(skill.public_id, 2)]).revision == 1
    assert Event.objects.count() == events
    assert update(candidate, skills=[SkillInput(skill.public_id, 3)]).revision == 2
    assert update(candidate, languages=[LanguageInput("en", 4)]).revision == 3
    assert update(candidate, skills=None).revision == 4


def test_history_keeps_what_was_known_before() -> None:
    skill = a_skill()
    candidate = a_candidate(weekly_hours=40, skills=[SkillInput(skill.public_id, 2)])

    update(candidate, weekly_hours=20, skills=[])

    facts = apps.get_model("marketplace", "CandidateFactEvent").objects.filter(pgh_obj_id=candidate.pk)
    assert list(facts.order_by("pgh_id").values_list("weekly_hours", "revision")) == [(40, 1), (20, 2)]
    skills = apps.get_model("marketplace", "CandidateSkillFactEvent").objects.filter(candidate_id=candidate.pk)
    assert list(skills.order_by("pgh_id").values_list("pgh_label", "level")) == [("insert", 2), ("delete", 2)]


def test_moving_abroad_clears_the_region() -> None:
    candidate = a_candidate(country="DE", region="DE-BE")

    assert update(candidate, country="FR").region == ""


def test_strangers_do_not_find_and_recruiters_do_not_change_a_candidate() -> None:
    candidate = a_candidate(discoverable=False)
    fields = CandidateFields(country="FR")
    with pytest.raises(NotFound):
        update_candidate(actor=actor_of(a_candidate()), candidate_id=candidate.public_id, fields=fields, now=NOW)
    with pytest.raises(NotFound):
        update_candidate(actor=a_recruiter().actor, candidate_id=candidate.public_id, fields=fields, now=NOW)
    found = a_candidate()
    with pytest.raises(NotPermitted):
        update_candidate(actor=a_recruiter().actor, candidate_id=found.public_id, fields=fields, now=NOW)


def test_hours_cannot_be_cut_below_what_is_promised() -> None:
    candidate = a_candidate(weekly_hours=40)
    opportunity = a_published_opportunity(weekly_hours=30)
    application = an_application(opportunity, candidate)
    offer = send_offer(
        actor=recruiter_of(opportunity),
        application_id=application.public_id,
        pay=Pay(Decimal(25), "EUR", "hour"),
        now=NOW,
    )
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
    before = everything(WRITTEN)

    with pytest.raises(HoursPromised):
        update(candidate, weekly_hours=20)

    assert everything(WRITTEN) == before
    update(candidate, weekly_hours=30)


def test_blocking_an_organisation_is_a_change() -> None:
    candidate, works = a_candidate(), an_organisation()

    update(candidate, blocked_organisation_ids=[works.organisation.public_id])

    assert last_event(candidate).payload == {"changed": ["blocked_organisation_ids"]}
