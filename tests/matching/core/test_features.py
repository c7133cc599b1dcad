from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.facts import HUNG, CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import FEATURES, RequiredSkills, Shape, feature_values, skills_told_of

NAMES = {1: "Python", 2: "SQL", 3: "Kafka", 4: "Go", 5: "Git", 7: "RabbitMQ"}
START = date(2030, 3, 1)


def value(feature: str, candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return FEATURES[feature].value(candidate, terms)


def sentence(feature: str, candidate: CandidateFacts, terms: OpportunityTerms) -> str:
    return FEATURES[feature].sentence(candidate, terms, NAMES)


days = st.dates(date(2000, 1, 1), date(2060, 1, 1))
words = st.frozensets(st.sampled_from(["senior", "data", "engineer", "nurse"]))
counts = st.integers(0, 50)
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
    skills=st.dictionaries(
        st.integers(1, 9),
        st.builds(SkillFact, level=st.integers(1, 5), years=decimals, last_used_on=st.none() | days),
    ),
    title_words=words,
    occupations=st.frozensets(st.integers(1, 3)),
    mentioned_skills=st.frozensets(st.integers(1, 9)),
    worked_for=st.frozensets(st.integers(1, 3)),
    invitations_answered=counts,
    invitations_received=counts,
    offers_accepted=counts,
    offers_decided=counts,
    placements_completed=counts,
    placements_over=counts,
    last_active_on=st.none() | days,
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
            near=st.lists(st.tuples(st.integers(6, 9), st.integers(1, 800)), max_size=4).map(tuple),
        ),
        unique_by=lambda term: term.skill_id,
    ).map(tuple),
    on=st.none() | days,
    title_words=words,
    occupation=st.none() | st.integers(1, 3),
    described_skills=st.frozensets(st.integers(6, 9)),
    organisations=st.frozensets(st.integers(1, 3)),
)


@given(candidates, opportunities)
def test_every_feature_is_an_integer_within_its_range_and_has_a_sentence(candidate, terms):
    for name, thousandths in feature_values(candidate, terms).items():
        assert type(thousandths) is int
        assert 0 <= FEATURES[name].least <= thousandths <= FEATURES[name].most <= 1000
        assert FEATURES[name].sentence(candidate, terms, NAMES).strip()


HISTORY = {"response_rate": 500, "acceptance_rate": 700, "completion_rate": 850}


def test_what_nobody_said_is_neutral_and_no_history_is_a_usual_one():
    found = feature_values(CandidateFacts(1), OpportunityTerms(1))
    assert found == dict.fromkeys(FEATURES, 500) | HISTORY


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


SKILLED = ("required_skills", "preferred_skills", "near_skills", "text_affinity")


@given(candidates, opportunities, st.integers(1, 9))
def test_learning_a_skill_never_lowers_what_skills_count(candidate, terms, skill):
    learnt = replace(candidate, skills={**candidate.skills, skill: SkillFact(level=5, years=Decimal(99))})
    for feature in SKILLED:
        assert value(feature, learnt, terms) >= value(feature, candidate, terms)


@given(candidates, opportunities, st.integers(1, 9), st.data())
def test_more_of_a_skill_never_lowers_what_skills_count(candidate, terms, skill, data):
    fact = candidate.skills.get(skill, SkillFact(1, Decimal(1), date(2020, 1, 1)))
    more = SkillFact(
        data.draw(st.integers(fact.level, 5)),
        None if fact.years is None else fact.years + data.draw(st.integers(0, 9)),
        None if fact.last_used_on is None else fact.last_used_on + timedelta(data.draw(st.integers(0, 5000))),
    )
    before, after = (replace(candidate, skills={**candidate.skills, skill: one}) for one in (fact, more))
    for feature in SKILLED:
        assert value(feature, after, terms) >= value(feature, before, terms)


@given(candidates, opportunities, st.integers(1, 9))
def test_mentioning_a_skill_never_lowers_anything(candidate, terms, skill):
    mentioning = replace(candidate, mentioned_skills=candidate.mentioned_skills | {skill})
    before, after = feature_values(candidate, terms), feature_values(mentioning, terms)
    assert all(after[name] >= before[name] for name in FEATURES)


RATES = {
    "response_rate": ("invitations_answered", "invitations_received"),
    "acceptance_rate": ("offers_accepted", "offers_decided"),
    "completion_rate": ("placements_completed", "placements_over"),
}


@pytest.mark.parametrize("feature", RATES)
@given(counts, counts)
def test_one_more_success_never_lowers_a_rate_and_one_more_failure_never_raises_it(feature, successes, failures):
    def rate(successes, failures):
        return value(
            feature,
            CandidateFacts(1, **dict(zip(RATES[feature], (successes, successes + failures), strict=True))),
            OpportunityTerms(1),
        )

    assert rate(successes, failures + 1) <= rate(successes, failures) <= rate(successes + 1, failures)
    if successes + failures == 0:
        assert rate(successes, failures) == HISTORY[feature]


