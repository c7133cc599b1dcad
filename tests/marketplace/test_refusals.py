"""Facts that change soon after a refusal and turn it into an acceptance are shown to the recruiter, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection

from accounts.errors import DomainError
from accounts.models import Event
from marketplace.actions.applications import withdraw_application
from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    LanguageInput,
    SkillInput,
    update_candidate,
)
from marketplace.actions.invitations import accept_invitation
from marketplace.actions.opportunities import set_eligibility_rule, waive_eligibility
from marketplace.actions.refusals import record_refusal
from marketplace.actions.vetting import record_vetting
from marketplace.core.money import Pay
from marketplace.errors import NotEligible
from marketplace.models import Application, Candidate, CandidateSkill, EligibilityRefusal, Opportunity
from marketplace.queries.eligibility import judgement
from marketplace.queries.refusals import disclosed_changes
from matching.core.names import Names
from matching.core.rules import Disclosure
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_invitation,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

FULL_TIME = {"attribute": "weekly_hours", "op": "gte", "value": 40}


def is_refused(opportunity: Opportunity, person: Candidate, **more: Any) -> None:
    with pytest.raises(NotEligible):
        an_application(opportunity, person, **more)


def edit(person: Candidate, at: datetime, **facts: Any) -> None:
    update_candidate(actor=actor_of(person), candidate_id=person.public_id, fields=CandidateFields(**facts), now=at)


def change_rule(opportunity: Opportunity, rule: Mapping[str, Any], at: datetime) -> None:
    set_eligibility_rule(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=dict(rule), now=at)


def told(application: Application, audience: Disclosure = Disclosure.STAFF, names: Names = Names()) -> list[str]:  # noqa: B008
    return [change.sentence(names) for change in disclosed_changes(application, audience)]


def test_a_fact_edited_after_a_refusal_that_it_turns_round_is_flagged() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    edit(person, NOW + 3 * HOUR, weekly_hours=40)

    application = an_application(opportunity, person, now=NOW + 4 * HOUR)

    [change] = application.changed_after_refusal
    assert change == {
        "subject": "weekly_hours",
        "key": None,
        "path": "$",
        "was": "20",
        "is": "40",
        "refusedAt": NOW.isoformat(),
        "changedAt": (NOW + 3 * HOUR).isoformat(),
        "disclosure": "public",
    }
    assert told(application) == ["hours wanted: 20 → 40 hours a week, changed 3 hours after the refusal"]
    submitted = Event.objects.get(name="ApplicationSubmitted")
    assert submitted.payload["changed_after_refusal"] == ["weekly_hours"]


def test_facts_stated_while_applying_and_taken_back_by_the_refusal_are_remembered() -> None:
    """They are in no history: the refusal rolled them back."""
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate()
    is_refused(opportunity, person, answers={"facts": {"weekly_hours": 20}})
    person.refresh_from_db()
    assert (person.weekly_hours, person.revision) == (None, 1)

    application = an_application(opportunity, person, answers={"facts": {"weekly_hours": 40}}, now=NOW + HOUR)

    assert told(application) == ["hours wanted: 20 → 40 hours a week, changed 1 hour after the refusal"]


def test_whoever_was_never_refused_is_not_flagged() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    edit(person, NOW, weekly_hours=40)
    application = an_application(opportunity, person, now=NOW + HOUR)
    assert application.changed_after_refusal == []
    assert "changed_after_refusal" not in Event.objects.get(name="ApplicationSubmitted").payload


def test_a_rule_that_became_laxer_is_nobodys_doing() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    change_rule(opportunity, {**FULL_TIME, "value": 10}, NOW + HOUR)
    edit(person, NOW + 2 * HOUR, weekly_hours=45)
    assert an_application(opportunity, person, now=NOW + 3 * HOUR).changed_after_refusal == []


def test_an_edit_that_only_a_laxer_rule_rewards_is_flagged_all_the_same() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    edit(person, NOW + HOUR, weekly_hours=30)
    change_rule(opportunity, {**FULL_TIME, "value": 25}, NOW + 2 * HOUR)
    assert len(told(an_application(opportunity, person, now=NOW + 3 * HOUR))) == 1


def test_time_that_passes_is_nobodys_doing() -> None:
    skill = a_skill()
    opportunity = a_published_opportunity(rule={"not": {"skill": skill.pk, "usedWithinMonths": 1}})
    person = a_candidate(skills=[SkillInput(skill.public_id, 3, None, date(2027, 2, 10))])
    is_refused(opportunity, person)
    edit(person, NOW + HOUR, skills=[SkillInput(skill.public_id, 4, None, date(2027, 2, 10))])
    assert an_application(opportunity, person, now=NOW + 25 * DAY).changed_after_refusal == []


def test_other_facts_are_not_flagged() -> None:
    rule = {"any": [FULL_TIME, {"attribute": "country", "op": "eq", "value": "DE"}]}
    opportunity, person = a_published_opportunity(rule=rule), a_candidate(weekly_hours=20, country="FR")
    is_refused(opportunity, person)
    edit(person, NOW + HOUR, years_experience=Decimal(9), country="DE")
    application = an_application(opportunity, person, now=NOW + 2 * HOUR)
    assert [change["subject"] for change in application.changed_after_refusal] == ["country"]


def test_a_fact_that_the_acceptance_does_not_rest_on_is_not_flagged() -> None:
    rule = {"any": [FULL_TIME, {"vetted": "background"}]}
    opportunity, person = a_published_opportunity(rule=rule), a_candidate(weekly_hours=20)
    staff = a_staff_actor()
    record = {"actor": staff, "candidate_id": person.public_id, "kind": "background"}
    record_vetting(**record, passed=False, now=NOW)
    is_refused(opportunity, person)
    record_vetting(**record, passed=True, now=NOW + HOUR)
    edit(person, NOW + 2 * HOUR, weekly_hours=40)
    assert an_application(opportunity, person, now=NOW + 3 * HOUR).changed_after_refusal == []


@pytest.mark.parametrize(("days", "flags"), [(29, 1), (31, 0)])
def test_refusals_are_held_against_nobody_for_ever(days: int, flags: int) -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    edit(person, NOW + HOUR, weekly_hours=40)
    assert len(an_application(opportunity, person, now=NOW + days * DAY).changed_after_refusal) == flags


def test_of_several_refusals_the_first_says_what_it_was() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    is_refused(opportunity, person, now=NOW + HOUR)
    edit(person, NOW + 2 * HOUR, weekly_hours=30)
    is_refused(opportunity, person, now=NOW + 3 * HOUR)
    assert EligibilityRefusal.objects.count() == 2
    edit(person, NOW + 5 * HOUR, weekly_hours=40)

    application = an_application(opportunity, person, now=NOW + 6 * HOUR)
    assert told(application) == ["hours wanted: 20 → 40 hours a week, changed 5 hours after the refusal"]

    withdraw_application(actor=actor_of(person), application_id=application.public_id, now=NOW + 7 * HOUR)
    again = an_application(opportunity, person, now=NOW + 8 * HOUR)
    assert told(again) == told(application)


def test_accepting_an_invitation_is_applying() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    invitation = an_invitation(opportunity, person)
    with pytest.raises(NotEligible):
        accept_invitation(actor=actor_of(person), invitation_id=invitation.public_id, now=NOW)
    edit(person, NOW + HOUR, weekly_hours=40)
    application = accept_invitation(actor=actor_of(person), invitation_id=invitation.public_id, now=NOW + 2 * HOUR)
    assert len(application.changed_after_refusal) == 1


def test_what_staff_correct_is_no_doing_of_the_candidate() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    corrected = CandidateFields(weekly_hours=40)
    update_candidate(actor=a_staff_actor(), candidate_id=person.public_id, fields=corrected, now=NOW + HOUR)
    assert an_application(opportunity, person, now=NOW + 2 * HOUR).changed_after_refusal == []


def test_what_others_verified_is_no_gaming_until_it_is_edited() -> None:
    skill, other = a_skill("welding"), a_skill("brazing")
    rule = {"skill": skill.pk, "minLevel": 4}
    opportunity, person = a_published_opportunity(rule=rule), a_candidate(skills=[SkillInput(skill.public_id, 2)])
    is_refused(opportunity, person)
    stated = [SkillInput(skill.public_id, 4), SkillInput(other.public_id, 1)]
    edit(person, NOW + HOUR, skills=stated)
    CandidateSkill.objects.filter(skill=skill).update(source="verified")
    assert an_application(opportunity, person, now=NOW + 2 * HOUR).changed_after_refusal == []

    edit(person, NOW + 3 * HOUR, skills=[SkillInput(skill.public_id, 5), *stated[1:]])
    assert CandidateSkill.objects.get(skill=skill).source == "declared"


def test_every_kind_of_fact_is_told_in_words() -> None:
    skill = a_skill("welding")
    rule = {
        "all": [
            {"skill": skill.pk, "minLevel": 3, "minYears": 2, "usedWithinMonths": 24},
            {"language": "de", "minLevel": "B2"},
            {"workAuthorisation": "DE"},
            {"livesIn": ["DE"]},
            {
                "hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"},
                "disclosure": "organisation",
            },
            {"rateWithinPay": True},
            {"attribute": "commitments", "op": "eq", "value": "full_time", "disclosure": "staff"},
        ]
    }
    opportunity = a_published_opportunity(rule=rule)
    person = a_candidate(
        skills=[SkillInput(skill.public_id, 3, Decimal("1.5"), date(2020, 1, 1))],
        languages=[LanguageInput("de", 2), LanguageInput("en", 5)],
        work_authorisations=[AuthorisationInput("DE", date(2027, 1, 1))],
        country="FR",
        timezone="Europe/Paris",
        work_starts_minute=18 * 60,
        work_ends_minute=22 * 60,
        rate=Pay(Decimal(50), "EUR", "hour"),
        commitments=["part_time"],
    )
    is_refused(opportunity, person)
    edit(
        person,
        NOW + DAY,
        skills=[SkillInput(skill.public_id, 3, Decimal(4), date(2027, 1, 1))],
        languages=[LanguageInput("de", 4)],
        work_authorisations=[AuthorisationInput("DE")],
        country="DE",
        timezone="Europe/Berlin",
        work_starts_minute=8 * 60,
        work_ends_minute=16 * 60,
        rate=Pay(Decimal("29.5"), "EUR", "hour"),
        commitments=["full_time", "part_time"],
    )

    application = an_application(opportunity, person, now=NOW + DAY + HOUR)

    names = Names(skills={skill.pk: "welding"}, languages={"de": "German"}, countries={"DE": "Germany"})
    told_to_organisation = [
        "welding: level 3, 1.5 years, last used 2020-01-01 → level 3, 4 years, last used 2027-01-01",
        "German: A2 → B2",
        "authorisation to work in Germany: until 2027-01-01 → without an end",
        "place of residence: FR → DE",
        "working hours: 18:00–22:00 Europe/Paris → 08:00–16:00 Europe/Berlin",
        "rate asked: 50 in FR → 29.5 in DE",
    ]
    after = ", changed 1 day after the refusal"
    assert told(application, Disclosure.ORGANISATION, names) == [line + after for line in told_to_organisation]
    assert told(application, Disclosure.STAFF, names)[6:] == [f"commitment: part_time → full_time, part_time{after}"]
    assert told(application, Disclosure.PUBLIC, names) == []
    assert "commitments" not in Event.objects.get(name="ApplicationSubmitted").payload["changed_after_refusal"]
    paths = [change.path for change in disclosed_changes(application, Disclosure.ORGANISATION)]
    assert paths == [f"$.all[{at}]" for at in range(6)]


def test_a_skill_that_was_merged_since_is_the_same_skill() -> None:
    old, new = a_skill("JS"), a_skill("JavaScript")
    opportunity = a_published_opportunity(rule={"skill": old.pk, "minLevel": 3})
    person = a_candidate(skills=[SkillInput(old.public_id, 2)])
    is_refused(opportunity, person)
    old.merged_into = new
    old.save()
    edit(person, NOW + HOUR, skills=[SkillInput(new.public_id, 4)])
    [change] = an_application(opportunity, person, now=NOW + 2 * HOUR).changed_after_refusal
    assert (change["key"], change["was"], change["is"]) == (new.pk, "level 2", "level 4")


def test_a_waiver_that_lets_somebody_in_despite_the_rule_accuses_nobody() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    is_refused(opportunity, person)
    edit(person, NOW + HOUR, weekly_hours=30)
    waive_eligibility(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        candidate_id=person.public_id,
        reason="knows the plant",
        until=NOW + 9 * DAY,
        now=NOW + HOUR,
    )
    assert an_application(opportunity, person, now=NOW + 2 * HOUR).changed_after_refusal == []


@pytest.mark.parametrize("failure", [DatabaseError("down"), TypeError("an unknown kind of fact")])
def test_a_refusal_that_cannot_be_recorded_changes_no_answer(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    with patch.object(EligibilityRefusal.objects, "select_for_update", side_effect=failure):
        is_refused(opportunity, person)
    assert "could not be recorded" in caplog.text
    assert not EligibilityRefusal.objects.exists()


def test_a_try_with_other_facts_hides_no_later_refusal() -> None:
    """The try is taken back, and the next edit is given the revision that it had."""
    five_years = {"attribute": "years_experience", "op": "gte", "value": 5}
    opportunity = a_published_opportunity(rule={"all": [FULL_TIME, five_years]})
    person = a_candidate(weekly_hours=20, years_experience=Decimal(3))
    is_refused(opportunity, person, answers={"facts": {"weekly_hours": 40}}, now=NOW)
    edit(person, NOW + HOUR, weekly_hours=21)
    is_refused(opportunity, person, now=NOW + 2 * HOUR)
    edit(person, NOW + 3 * HOUR, weekly_hours=40, years_experience=Decimal(5))

    assert told(an_application(opportunity, person, now=NOW + 5 * HOUR)) == [
        "hours wanted: 21 → 40 hours a week, changed 1 hour after the refusal",
        "experience: 3 → 5 years, changed 3 hours after the refusal",
    ]


def test_a_verdict_that_is_no_refusal_is_not_recorded() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate()
    record_refusal(judgement(person, opportunity, now=NOW), EligibilityRefusal.Surface.VERDICT, NOW)
    assert not EligibilityRefusal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_refusals_at_once_are_one_and_editing_meanwhile_is_flagged() -> None:
    opportunity, person = a_published_opportunity(rule=FULL_TIME), a_candidate(weekly_hours=20)
    start = Barrier(5)

    def attempt(number: int) -> str:
        try:
            start.wait(timeout=10)
            if number == 4:
                edit(person, NOW + timedelta(seconds=1), headline="Welder")
                return "edited"
            an_application(opportunity, person)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "applied"

    with ThreadPoolExecutor(5) as threads:
        outcomes = list(threads.map(attempt, range(5)))

    assert outcomes == ["NOT_ELIGIBLE"] * 4 + ["edited"]
    kept = list(EligibilityRefusal.objects.values_list("candidate_revision", flat=True))
    assert len(kept) == len(set(kept)) <= 2
    edit(person, NOW + HOUR, weekly_hours=40)
    assert len(an_application(opportunity, person, now=NOW + 2 * HOUR).changed_after_refusal) == 1
