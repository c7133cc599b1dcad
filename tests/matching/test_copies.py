"""Copies are marked by events, written once, and say what they do not know yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actions.deliveries import deliver_due
from marketplace.actions.opportunities import pause_opportunity, update_opportunity
from marketplace.actions.terms import LocationInput, OpportunityFields, PayBandInput, SkillTermInput
from marketplace.models import Candidate, ExchangeRateSet, Opportunity, SkillBroader
from marketplace.queries.rates import current_rate_set
from matching.actions import copies
from matching.core.attributes import Subject
from matching.models import CandidateProjection, CopyMark, OpportunityProjection, SearchWord
from matching.queries.lagging import INDEXED, PROJECTED, lagging
from matching.queries.openings import opening_from, openings_of
from matching.queries.people import people_of, person_from
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    an_organisation,
    exchange_rates,
    recruiter_of,
)
from tests.matching.staging import copy, skilled

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_projections(settings: Any) -> None:
    """Documents have tests of their own."""
    settings.ELASTICSEARCH_URL = ""


def rates() -> ExchangeRateSet | None:
    return current_rate_set(on=NOW.date())


def behind(subject: Subject, stages: list[str] = PROJECTED) -> set[int]:
    return set(lagging(subject, stages=stages, at_most=100))


def test_a_projection_holds_what_the_tables_say_and_is_read_back_without_loss() -> None:
    exchange_rates()
    programming, python = a_skill("programming"), a_skill("Python")
    SkillBroader.objects.create(skill=python, broader=programming)
    opportunity = a_published_opportunity(
        an_organisation(name="Müller & Söhne"),
        title="Señor C++ Developer's",
        description="Node.js, O'Reilly \\ “quotes” — ½ day; 東京 \U0001f600",
        skills=[SkillTermInput(python.public_id)],
        locations=[
            LocationInput("allowed", "DE"),
            LocationInput("allowed", "FR", "FR-IDF"),
            LocationInput("excluded", "DE", "DE-BY"),
        ],
        pay_bands=[
            PayBandInput(Decimal(50_000), Decimal(60_000), "USD", "year", ["DE"]),
            PayBandInput(Decimal(300), Decimal(400), "EUR", "project", ["FR"]),
        ],
        closes_at=NOW + timedelta(days=3),
        years_experience=Decimal("2.5"),
    )
    copy()
    stored = opening_from(OpportunityProjection.objects.get(pk=opportunity.pk))
    assert stored == openings_of([opportunity.pk], rate_set=rates())[opportunity.pk]
    assert stored.text.fields["title"] == {"senor", "c++", "developer"}
    assert {"node.js", "東京", "muller", "python", "germany", "france"} <= stored.text.words
    assert (stored.text.skills, stored.text.families) == ({python.pk}, {python.pk, programming.pk})
    assert stored.facts.places == {"DE", "DE-*", "FR", "FR-IDF"}
    assert stored.facts.excluded_places == {"DE-BY"}
    assert stored.pay == ((4_545_455, 5_454_545),)  # a project's pay is no yearly figure


def test_a_person_is_read_back_without_loss_and_without_name_or_resume() -> None:
    skill, blocked = a_skill("welding"), an_organisation().organisation
    person = skilled(skill, headline="Welder, naïve", name="Ada Quill", resume_text="Wrote the first program.")
    person.blocked_organisations.add(blocked)
    copies.mark(Subject.CANDIDATE, [person.pk], NOW)
    copy()
    stored = person_from(CandidateProjection.objects.get(pk=person.pk))
    assert stored == people_of([person.pk], on=NOW.date(), rate_set=rates())[person.pk]
    assert stored.text.words == {"welder", "naive", "welding"}
    assert stored.blocked == {blocked.pk}


@pytest.mark.parametrize(
    ("pay", "hours", "yearly"),
    [
        (PayBandInput(Decimal(20), Decimal(30), "EUR", "hour"), 20, (2_080_000, 3_120_000)),
        (PayBandInput(Decimal(20), Decimal(30), "EUR", "hour"), 40, (4_160_000, 6_240_000)),
        (PayBandInput(Decimal(200), Decimal(300), "EUR", "day"), 16, (2_080_000, 3_120_000)),
        (PayBandInput(Decimal(900), Decimal(1000), "EUR", "week"), 40, (4_680_000, 5_200_000)),
        (PayBandInput(Decimal(3000), Decimal(4000), "EUR", "month"), 10, (3_600_000, 4_800_000)),
        (PayBandInput(Decimal(50_000), Decimal(60_000), "GBP", "year"), 40, (5_882_353, 7_058_824)),
    ],
)
def test_pay_is_compared_as_a_yearly_figure_of_the_hours_stated(pay, hours, yearly) -> None:
    exchange_rates()
    opportunity = a_published_opportunity(pay_bands=[pay], weekly_hours=hours)
    assert openings_of([opportunity.pk], rate_set=rates())[opportunity.pk].pay == (yearly,)


def test_a_change_lags_from_its_commit_until_it_is_copied() -> None:
    opportunity = a_draft()
    assert behind(Subject.OPPORTUNITY) == {opportunity.pk}
    while deliver_due("copies", NOW):
        pass
    assert behind(Subject.OPPORTUNITY) == {opportunity.pk}
    copies.project_all(NOW)
    assert behind(Subject.OPPORTUNITY) == set()
    person = a_candidate()
    assert (behind(Subject.CANDIDATE), behind(Subject.OPPORTUNITY)) == ({person.pk}, set())


def test_what_is_rolled_back_does_not_lag() -> None:
    opportunity = a_published_opportunity()
    copy()
    with transaction.atomic():
        pause_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)
        assert behind(Subject.OPPORTUNITY) == {opportunity.pk}
        transaction.set_rollback(True)
    assert behind(Subject.OPPORTUNITY) == set()


def test_what_is_renewed_does_not_lag_and_what_did_not_change_is_not_written() -> None:
    opportunity = a_published_opportunity()
    copy()
    before = OpportunityProjection.objects.get().changed_xid
    copies.renew_all(Subject.OPPORTUNITY, NOW)
    assert (CopyMark.objects.count(), behind(Subject.OPPORTUNITY)) == (1, set())
    copies.mark(Subject.OPPORTUNITY, [opportunity.pk], NOW)  # and a change makes it urgent after all
    assert behind(Subject.OPPORTUNITY) == {opportunity.pk}
    copy()
    assert OpportunityProjection.objects.get().changed_xid == before
    assert not CopyMark.objects.exists()


def test_new_rates_and_another_taxonomy_renew_all_copies() -> None:
    pay = [PayBandInput(Decimal(50_000), Decimal(60_000), "USD", "year")]
    exchange_rates()
    a_published_opportunity(pay_bands=pay)
    copy()
    assert OpportunityProjection.objects.get().most_pay == 5_454_545
    exchange_rates({"USD": Decimal("1.2")})
    copy()
    assert OpportunityProjection.objects.get().most_pay == 5_000_000


def test_marks_that_are_raised_while_copying_survive() -> None:
    opportunity = a_published_opportunity()
    copy()
    copies.mark(Subject.OPPORTUNITY, [opportunity.pk], NOW)
    [claimed] = copies.locks.claim_copy_marks("projection", "opportunity", 10).values()
    copies.mark(Subject.OPPORTUNITY, [opportunity.pk], NOW)
    assert copies.locks.release_copy_marks([claimed]) == 0
    assert behind(Subject.OPPORTUNITY) == {opportunity.pk}


def test_a_deleted_projection_has_its_document_deleted_too() -> None:
    person = a_candidate()
    copy()
    Candidate.objects.filter(pk=person.pk).delete()
    assert behind(Subject.CANDIDATE, INDEXED) >= {person.pk}
    assert CopyMark.objects.filter(stage="index", subject_id=person.pk).exists()


def test_words_in_use_are_those_of_titles_and_skills_and_not_of_texts() -> None:
    skill = a_skill("arc welding")
    opportunity = a_published_opportunity(
        title="Welders wanted", description="Weld frames.", skills=[SkillTermInput(skill.public_id)]
    )
    skilled(skill, headline="Craftsman")
    copy()
    update_opportunity(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        fields=OpportunityFields(title="Welders gesucht"),
        now=NOW,
    )
    copy()
    listed = SearchWord.objects.values_list("subject_type", "word")
    assert {("opportunity", "welder"), ("opportunity", "gesucht"), ("opportunity", "welding")} <= set(listed)
    assert ("candidate", "craftsman") in listed
    assert not {"frame", "weld"} & {word for _, word in listed}


def test_copying_takes_as_many_statements_for_many_as_for_one() -> None:
    def statements(count: int) -> int:
        for _ in range(count):
            a_published_opportunity(skills=[SkillTermInput(a_skill().public_id)])
            skilled(a_skill(), headline="Welder")
        while deliver_due("copies", NOW):
            pass
        with CaptureQueriesContext(connection) as captured:
            copies.project_all(NOW)
        return len(captured)

    statements(1)  # makes the recogniser of skills ready, once a process
    assert statements(1) == statements(5)


def test_two_copiers_at_once_do_everything_and_nothing_twice() -> None:
    opportunities = [a_published_opportunity().pk for _ in range(3)]
    while deliver_due("copies", NOW):
        pass
    assert copies.project(NOW, limit=2) == 2
    assert copies.project(NOW, limit=2) == 1
    assert set(OpportunityProjection.objects.values_list("pk", flat=True)) == set(opportunities)
    assert Opportunity.objects.count() == 3
