"""Verdicts: three-valued logic, reasons, questions, disclosure, and the nearest change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Missing,
    Operator,
)
from matching.core.eligibility import Basis, Outcome, Verdict, evaluate, truth
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.names import Names
from matching.core.reasons import (
    AttributeFails,
    Excluded,
    LanguageTooLow,
    NotAuthorised,
    SkillMissing,
    SkillTooLow,
    SkillTooShort,
)
from matching.core.rules import (
    OPEN_TO_ALL,
    All,
    Any,
    AtLeast,
    Compare,
    Disclosure,
    Grounds,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    Not,
    PayCeiling,
    RateWithinPay,
    Vetted,
    criteria,
    load,
    resolved,
)
from tests.conformance.generators import TODAY, WORLD, candidates, rules

NAMES = Names({1: "welding", 2: "soldering"}, {"de": "German"}, {"DE": "Germany"}, {"FR-75C": "Paris"})


def person(**facts) -> CandidateFacts:
    return CandidateFacts(1, **facts)


def judge(rule: object, facts: CandidateFacts, **options) -> Verdict:
    return evaluate(load(rule), facts, on=TODAY, **options)


def compare(name: str, op: str, value: object, **more) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value, **more}


# Laws


@given(rules, candidates)
def test_not_not_is_nothing(rule, facts) -> None:
    assert truth(Not(Not(rule)), facts, on=TODAY) is truth(rule, facts, on=TODAY)


@given(st.lists(rules, min_size=1, max_size=4).map(tuple), candidates)
def test_de_morgan(parts, facts) -> None:
    denied = tuple(map(Not, parts))
    assert truth(Not(All(parts)), facts, on=TODAY) is truth(Any(denied), facts, on=TODAY)
    assert truth(Not(Any(parts)), facts, on=TODAY) is truth(All(denied), facts, on=TODAY)


@given(st.lists(rules, min_size=1, max_size=4).map(tuple), candidates)
def test_all_and_any_are_quorums(parts, facts) -> None:
    assert truth(All(parts), facts, on=TODAY) is truth(AtLeast(len(parts), parts), facts, on=TODAY)
    assert truth(Any(parts), facts, on=TODAY) is truth(AtLeast(1, parts), facts, on=TODAY)


@given(st.lists(rules, min_size=1, max_size=4).map(tuple), st.integers(1, 4), candidates)
def test_not_n_of_k_is_the_rest_denied(parts, n, facts) -> None:
    n = min(n, len(parts))
    rest = AtLeast(len(parts) - n + 1, tuple(map(Not, parts)))
    assert truth(Not(AtLeast(n, parts)), facts, on=TODAY) is truth(rest, facts, on=TODAY)


@given(rules)
def test_an_answer_never_contradicts_what_is_learnt_later(rule) -> None:
    """What is decided while facts are missing stays decided, whichever facts come in."""
    known = person(
        country="DE", region="DE-BE", weekly_hours=20, hourly_rate=Decimal(20), languages={"de": 4},
        skills={1: SkillFact(3, Decimal(2))}, commitments=frozenset({"contract"}), available_from=TODAY,
    )  # fmt: skip
    missing = person(skills={1: SkillFact(3)})
    before = truth(rule, missing, on=TODAY)
    asks_absence = any(isinstance(each, Compare) and each.op == "exists" for each in criteria(rule))
    if before is not None and not asks_absence:
        assert truth(rule, known, on=TODAY) is before


# Verdicts


@given(rules, candidates)
def test_a_verdict_says_what_truth_says_and_why(rule, facts) -> None:
    verdict = evaluate(rule, facts, on=TODAY)
    expected = {True: Outcome.ELIGIBLE, False: Outcome.INELIGIBLE, None: Outcome.UNKNOWN}
    assert verdict.outcome is expected[truth(rule, facts, on=TODAY)]
    assert bool(verdict.failed) is (verdict.outcome is Outcome.INELIGIBLE)
    assert bool(verdict.unknown) is (verdict.outcome is Outcome.UNKNOWN)
    for explanation in (*verdict.failed, *verdict.unknown):
        assert explanation.sentence(NAMES)
        assert "None" not in explanation.sentence(NAMES)
        assert explanation.path.startswith("$")


@given(rules, candidates, st.booleans())
def test_a_verdict_survives_storage(rule, facts, waived) -> None:
    basis = Basis(rule_revision=3, taxonomy_revision=9, exchange_rates=1, candidate_revision=4)
    verdict = evaluate(rule, facts, on=TODAY, waived=waived, basis=basis, nearest=True)
    stored = json.dumps(verdict.to_json(), sort_keys=True)
    assert Verdict.from_json(json.loads(stored)) == verdict
    assert json.dumps(Verdict.from_json(json.loads(stored)).to_json(), sort_keys=True) == stored


def test_a_rule_open_to_all_accepts_whoever_is_unknown_altogether() -> None:
    assert evaluate(OPEN_TO_ALL, person(), on=TODAY).is_eligible


@pytest.mark.parametrize(
    ("rule", "facts", "reason", "sentence"),
    [
        (
            {"skill": 1, "minLevel": 4},
            {"skills": {1: SkillFact(2)}},
            SkillTooLow(path="$", skill_id=1, has=2, needs=4),
            "welding is needed at level 4, not 2.",
        ),
        (
            {"skill": 1, "minLevel": 4},
            {},
            SkillMissing(path="$", skill_id=1, needs=4),
            "welding at level 4 is needed.",
        ),
        (
            {"skill": 1, "minYears": 3},
            {"skills": {1: SkillFact(2, Decimal("1.5"))}},
            SkillTooShort(path="$", skill_id=1, has=Decimal("1.5"), needs=Decimal(3)),
            "welding is needed for 3 years, not 1.5.",
        ),
        (
            {"language": "de", "minLevel": "B2"},
            {"languages": {"de": 2}},
            LanguageTooLow(path="$", language="de", has=2, needs=4),
            "German is needed at B2, not A2.",
        ),
        (
            {"language": "de", "minLevel": "B2"},
            {"languages": {"en": 6}},
            LanguageTooLow(path="$", language="de", has=None, needs=4),
            "German is needed at B2.",
        ),
        (
            {"workAuthorisation": "DE"},
            {"work_authorisations": {"DE": date(2026, 6, 14)}},
            NotAuthorised(path="$", country="DE", expired_on=date(2026, 6, 14)),
            "The authorisation to work in Germany ended on 2026-06-14.",
        ),
        (
            {"workAuthorisation": "DE"},
            {"work_authorisations": {"FR": None}},
            NotAuthorised(path="$", country="DE", expired_on=None),
            "An authorisation to work in Germany is needed.",
        ),
        (
            compare("hourly_rate", "lte", 49.5),
            {"hourly_rate": Decimal("50.0000")},
            AttributeFails(path="$", attribute="hourly_rate", op="lte", has=Decimal(50), needs=Decimal("49.5")),
            "rate asked must be at most 49.5 EUR an hour, not 50.",
        ),
        (
            {"not": compare("groups", "eq", 3)},
            {"groups": frozenset({3})},
            Excluded(path="$.not", criterion=Compare("groups", "eq", 3)),
            "Needed: group not one of the organisation's own.",
        ),
    ],
)
def test_a_failed_criterion_says_what_one_has_and_what_is_asked(rule, facts, reason, sentence) -> None:
    verdict = judge(rule, person(**facts))
    assert verdict.outcome is Outcome.INELIGIBLE
    assert verdict.failed == (reason,)
    assert reason.sentence(NAMES) == sentence


KINDS = {1: (2, 3)}
OFFICE = {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}}
BANDS = (PayCeiling("", Decimal(40)), PayCeiling("DE", Decimal(50)), PayCeiling("DE-BE", Decimal("60.5")))


def judge_resolved(rule: object, facts: CandidateFacts, *, ceilings=BANDS, narrower=KINDS, **options) -> Verdict:
    return evaluate(resolved(load(rule), Grounds(narrower=narrower, ceilings=ceilings)), facts, on=TODAY, **options)


@pytest.mark.parametrize(
    ("rule", "facts", "sentences"),
    [
        (
            {"skill": 1, "usedWithinMonths": 12},
            {"skills": {1: SkillFact(3, None, date(2025, 6, 14))}},
            ["welding must have been used since 2025-06-15, and was last used on 2025-06-14."],
        ),
        (
            {"skill": 1, "minLevel": 4, "minYears": 3, "usedWithinMonths": 12},
            {"skills": {1: SkillFact(2, Decimal(1), date(2020, 1, 1))}},
            [
                "welding is needed at level 4, not 2.",
                "welding is needed for 3 years, not 1.",
                "welding must have been used since 2025-06-15, and was last used on 2020-01-01.",
            ],
        ),
        (
            {"skill": 1, "minLevel": 4, "narrower": True},
            {"skills": {2: SkillFact(3), 3: SkillFact(1)}},
            ["soldering, which counts as welding, is needed at level 4, not 3."],
        ),
        ({"skill": 1, "minLevel": 4, "narrower": True}, {}, ["welding or a narrower skill at level 4 is needed."]),
        (
            {"livesIn": ["DE", "FR-75C"]},
            {"country": "PL"},
            ["Residence in Germany or Paris (FR-75C) is needed, not in PL."],
        ),
        (
            {"livesIn": ["DE-BE"]},
            {"country": "DE", "region": "DE-BY"},
            ["Residence in DE-BE is needed, not in DE-BY."],
        ),
        (
            OFFICE,
            {"work_starts_minute": 840, "work_ends_minute": 1260, "utc_offset_minutes": 120},
            ["Work for 4 hours on end between 09:00 and 17:00 Europe/Berlin is needed, not 3 hours."],
        ),
        (
            OFFICE,
            {"work_starts_minute": 0, "work_ends_minute": 300, "utc_offset_minutes": 120},
            ["Work for 4 hours on end between 09:00 and 17:00 Europe/Berlin is needed, and none is shared."],
        ),
        (
            {"rateWithinPay": True},
            {"hourly_rate": Decimal(61), "country": "DE", "region": "DE-BE"},
            ["At most 60.5 EUR an hour is paid, and 61 is asked."],
        ),
        ({"vetted": "background"}, {"vetting": {"background": VettingFact(False)}}, [
            "The background check was not passed."
        ]),
        (
            {"vetted": "right_to_work"},
            {"vetting": {"right_to_work": VettingFact(True, date(2026, 6, 14))}},
            ["The right to work check ran out on 2026-06-14."],
        ),
        (
            {"not": {"livesIn": ["DE"]}},
            {"country": "DE"},
            ["Needed: does not live in Germany."],
        ),
    ],
)  # fmt: skip
def test_each_kind_of_criterion_says_what_one_has_and_what_is_asked(rule, facts, sentences) -> None:
    verdict = judge_resolved(rule, person(**facts))
    assert [reason.sentence(NAMES) for reason in verdict.failed] == sentences
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_pay_that_is_stated_for_no_place_or_another_is_said_so() -> None:
    pay = {"rateWithinPay": True}
    nowhere = judge_resolved(pay, person(), ceilings=())
    elsewhere = judge_resolved(pay, person(country="DE"), ceilings=(PayCeiling("PL", Decimal(9)),))
    assert [reason.sentence(NAMES) for reason in nowhere.failed] == ["No pay is stated."]
    assert [reason.sentence(NAMES) for reason in elsewhere.failed] == ["No pay is stated for Germany."]


def test_of_several_skills_that_count_the_one_that_came_nearest_is_named() -> None:
    rule = {"skill": 1, "minLevel": 3, "minYears": 2, "narrower": True}
    skills = {1: SkillFact(1, Decimal(0)), 2: SkillFact(2, Decimal(1)), 3: SkillFact(5, Decimal("1.5"))}
    (reason,) = judge_resolved(rule, person(skills=skills)).failed
    assert reason == SkillTooShort(path="$", skill_id=3, counts_as=1, has=Decimal("1.5"), needs=Decimal(2))
    assert reason.skill_ids == (3, 1)


def test_a_verdict_stored_before_criteria_were_counted_can_be_read() -> None:
    stored = judge({"skill": 1}, person(), nearest=True).to_json()
    del stored["openness"]
    for change in stored["nearest"]["changes"]:
        del change["has_used_on"], change["becomes_used_on"]
    again = Verdict.from_json(stored)
    assert again.disclosed_to(Disclosure.STAFF).failed[0].path == "$"
    assert again.disclosed_to(Disclosure.PUBLIC).failed[0].path == ""


def test_every_failed_criterion_is_named_and_none_that_held() -> None:
    rule = {"all": [compare("country", "eq", "DE"), {"any": [{"skill": 1}, {"skill": 2}]}, {"not": {"skill": 3}}]}
    verdict = judge(rule, person(country="DE", skills={3: SkillFact(1)}))
    assert [reason.path for reason in verdict.failed] == ["$.all[1].any[0]", "$.all[1].any[1]", "$.all[2].not"]


def test_an_unknown_verdict_asks_each_question_once() -> None:
    rule = {
        "all": [
            {"language": "de", "minLevel": "B1"},
            {"language": "en", "minLevel": "B2"},
            compare("weekly_hours", "gte", 20),
            compare("weekly_hours", "lte", 40),
            {"skill": 1, "minYears": 2},
        ]
    }
    verdict = judge(rule, person(skills={1: SkillFact(3)}))
    assert verdict.outcome is Outcome.UNKNOWN
    assert [question.sentence(NAMES) for question in verdict.unknown] == [
        "Which languages do you speak, and how well?",
        "How many hours a week do you want to work?",
        "How many years have you practised welding?",
    ]


def asks(rule: object, facts: CandidateFacts, **options) -> list[str]:
    return [question.sentence(NAMES) for question in judge_resolved(rule, facts, **options).unknown]


def test_a_skill_question_asks_what_is_missing() -> None:
    both = {"skill": 1, "minYears": 2, "usedWithinMonths": 12}
    years, use = "How many years have you practised welding?", "When did you last use welding?"
    whole = "How many years have you practised welding, and when did you last?"
    assert asks(both, person(skills={1: SkillFact(3)})) == [whole]
    assert asks(both, person(skills={1: SkillFact(3, Decimal(2))})) == [use]
    assert asks(both, person(skills={1: SkillFact(3, None, TODAY)})) == [years]
    parts = [{"skill": 1, "minYears": 2}, {"skill": 1, "usedWithinMonths": 12}]
    assert asks({"all": parts}, person(skills={1: SkillFact(3)})) == [whole]
    assert asks({"skill": 1, "minYears": 2, "narrower": True}, person(skills={1: SkillFact(1), 2: SkillFact(1)})) == [
        years,
        "How many years have you practised soldering?",
    ]


def test_a_place_question_asks_for_the_part_that_is_missing() -> None:
    country, region = ATTRIBUTES["country"].question, ATTRIBUTES["region"].question
    both = PLACE.question
    assert asks({"livesIn": ["DE-BE"]}, person(country="DE")) == [region]
    assert asks({"livesIn": ["DE-BE"]}, person()) == [both]
    assert asks({"livesIn": ["DE"]}, person()) == [country]
    every = {"all": [compare("country", "eq", "DE"), {"livesIn": ["DE-BE"]}, compare("region", "eq", "DE-BE")]}
    assert asks(every, person()) == [both]


def test_a_pay_question_asks_for_the_rate_or_the_place() -> None:
    rate, region = ATTRIBUTES["hourly_rate"].question, ATTRIBUTES["region"].question
    pay = {"rateWithinPay": True}
    assert asks(pay, person(country="PL")) == [rate]
    assert asks(pay, person(country="DE", hourly_rate=Decimal(55))) == [region]
    assert asks(pay, person(country="DE")) == [rate, region]
    assert asks(pay, person()) == [rate, PLACE.question]
    assert asks({"all": [pay, compare("hourly_rate", "lte", 90)]}, person(country="PL")) == [rate]


def test_facts_that_follow_from_one_another_are_asked_once() -> None:
    hours = {"all": [compare("free_hours", "gte", 20), compare("weekly_hours", "gte", 30)]}
    assert asks(hours, person()) == [ATTRIBUTES["weekly_hours"].question]
    clock = {"all": [compare("utc_offset_minutes", "gte", 0), compare("timezone", "eq", "UTC"), OFFICE]}
    assert asks(clock, person()) == [WORKING_HOURS.question]
    assert asks(OFFICE, person(work_starts_minute=540, work_ends_minute=1020)) == [ATTRIBUTES["timezone"].question]


def test_a_question_that_is_not_the_candidates_to_answer_says_so() -> None:
    verdict = judge({"all": [{"vetted": "background"}, compare("weekly_hours", "gte", 20)]}, person())
    assert [(question.subject, question.key, question.asked_of_candidate) for question in verdict.unknown] == [
        ("vetted", "background", False),
        ("weekly_hours", None, True),
    ]
    assert verdict.unknown[0].sentence(NAMES) == "The background check has no result yet."


@given(rules, candidates)
def test_answering_all_questions_settles_a_verdict_or_refuses_it(rule, facts) -> None:
    """Whatever is open is asked for: with every missing fact filled in, nothing stays unknown that was not asked."""
    verdict = evaluate(rule, facts, on=TODAY)
    if verdict.outcome is not Outcome.UNKNOWN:
        return
    answered = facts
    for question in verdict.unknown:
        answered = answer(answered, question.subject, question.key)
    again = evaluate(rule, answered, on=TODAY)
    before = {(question.subject, question.key) for question in verdict.unknown}
    assert not before & {(question.subject, question.key) for question in again.unknown}


def answer(facts: CandidateFacts, subject: str, key) -> CandidateFacts:
    match subject:
        case "skill":
            skill = facts.skills[key]
            used = skill.last_used_on or TODAY
            return replace(facts, skills={**facts.skills, key: SkillFact(skill.level, skill.years or Decimal(3), used)})
        case "language":
            return replace(facts, languages={"de": 4})
        case "workAuthorisation":
            return replace(facts, work_authorisations={"DE": None})
        case "livesIn":
            return replace(facts, country="DE", region="DE-BE")
        case "hoursOverlap":
            return replace(facts, work_starts_minute=540, work_ends_minute=1020, utc_offset_minutes=60, timezone="UTC")
        case "vetted":
            return replace(facts, vetting={**facts.vetting, key: VettingFact(True)})
        case "timezone":
            return replace(facts, timezone="UTC", utc_offset_minutes=0)
        case "weekly_hours":
            return replace(facts, weekly_hours=30, free_hours=30)
        case "commitments":
            return replace(facts, commitments=frozenset({"contract"}))
    return replace(facts, **{ATTRIBUTES[subject].fact: WORLD[subject][0]})


def test_a_waiver_lets_a_person_in_and_keeps_the_reasons() -> None:
    verdict = judge({"skill": 1}, person(), waived=True)
    assert verdict.is_eligible
    assert verdict.waived
    assert verdict.failed == (SkillMissing(path="$", skill_id=1, needs=1),)


def test_a_verdict_names_the_revision_of_the_facts_it_read() -> None:
    assert evaluate(OPEN_TO_ALL, CandidateFacts(1, revision=7), on=TODAY).basis == Basis(candidate_revision=7)


@pytest.mark.parametrize(
    ("structure", "criterion"),
    [
        (SKILL, HasSkill(1)),
        (LANGUAGE, HasLanguage("de")),
        (WORK_AUTHORISATION, MayWorkIn("DE")),
        (PLACE, LivesIn(("DE",))),
        (WORKING_HOURS, HoursOverlap(60, "UTC", 540, 1020)),
        (PAY, RateWithinPay(ceilings=(PayCeiling("", Decimal(20)),))),
        (VETTING, Vetted("background")),
    ],
)
def test_a_missing_fact_means_what_its_declaration_says(structure, criterion) -> None:
    expected = None if structure.missing is Missing.UNKNOWN else False
    assert truth(criterion, person(), on=TODAY) is expected


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=lambda attribute: attribute.name)
def test_a_missing_attribute_means_what_its_declaration_says(attribute) -> None:
    criterion = Compare(attribute.name, Operator.EQ, WORLD[attribute.name][0])
    expected = None if attribute.missing is Missing.UNKNOWN else False
    assert truth(criterion, person(), on=TODAY) is expected
    assert bool(attribute.question) is (attribute.missing is Missing.UNKNOWN)