@pytest.mark.parametrize(
    ("feature", "successes", "cases", "expected"),
    [
        ("response_rate", 1, 1, 600),  # one answer is no certainty …
        ("response_rate", 0, 1, 400),  # … and one silence no verdict
        ("response_rate", 96, 96, 980),
        ("acceptance_rate", 0, 4, 350),
        ("acceptance_rate", 3, 3, 828),
        ("completion_rate", 6, 6, 940),
        ("completion_rate", 0, 1, 680),
        ("completion_rate", 9, 3, 914),  # more successes than cases are as many
    ],
)
def test_rates_are_drawn_towards_what_is_usual(feature, successes, cases, expected):
    candidate = CandidateFacts(1, **dict(zip(RATES[feature], (successes, cases), strict=True)))
    assert value(feature, candidate, OpportunityTerms(1)) == expected


@given(opportunities, opportunities)
def test_history_counts_the_same_wherever_it_is_asked(terms, other):
    candidate = CandidateFacts(1, invitations_answered=3, invitations_received=4, offers_decided=2, placements_over=1)
    assert all(value(rate, candidate, terms) == value(rate, candidate, other) for rate in RATES)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-9, 1000), (0, 1000), (749, 1000), (750, 995), (50 * 30, 870), (124 * 30, 500), (20_000, 500)],
)
def test_a_skill_fades_slowly_once_it_has_not_been_used_for_two_years(days, expected):
    candidate = CandidateFacts(1, skills={3: SkillFact(3, None, START - timedelta(days))})
    terms = OpportunityTerms(1, skills=(SkillTerm(3, required=True),), on=START)
    assert value("required_skills", candidate, terms) == expected
    if expected < 1000:
        year = (START - timedelta(days)).year
        assert f"below what is asked: Kafka (last used in {year})" in sentence("required_skills", candidate, terms)


def test_when_a_skill_was_used_counts_only_from_a_day():
    candidate = CandidateFacts(1, skills={3: SkillFact(3, None, date(1990, 1, 1))})
    assert value("required_skills", candidate, OpportunityTerms(1, skills=(SkillTerm(3, required=True),))) == 1000


KAFKA = SkillTerm(3, required=True, weight=3, near=((6, 800), (7, 600), (8, 400)))
GO = SkillTerm(4, required=False, weight=1)


@pytest.mark.parametrize(
    ("skills", "mentioned", "expected", "told"),
    [
        ((3, 4), (), 1000, "has every skill that is asked for"),
        ((), (), 0, "has nothing near to Kafka, Go"),
        ((7, 4), (), 700, "missing Kafka, but has RabbitMQ, which is near"),
        ((7, 8, 4), (), 700, "missing Kafka, but has RabbitMQ, which is near"),
        ((4,), (3,), 850, "mentions Kafka without declaring it"),
        ((), (7,), 360, "missing Kafka, but mentions RabbitMQ, which is near; has nothing near to Go"),
        ((8,), (6,), 480, "missing Kafka, but mentions skill 6, which is near; has nothing near to Go"),
        ((6,), (3,), 600, "mentions Kafka without declaring it; has nothing near to Go"),
    ],
)
def test_near_skills_count_by_their_closeness(skills, mentioned, expected, told):
    candidate = CandidateFacts(1, skills={key: SkillFact(1) for key in skills}, mentioned_skills=frozenset(mentioned))
    terms = OpportunityTerms(1, skills=(KAFKA, GO))
    assert value("near_skills", candidate, terms) == expected
    assert sentence("near_skills", candidate, terms) == told
    assert skills_told_of(candidate, terms, FEATURES) >= {3, 4}


TITLE = frozenset({"senior", "data", "engineer"})


@pytest.mark.parametrize(
    ("candidate", "terms", "expected", "told"),
    [
        ({}, {"title_words": TITLE}, 500, "what they worked as is not known"),
        ({"title_words": TITLE}, {}, 500, "the title says nothing to compare"),
        ({"title_words": frozenset({"nurse"})}, {"title_words": TITLE}, 0, "their titles have no word of this one"),
        (
            {"title_words": frozenset({"data", "engineer", "nurse"})},
            {"title_words": TITLE},
            666,
            "their titles share 2 of the 3 words of this one: data, engineer",
        ),
        ({"occupations": frozenset({1, 2})}, {"occupation": 2}, 1000, "has worked in this occupation"),
        ({"occupations": frozenset({1})}, {"occupation": 2}, 0, "has worked in other occupations"),
        (
            {"occupations": frozenset({1})},
            {"occupation": 2, "title_words": TITLE},
            0,
            "has worked in other occupations",
        ),
        ({"occupations": frozenset({1})}, {"title_words": TITLE}, 500, "their titles are not known"),
        (
            {"occupations": frozenset({1}), "title_words": TITLE},
            {"occupation": 2, "title_words": TITLE},
            1000,
            "their titles share 3 of the 3 words of this one: data, engineer, senior",
        ),
    ],
)
def test_titles_and_occupations_are_compared(candidate, terms, expected, told):
    pair = CandidateFacts(1, **candidate), OpportunityTerms(1, **terms)
    assert value("title_affinity", *pair) == expected
    assert sentence("title_affinity", *pair) == told


