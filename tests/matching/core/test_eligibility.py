"""Verdicts: three-valued logic, reasons, questions, disclosure, and the nearest change."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.core.attributes import ATTRIBUTES, LANGUAGE, SKILL, WORK_AUTHORISATION, Missing, Operator
from matching.core.eligibility import Basis, Outcome, Verdict, evaluate, nearest_change, truth
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.nearest import with_change
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
    HasLanguage,
    HasSkill,
    MayWorkIn,
    Not,
    criteria,
    load,
)
from tests.conformance.generators import TODAY, WORLD, candidates, rules

NAMES = {1: "welding", 2: "soldering"}


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
            "language de is needed at B2, not A2.",
        ),
        (
            {"language": "de", "minLevel": "B2"},
            {"languages": {"en": 6}},
            LanguageTooLow(path="$", language="de", has=None, needs=4),
            "language de is needed at B2.",
        ),
        (
            {"workAuthorisation": "DE"},
            {"work_authorisations": {"DE": date(2026, 6, 14)}},
            NotAuthorised(path="$", country="DE", expired_on=date(2026, 6, 14)),
            "The authorisation to work in DE ended on 2026-06-14.",
        ),
        (
            {"workAuthorisation": "DE"},
            {"work_authorisations": {"FR": None}},
            NotAuthorised(path="$", country="DE", expired_on=None),
            "An authorisation to work in DE is needed.",
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
            "Must be: not group one of the organisation's own.",
        ),
    ],
)
def test_a_failed_criterion_says_what_one_has_and_what_is_asked(rule, facts, reason, sentence) -> None:
    verdict = judge(rule, person(**facts))
    assert verdict.outcome is Outcome.INELIGIBLE
    assert verdict.failed == (reason,)
    assert reason.sentence(NAMES) == sentence


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


def test_a_waiver_lets_a_person_in_and_keeps_the_reasons() -> None:
    verdict = judge({"skill": 1}, person(), waived=True)
    assert verdict.is_eligible
    assert verdict.waived
    assert verdict.failed == (SkillMissing(path="$", skill_id=1, needs=1),)


def test_a_verdict_names_the_revision_of_the_facts_it_read() -> None:
    assert evaluate(OPEN_TO_ALL, CandidateFacts(1, revision=7), on=TODAY).basis == Basis(candidate_revision=7)


# Disclosure

HIDDEN = compare("weekly_hours", "gte", 30, disclosure="staff")
INTERNAL = {"skill": 1, "minLevel": 3, "disclosure": "organisation"}


def test_each_audience_sees_its_own_reasons() -> None:
    verdict = judge({"all": [HIDDEN, INTERNAL, {"skill": 2}]}, person(weekly_hours=10), nearest=True)
    seen = {audience: len(verdict.disclosed_to(audience).failed) for audience in Disclosure}
    assert seen == {Disclosure.PUBLIC: 1, Disclosure.ORGANISATION: 2, Disclosure.STAFF: 3}
    assert verdict.disclosed_to(Disclosure.PUBLIC).outcome is Outcome.INELIGIBLE


def test_a_nearest_change_that_would_betray_a_hidden_criterion_is_kept_back() -> None:
    verdict = judge({"all": [HIDDEN, {"skill": 2}]}, person(weekly_hours=10), nearest=True)
    assert verdict.nearest
    assert verdict.disclosed_to(Disclosure.PUBLIC).nearest is None
    assert verdict.disclosed_to(Disclosure.STAFF).nearest == verdict.nearest


def test_a_public_bound_does_not_betray_a_hidden_one_on_the_same_fact() -> None:
    rule = {"all": [compare("weekly_hours", "gte", 20), HIDDEN]}
    verdict = judge(rule, person(weekly_hours=10), nearest=True)
    assert verdict.nearest.changes[0].becomes == 30
    assert verdict.disclosed_to(Disclosure.PUBLIC).nearest is None


def test_a_question_of_a_hidden_criterion_is_asked_without_naming_it() -> None:
    (question,) = judge(HIDDEN, person()).disclosed_to(Disclosure.PUBLIC).unknown
    assert question.path == ""
    assert question.question == ATTRIBUTES["weekly_hours"].question
    assert "30" not in json.dumps(question.to_json())


# Nearest change


def nearest(rule: object, **facts) -> list[tuple[str, object]] | None:
    found = nearest_change(load(rule), person(**facts), on=TODAY)
    return None if found is None else [(change.subject, change.becomes) for change in found.changes]


def test_the_nearest_change_is_the_smallest_set() -> None:
    rule = {
        "any": [
            {"all": [compare("weekly_hours", "gte", 30), compare("hourly_rate", "lte", 40)]},
            {"all": [compare("weekly_hours", "gte", 20), {"skill": 1, "minLevel": 2}]},
        ]
    }
    assert nearest(rule, weekly_hours=20, hourly_rate=Decimal(60)) == [("skill", 2)]
    assert nearest(rule, weekly_hours=20, hourly_rate=Decimal(40)) == [("weekly_hours", 30)]


def test_the_nearest_change_moves_a_fact_no_further_than_needed() -> None:
    assert nearest(compare("weekly_hours", "gt", 30), weekly_hours=20) == [("weekly_hours", 31)]
    assert nearest(compare("hourly_rate", "lt", 50), hourly_rate=Decimal(60)) == [("hourly_rate", Decimal("49.99"))]
    assert nearest(compare("weekly_hours", "between", [20, 30]), weekly_hours=40) == [("weekly_hours", 30)]
    assert nearest({"not": compare("weekly_hours", "between", [20, 30])}, weekly_hours=28) == [("weekly_hours", 31)]


def test_a_change_that_breaks_another_criterion_is_not_offered() -> None:
    rule = {"all": [compare("weekly_hours", "gte", 30), {"not": compare("weekly_hours", "eq", 30)}]}
    assert nearest(rule, weekly_hours=20) == [("weekly_hours", 31)]


def test_nobody_is_told_to_change_their_country() -> None:
    assert nearest(compare("country", "eq", "DE"), country="PL") is None
    assert nearest({"all": [compare("country", "eq", "DE"), {"skill": 1}]}, country="PL") is None
    assert nearest({"any": [compare("country", "eq", "DE"), {"skill": 1}]}, country="PL") == [("skill", 1)]
    assert nearest({"workAuthorisation": "DE"}, work_authorisations={"FR": None}) is None


def test_skills_are_learnt_and_never_unlearnt() -> None:
    assert nearest({"not": {"skill": 1}}, skills={1: SkillFact(3)}) is None


def test_a_kind_of_engagement_can_be_added() -> None:
    rule = compare("commitments", "eq", "contract")
    assert nearest(rule, commitments=frozenset({"full_time"})) == [
        ("commitments", frozenset({"contract", "full_time"}))
    ]


def test_a_change_that_leaves_a_question_open_says_so() -> None:
    rule = load({"all": [{"skill": 1}, compare("weekly_hours", "gte", 20)]})
    found = nearest_change(rule, person(), on=TODAY)
    assert [change.subject for change in found.changes] == ["skill"]
    assert not found.settles
    assert nearest_change(rule, person(weekly_hours=30), on=TODAY).settles


def test_a_change_reads_as_a_sentence() -> None:
    rule = load({"all": [{"skill": 1, "minLevel": 4, "minYears": 2}, compare("weekly_hours", "gte", 20)]})
    facts = person(weekly_hours=10, skills={1: SkillFact(2, Decimal(1))})
    found = nearest_change(rule, facts, on=TODAY)
    assert found.sentence(NAMES) == (
        "welding at level 4 with 2 years instead of level 2; hours wanted 20 hours a week instead of 10"
    )


@settings(max_examples=200, deadline=None)
@given(rules, candidates)
def test_making_the_nearest_change_turns_the_refusal_round(rule, facts) -> None:
    found = nearest_change(rule, facts, on=TODAY)
    if truth(rule, facts, on=TODAY) is not False:
        assert found is None
    if found is None:
        return
    changed = facts
    for change in found.changes:
        assert change.subject in {"skill", "language"} or ATTRIBUTES[change.subject].changeable
        changed = with_change(changed, change)
    assert truth(rule, changed, on=TODAY) is (True if found.settles else None)


@settings(max_examples=200, deadline=None)
@given(rules, candidates)
def test_no_part_of_the_nearest_change_can_be_left_out(rule, facts) -> None:
    found = nearest_change(rule, facts, on=TODAY)
    for left_out in found.changes if found else ():
        changed = facts
        for change in found.changes:
            if change is not left_out:
                changed = with_change(changed, change)
        assert truth(rule, changed, on=TODAY) is False


def test_a_hidden_skill_stays_hidden_in_a_stored_verdict_read_again() -> None:
    verdict = judge(INTERNAL, person())
    again = Verdict.from_json(verdict.to_json())
    assert again.disclosed_to(Disclosure.PUBLIC).failed == ()
    assert list(criteria(load(INTERNAL))) == [HasSkill(1, 3, None, Disclosure.ORGANISATION)]


@pytest.mark.parametrize(
    ("structure", "criterion"),
    [(SKILL, HasSkill(1)), (LANGUAGE, HasLanguage("de")), (WORK_AUTHORISATION, MayWorkIn("DE"))],
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
