"""Gathering facts and terms, and judging by them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    LanguageInput,
    SkillInput,
    update_candidate,
)
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import LocationInput, PayBandInput, SkillTermInput, set_eligibility_rule
from marketplace.core.money import HOURS_IN, Pay, hourly_eur
from marketplace.models import Candidate, ExchangeRateSet, Skill
from marketplace.queries.eligibility import judge, judge_as_of
from marketplace.queries.facts import facts_of, terms_of
from marketplace.queries.history import facts_as_of
from marketplace.queries.rates import current_rate_set
from matching.core.eligibility import Outcome
from matching.core.facts import CandidateFacts, NotGathered, Reading, SkillFact, SkillTerm
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    exchange_rates,
    recruiter_of,
)

ON = NOW.date()


def facts(candidate: Candidate, *, on: date = ON, rate_set: ExchangeRateSet | None = None) -> CandidateFacts:
    return facts_of([candidate.pk], on=on, rate_set=rate_set)[candidate.pk]


@pytest.mark.parametrize(
    ("amount", "currency", "period", "euros"),
    [
        ("40", "EUR", "hour", "40.0000"),
        ("44", "USD", "hour", "40.0000"),
        ("320", "EUR", "day", "40.0000"),
        ("1600", "EUR", "week", "40.0000"),
        ("5000", "EUR", "month", "28.8462"),
        ("60000", "EUR", "year", "28.8462"),
        ("9000", "EUR", "project", None),
        ("90", "EUR", "task", None),
        ("40", "JPY", "hour", None),
    ],
)
def test_pay_comes_to_euros_an_hour(amount: str, currency: str, period: str, euros: str | None) -> None:
    result = hourly_eur(Decimal(amount), currency, period, {"USD": Decimal("1.1")})
    assert (None if result is None else str(result)) == euros


def test_a_month_is_a_twelfth_of_a_year() -> None:
    assert HOURS_IN["year"] == 2080
    assert round(Decimal(2080) / 12, 3) == HOURS_IN["month"]


@pytest.mark.django_db
class TestFacts:
    def test_everything_that_was_stated(self) -> None:
        skill = a_skill()
        candidate = a_candidate(
            country="DE",
            region="DE-BE",
            timezone="Europe/Berlin",
            weekly_hours=40,
            years_experience=Decimal("6.5"),
            rate=Pay(Decimal(44), "USD", "hour"),
            commitments=["part_time", "full_time"],
            skills=[SkillInput(skill.public_id, 4, Decimal(3))],
            languages=[LanguageInput("de", 6), LanguageInput("en", 4)],
            work_authorisations=[AuthorisationInput("DE"), AuthorisationInput("FR", date(2028, 1, 1))],
        )

        found = facts(candidate, rate_set=exchange_rates())

        assert found == CandidateFacts(
            candidate_id=candidate.pk,
            revision=1,
            country="DE",
            region="DE-BE",
            timezone="Europe/Berlin",
            utc_offset_minutes=60,
            languages={"de": 6, "en": 4},
            work_authorisations={"DE": None, "FR": date(2028, 1, 1)},
            years_experience=Decimal("6.5"),
            weekly_hours=40,
            free_hours=40,
            hourly_rate=Decimal("40.0000"),
            commitments=frozenset({"full_time", "part_time"}),
            skills={skill.pk: SkillFact(4, Decimal("3.0"))},
            last_active_on=ON,
        )

    def test_what_was_not_said_is_not_known(self) -> None:
        candidate = a_candidate()
        assert facts(candidate) == CandidateFacts(candidate_id=candidate.pk, revision=1, last_active_on=ON)

    def test_the_clock_is_that_of_the_day(self) -> None:
        candidate = a_candidate(timezone="Europe/Berlin")
        assert facts(candidate, on=date(2027, 7, 1)).utc_offset_minutes == 120

    def test_live_placements_take_hours(self) -> None:
        candidate, opportunity = a_candidate(weekly_hours=40), a_published_opportunity(weekly_hours=15)
        application = an_application(opportunity, candidate)
        offer = send_offer(
            actor=recruiter_of(opportunity),
            application_id=application.public_id,
            pay=Pay(Decimal(25), "EUR", "hour"),
            now=NOW,
        )
        assert facts(candidate).free_hours == 40
        accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
        assert (facts(candidate).weekly_hours, facts(candidate).free_hours) == (40, 25)

    def test_merged_skills_become_what_they_were_merged_into(self) -> None:
        last = a_skill("JavaScript")
        middle = a_skill("ECMAScript", merged_into=last)
        first = a_skill("JS", merged_into=middle)
        candidate = a_candidate(
            skills=[SkillInput(first.public_id, 2, Decimal(5)), SkillInput(last.public_id, 4, Decimal(1))]
        )
        assert facts(candidate).skills == {last.pk: SkillFact(4, Decimal("5.0"))}

    def test_groups_are_facts_and_make_the_revision_grow(self) -> None:
        works, candidate = an_organisation(), a_candidate()
        group = standard_group(actor=works.actor, organisation_id=works.organisation.public_id, kind="past_workers")
        for _ in range(2):
            add_to_group(actor=works.actor, group_id=group.public_id, candidate_id=candidate.public_id, now=NOW)
        assert (facts(candidate).groups, facts(candidate).revision) == (frozenset({group.pk}), 2)

    def test_what_is_not_read_is_not_gathered_and_says_so(self) -> None:
        asked, other = a_skill(), a_skill()
        stated = [SkillInput(asked.public_id, 4, Decimal(3)), SkillInput(other.public_id, 2)]
        candidate = a_candidate(skills=stated, weekly_hours=30, languages=[LanguageInput("de", 6)])
        everything = facts_of([candidate.pk], on=ON, rate_set=None)[candidate.pk]
        reading = Reading(frozenset({"skills", "free_hours"}), frozenset({asked.pk, 0}))
        facts = facts_of([candidate.pk], on=ON, rate_set=None, reading=reading)[candidate.pk]
        assert facts.skills[asked.pk] == everything.skills[asked.pk]
        assert facts.skills.get(0) is None
        assert 0 not in facts.skills
        assert (facts.free_hours, facts.weekly_hours) == (everything.free_hours, everything.weekly_hours)
        for read in (
            lambda: facts.skills.get(other.pk),
            lambda: facts.skills[other.pk],
            lambda: other.pk in facts.skills,
            lambda: set(facts.skills),
            facts.skills.items,
            lambda: facts.languages.get("de"),
            lambda: facts.title_words & {"nurse"},
            lambda: facts.offers_accepted + 1,
            lambda: bool(facts.occupations),
        ):
            with pytest.raises(NotGathered):
                read()

    def test_a_skill_that_is_read_is_found_under_what_it_has_become(self) -> None:
        kept, gone = a_skill(), a_skill()
        candidate = a_candidate(skills=[SkillInput(gone.public_id, 4)])
        Skill.objects.filter(pk=gone.pk).update(merged_into=kept)
        reading = Reading(frozenset({"skills"}), frozenset({kept.pk}))
        facts = facts_of([candidate.pk], on=ON, rate_set=None, reading=reading)[candidate.pk]
        assert facts.skills[kept.pk].level == 4

    def test_many_take_as_many_queries_as_one(self) -> None:
        skill = a_skill()
        ids = [a_candidate(skills=[SkillInput(skill.public_id, n)], country="DE").pk for n in (1, 2, 3, 4)]
        counts = []
        for some in (ids[:1], ids):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert set(facts_of(some, on=ON, rate_set=None)) == set(some)
            counts.append(len(queries))
        assert counts == [1, 1]  # everything that hangs on people; no skill has become another


@pytest.mark.django_db
class TestTerms:
    def test_what_an_opportunity_asks_and_pays(self) -> None:
        rates = exchange_rates()
        old, new = a_skill("JS"), a_skill("JavaScript")
        opportunity = a_published_opportunity(
            pay_bands=[
                PayBandInput(Decimal(20), Decimal(30), "EUR", "hour"),
                PayBandInput(Decimal("68640"), Decimal("91520"), "USD", "year", ["US"]),
                PayBandInput(Decimal(5), Decimal(6), "EUR", "task", ["FR"]),
            ],
            locations=[LocationInput("allowed", "DE", "DE-BE"), LocationInput("excluded", "FR")],
            skills=[
                SkillTermInput(old.public_id, min_level=3),
                SkillTermInput(new.public_id, required=False, weight=5),
            ],
            timezone="Europe/Berlin",
        )
        old.merged_into = new
        old.save()

        terms = terms_of([opportunity.pk], rate_set=rates, on=ON)[opportunity.pk]

        assert (terms.min_hourly_pay, terms.max_hourly_pay) == (Decimal("20.0000"), Decimal("40.0000"))
        assert (terms.allowed_places, terms.excluded_places) == (frozenset({"DE-BE"}), frozenset({"FR"}))
        assert terms.skills == (SkillTerm(new.pk, True, 5, 3, None),)
        assert (terms.revision, terms.utc_offset_minutes, terms.arrangement) == (1, 60, "onsite")

    def test_many_take_as_many_queries_as_one(self) -> None:
        ids = [a_published_opportunity(skills=[SkillTermInput(a_skill().public_id)]).pk for _ in range(4)]
        counts = []
        for some in (ids[:1], ids):
            with CaptureQueriesContext(connection) as queries:
                assert set(terms_of(some, rate_set=None, on=ON)) == set(some)
            counts.append(len(queries))
        assert counts[0] == counts[1]


@pytest.mark.django_db
class TestVerdicts:
    def test_a_verdict_names_what_it_was_judged_by(self) -> None:
        rates = exchange_rates()
        opportunity, candidate = a_published_opportunity(), a_candidate()

        verdict = judge(candidate, opportunity, now=NOW)

        assert verdict.outcome is Outcome.ELIGIBLE
        assert (verdict.basis.rule_revision, verdict.basis.exchange_rates) == (1, rates.pk)
        assert verdict.basis.candidate_revision == 1

    def test_a_pinned_revision_outlives_a_tighter_rule(self) -> None:
        opportunity, candidate = a_published_opportunity(), a_candidate(years_experience=Decimal(1))
        pinned = opportunity.current_revision
        rule = {"attribute": "years_experience", "op": "gte", "value": 5}

        opportunity = set_eligibility_rule(
            actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW
        )

        assert judge(candidate, opportunity, now=NOW).outcome is Outcome.INELIGIBLE
        assert judge(candidate, opportunity, now=NOW, revision=pinned).is_eligible

    def test_rules_follow_merges(self) -> None:
        old, new = a_skill("JS"), a_skill("JavaScript")
        opportunity = a_published_opportunity(rule={"skill": old.pk})
        old.merged_into = new
        old.save()

        assert judge(a_candidate(skills=[SkillInput(new.public_id, 3)]), opportunity, now=NOW).is_eligible

    def test_rates_hold_from_their_day_on(self) -> None:
        today, tomorrow = exchange_rates(), exchange_rates(now=NOW + DAY)
        assert current_rate_set(on=ON) == today
        assert current_rate_set() == tomorrow


@pytest.mark.django_db(transaction=True)
def test_a_verdict_can_be_asked_as_of_a_moment() -> None:
    """In real time: the history's clock is the database's."""
    skill = a_skill()
    rule = {"all": [{"skill": skill.pk}, {"attribute": "country", "op": "eq", "value": "DE"}]}
    before = timezone.now()
    opportunity = a_published_opportunity(rule=rule, now=before)
    candidate = a_candidate(country="DE", skills=[SkillInput(skill.public_id, 3)], languages=[LanguageInput("de", 4)])
    then = timezone.now()
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=CandidateFields(country="FR", skills=[], languages=[LanguageInput("de", 5)]),
        now=timezone.now(),
    )
    candidate.refresh_from_db()

    assert judge_as_of(candidate, opportunity, at=before) is None
    as_it_was = judge_as_of(candidate, opportunity, at=then)
    assert as_it_was is not None
    assert as_it_was.is_eligible
    assert as_it_was.basis.candidate_revision == 1
    as_it_is = judge_as_of(candidate, opportunity, at=timezone.now())
    assert as_it_is == judge(candidate, opportunity, now=timezone.now())
    assert as_it_is is not None
    assert [reason.to_json()["kind"] for reason in as_it_is.failed] == ["SkillMissing", "AttributeFails"]
    known = facts_as_of(candidate.pk, at=then, on=ON, rate_set=None)
    assert known is not None
    assert (known.languages, facts(candidate).languages) == ({"de": 4}, {"de": 5})
