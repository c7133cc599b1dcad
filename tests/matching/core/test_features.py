from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import FEATURES, feature_values

NAMES = {1: "Python", 2: "SQL", 3: "Kafka", 4: "Go", 5: "Git"}
START = date(2030, 3, 1)


def value(feature: str, candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return FEATURES[feature].value(candidate, terms)


def sentence(feature: str, candidate: CandidateFacts, terms: OpportunityTerms) -> str:
    return FEATURES[feature].sentence(candidate, terms, NAMES)


decimals = st.none() | st.decimals(0, 99, places=2)
candidates = st.builds(
    CandidateFacts,
    candidate_id=st.just(1),
    country=st.sampled_from([None, "DE", "FR"]),
    region=st.sampled_from([None, "DE-BE", "DE-BY"]),
    utc_offset_minutes=st.none() | st.integers(-720, 840),
    work_starts_minute=st.none() | st.integers(0, 1439),
    work_ends_minute=st.none() | st.integers(0, 1439),
    years_experience=decimals,
    weekly_hours=st.none() | st.integers(0, 80),
    free_hours=st.none() | st.integers(-10, 80),
    hourly_rate=decimals,
    commitments=st.frozensets(st.sampled_from(["full_time", "part_time"])),
    available_from=st.none() | st.dates(START - timedelta(200), START + timedelta(200)),
    skills=st.dictionaries(st.integers(1, 5), st.builds(SkillFact, level=st.integers(1, 5), years=decimals)),
)
opportunities = st.builds(
    OpportunityTerms,
    opportunity_id=st.just(1),
    commitment=st.sampled_from([None, "full_time"]),
    arrangement=st.sampled_from([None, "onsite", "remote"]),
    weekly_hours=st.none() | st.integers(0, 80),
    years_experience=decimals,
    starts_on=st.none() | st.just(START),
    utc_offset_minutes=st.none() | st.integers(-720, 840),
    allowed_places=st.frozensets(st.sampled_from(["DE", "DE-BE", "FR"])),
    excluded_places=st.frozensets(st.sampled_from(["DE-BY", "FR"])),
    max_hourly_pay=decimals,
    skills=st.lists(
        st.builds(
            SkillTerm,
            skill_id=st.integers(1, 5),
            required=st.booleans(),
            weight=st.integers(1, 10),
            min_level=st.integers(1, 5),
            min_years=decimals,
        ),
        unique_by=lambda term: term.skill_id,
    ).map(tuple),
)


@given(candidates, opportunities)
def test_every_feature_is_an_integer_within_its_range_and_has_a_sentence(candidate, terms):
    for name, thousandths in feature_values(candidate, terms).items():
        assert type(thousandths) is int
        assert 0 <= thousandths <= 1000
        assert FEATURES[name].sentence(candidate, terms, NAMES).strip()


def test_what_nobody_said_is_neutral():
    assert set(feature_values(CandidateFacts(1), OpportunityTerms(1)).values()) == {500}


def test_missing_skills_are_named():
    terms = OpportunityTerms(1, skills=tuple(SkillTerm(skill, required=True) for skill in (1, 2, 3, 4, 5)))
    candidate = CandidateFacts(1, skills={skill: SkillFact(level=3) for skill in (1, 2, 4, 5)})
    assert value("required_skills", candidate, terms) == 800
    assert sentence("required_skills", candidate, terms) == "has 4 of 5 required skills; missing: Kafka"


def test_skills_count_by_weight_level_and_years():
    terms = OpportunityTerms(
        1,
        skills=(
            SkillTerm(1, required=True, weight=3, min_level=4, min_years=Decimal(2)),
            SkillTerm(2, required=True, weight=1),
            SkillTerm(3, required=False),
        ),
    )
    candidate = CandidateFacts(1, skills={1: SkillFact(level=2, years=Decimal(1)), 2: SkillFact(level=1)})
    # Half the level and half the years make a quarter: (3 · 250 + 1 · 1000) ÷ 4.
    assert value("required_skills", candidate, terms) == 437
    assert value("preferred_skills", candidate, terms) == 0
    assert "below what is asked: Python (level 2 of 4, 1 of 2 years)" in sentence("required_skills", candidate, terms)


@given(candidates, opportunities, st.integers(1, 5))
def test_learning_a_skill_never_lowers_coverage(candidate, terms, skill):
    learnt = CandidateFacts(1, skills={**candidate.skills, skill: SkillFact(level=5, years=Decimal(99))})
    before = CandidateFacts(1, skills=candidate.skills)
    for feature in ("required_skills", "preferred_skills"):
        assert value(feature, learnt, terms) >= value(feature, before, terms)


@pytest.mark.parametrize(
    ("feature", "candidate", "terms", "expected"),
    [
        ("experience", {"years_experience": Decimal("2.5")}, {"years_experience": Decimal(5)}, 500),
        ("experience", {"years_experience": Decimal(0)}, {"years_experience": Decimal(0)}, 1000),
        ("pay_fit", {"hourly_rate": Decimal(50)}, {"max_hourly_pay": Decimal(50)}, 1000),
        ("pay_fit", {"hourly_rate": Decimal(50)}, {"max_hourly_pay": Decimal(45)}, 800),
        ("pay_fit", {"hourly_rate": Decimal(50)}, {"max_hourly_pay": Decimal(20)}, 0),
        ("hours_fit", {"weekly_hours": 40, "free_hours": 10}, {"weekly_hours": 20}, 500),
        ("hours_fit", {"weekly_hours": 40}, {"weekly_hours": 20}, 1000),
        ("availability_fit", {"available_from": START}, {"starts_on": START}, 1000),
        ("availability_fit", {"available_from": START + timedelta(45)}, {"starts_on": START}, 500),
        ("availability_fit", {"available_from": START + timedelta(365)}, {"starts_on": START}, 0),
        ("location_fit", {"country": "DE", "region": "DE-BE"}, {"allowed_places": frozenset({"DE"})}, 1000),
        ("location_fit", {"country": "DE", "region": "DE-BY"}, {"allowed_places": frozenset({"DE-BE"})}, 250),
        ("location_fit", {"country": "DE"}, {"allowed_places": frozenset({"DE-BE"})}, 500),
        ("location_fit", {"country": "FR"}, {"allowed_places": frozenset({"DE"})}, 0),
        ("location_fit", {"country": "FR"}, {"excluded_places": frozenset({"FR"}), "arrangement": "remote"}, 0),
        ("location_fit", {}, {"arrangement": "remote"}, 1000),
        ("timezone_fit", {"utc_offset_minutes": 60}, {"utc_offset_minutes": 60}, 1000),
        ("timezone_fit", {"utc_offset_minutes": 300}, {"utc_offset_minutes": 60}, 500),
        ("timezone_fit", {"utc_offset_minutes": 780}, {"utc_offset_minutes": -660}, 1000),
        ("commitment_fit", {"commitments": frozenset({"full_time"})}, {"commitment": "full_time"}, 1000),
        ("commitment_fit", {"commitments": frozenset({"part_time"})}, {"commitment": "full_time"}, 0),
    ],
)
def test_features_grade_what_is_offered_against_what_is_wanted(feature, candidate, terms, expected):
    assert value(feature, CandidateFacts(1, **candidate), OpportunityTerms(1, **terms)) == expected


def test_work_across_midnight_is_compared_with_office_hours_elsewhere():
    night = CandidateFacts(1, utc_offset_minutes=480, work_starts_minute=22 * 60, work_ends_minute=6 * 60)
    assert value("timezone_fit", night, OpportunityTerms(1, utc_offset_minutes=-300)) == 1000
    assert sentence("timezone_fit", night, OpportunityTerms(1, utc_offset_minutes=-300)) == "shares 8 of 8 office hours"