def test_skills_of_the_description_are_met_by_declared_and_by_mentioned_ones():
    terms = OpportunityTerms(1, described_skills=frozenset({1, 2, 3}))
    candidate = CandidateFacts(1, skills={1: SkillFact(1)}, mentioned_skills=frozenset({2, 9}))
    assert value("text_affinity", candidate, terms) == 666
    assert (
        sentence("text_affinity", candidate, terms) == "has or mentions 2 of 3 skills in the description: Python, SQL"
    )
    assert skills_told_of(candidate, terms, FEATURES) == {1, 2}
    assert value("text_affinity", CandidateFacts(1), terms) == 0
    assert sentence("text_affinity", CandidateFacts(1), terms) == "has or mentions 0 of 3 skills in the description"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, "no years of experience are asked for"),
        (Decimal(0), "no years of experience are asked for"),
        (Decimal(3), "has 6.9 of 3 years of experience asked for"),
    ],
)
def test_who_asks_for_no_years_is_not_told_of_so_many_of_none(asked, told):
    candidate = CandidateFacts(1, years_experience=Decimal("6.9"))
    assert sentence("experience", candidate, OpportunityTerms(1, years_experience=asked)) == told


def test_a_sentence_about_a_long_description_stays_short():
    terms = OpportunityTerms(1, described_skills=frozenset(range(1, 40)))
    candidate = CandidateFacts(1, mentioned_skills=frozenset(range(1, 9)))
    assert sentence("text_affinity", candidate, terms).endswith(" and 3 more")


def test_past_work_counts_for_those_who_finished_it_and_against_nobody():
    terms = OpportunityTerms(1, organisations=frozenset({1, 2}))
    known, stranger = CandidateFacts(1, worked_for=frozenset({2, 7})), CandidateFacts(1, worked_for=frozenset({7}))
    assert (value("past_work", known, terms), value("past_work", stranger, terms)) == (1000, 500)
    assert sentence("past_work", known, terms) == "has completed a placement with this organisation"
    assert sentence("past_work", stranger, terms) == "has not worked for this organisation through us"


@pytest.mark.parametrize(
    ("days", "expected", "told"),
    [
        (-1, 1000, "was active within a month"),
        (29, 1000, "was active within a month"),
        (30, 950, "was last active 1 month ago"),
        (300, 500, "was last active 10 months ago"),
        (9000, 0, "was last active 300 months ago"),
    ],
)
def test_who_was_active_lately_counts_more(days, expected, told):
    pair = CandidateFacts(1, last_active_on=START - timedelta(days)), OpportunityTerms(1, on=START)
    assert value("activity", *pair) == expected
    assert sentence("activity", *pair) == told


def test_fit_weighs_neither_wishes_nor_habits():
    not_of_fit = {name for name, feature in FEATURES.items() if "fit" not in feature.heads}
    assert not_of_fit == {"pay_fit", "commitment_fit", "response_rate", "acceptance_rate", "activity"}


def test_history_is_told_in_cases():
    candidate = CandidateFacts(
        1, invitations_answered=4, invitations_received=5, offers_accepted=1, offers_decided=1, placements_over=2
    )
    assert [sentence(rate, candidate, OpportunityTerms(1)) for rate in RATES] == [
        "answered 4 of 5 invitations",
        "accepted 1 of 1 offer",
        "completed 0 of 2 placements",
    ]
    assert [sentence(rate, CandidateFacts(1), OpportunityTerms(1)) for rate in RATES] == [
        "has not had an invitation to answer before",
        "has not had an offer to decide on before",
        "has not had a placement that is over",
    ]


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


@pytest.mark.parametrize("name", FEATURES)
@given(candidate=candidates, terms=opportunities)
def test_a_feature_reads_no_more_than_it_declares(name: str, candidate: CandidateFacts, terms: OpportunityTerms):
    read = (CandidateFacts.__dataclass_fields__.keys() - HUNG) | set(FEATURES[name].reads)
    bare = CandidateFacts.of_some(candidate.candidate_id, {fact: getattr(candidate, fact) for fact in read})
    assert value(name, bare, terms) == value(name, candidate, terms)
    assert sentence(name, bare, terms) == sentence(name, candidate, terms)


@given(candidates, opportunities)
def test_skills_that_are_told_of_are_those_that_sentences_may_name(candidate, terms):
    asked = {term.skill_id for term in terms.skills}
    assert skills_told_of(candidate, terms, {"required_skills"}) == asked
    near = skills_told_of(candidate, terms, {"near_skills"})
    described = skills_told_of(candidate, terms, {"text_affinity"})
    assert near | described == skills_told_of(candidate, terms, FEATURES)
    assert asked <= near & described


@given(candidates, st.lists(opportunities, max_size=5))
def test_required_skills_are_worth_the_same_to_whoever_is_held_against_many(candidate, asked):
    credits: dict[Shape, int] = {}
    for terms in (replace(each, on=START) for each in asked):
        assert RequiredSkills(terms).value(candidate, credits) == value("required_skills", candidate, terms)
