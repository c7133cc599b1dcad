"""What a verdict tells each audience, and what it keeps from them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

from matching.core.attributes import ATTRIBUTES
from matching.core.eligibility import Outcome, Verdict, evaluate
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.nearest import with_change
from matching.core.rules import (
    All,
    Disclosure,
    Grounds,
    HasSkill,
    PayCeiling,
    criteria,
    disclosed,
    load,
    resolved,
)
from matching.core.truth import truth
from tests.conformance.generators import TODAY, candidates, rules

GROUNDS = Grounds(narrower={1: (2,)}, ceilings=(PayCeiling("", Decimal(50)),))


def person(**facts) -> CandidateFacts:
    return CandidateFacts(1, **facts)


def judge(rule: object, facts: CandidateFacts, **options) -> Verdict:
    return evaluate(resolved(load(rule), GROUNDS), facts, on=TODAY, **options)


def compare(name: str, op: str, value: object, **more) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value, **more}


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


def test_a_hidden_skill_stays_hidden_in_a_stored_verdict_read_again() -> None:
    verdict = judge(INTERNAL, person())
    again = Verdict.from_json(verdict.to_json())
    assert again.disclosed_to(Disclosure.PUBLIC).failed == ()
    assert list(criteria(load(INTERNAL))) == [HasSkill(1, 3, disclosure=Disclosure.ORGANISATION)]


def test_a_path_leads_into_the_rule_as_it_is_disclosed() -> None:
    """`$.all[2]` would tell of two criteria before it of which only one is shown."""
    rule = {"all": [HIDDEN, compare("country", "eq", "DE"), INTERNAL, {"any": [{"skill": 4}, {"skill": 5}]}]}
    verdict = judge(rule, person(weekly_hours=10, country="PL"))
    paths = {audience: [reason.path for reason in verdict.disclosed_to(audience).failed] for audience in Disclosure}
    assert paths == {
        Disclosure.PUBLIC: ["$.all[0]", "$.all[1].any[0]", "$.all[1].any[1]"],
        Disclosure.ORGANISATION: ["$.all[0]", "$.all[1]", "$.all[2].any[0]", "$.all[2].any[1]"],
        Disclosure.STAFF: ["$.all[0]", "$.all[1]", "$.all[2]", "$.all[3].any[0]", "$.all[3].any[1]"],
    }


def test_a_criterion_beside_a_hidden_alternative_has_no_path() -> None:
    verdict = judge({"any": [HIDDEN, {"skill": 2}]}, person(weekly_hours=10))
    (reason,) = verdict.disclosed_to(Disclosure.PUBLIC).failed
    assert reason.path == ""


def test_a_verdict_disclosed_twice_tells_no_less_and_no_more() -> None:
    rule = {"all": [HIDDEN, {"skill": 2}, compare("years_experience", "gte", 2)]}
    once = judge(rule, person(weekly_hours=10), nearest=True).disclosed_to(Disclosure.PUBLIC)
    assert once.disclosed_to(Disclosure.PUBLIC) == once
    assert Verdict.from_json(once.to_json()).disclosed_to(Disclosure.PUBLIC) == once


def test_a_refusal_for_hidden_reasons_alone_is_a_refusal_still() -> None:
    verdict = judge({"all": [HIDDEN, {"skill": 2}]}, person(weekly_hours=10, skills={2: SkillFact(1)}), nearest=True)
    shown = verdict.disclosed_to(Disclosure.PUBLIC)
    assert (shown.outcome, shown.failed, shown.unknown, shown.nearest) == (Outcome.INELIGIBLE, (), (), None)


def test_no_way_in_is_shown_while_a_hidden_criterion_that_nobody_can_change_fails() -> None:
    rule = {"all": [compare("weekly_hours", "gte", 20), compare("country", "eq", "DE", disclosure="staff")]}
    verdict = judge(rule, person(weekly_hours=10, country="PL"), nearest=True)
    assert len(verdict.disclosed_to(Disclosure.PUBLIC).failed) == 1
    assert verdict.nearest is None


def test_a_change_of_a_skill_that_a_hidden_criterion_counts_is_kept_back() -> None:
    hidden = {"skill": 1, "minLevel": 4, "narrower": True, "disclosure": "staff"}
    verdict = judge({"all": [{"skill": 2}, hidden]}, person(), nearest=True)
    assert [(change.key, change.becomes) for change in verdict.nearest.changes] == [(2, 4)]
    assert verdict.disclosed_to(Disclosure.PUBLIC).nearest is None


def test_a_rate_that_hidden_pay_decides_is_kept_back() -> None:
    rule = {"all": [compare("hourly_rate", "lte", 60), {"rateWithinPay": True, "disclosure": "organisation"}]}
    verdict = judge(rule, person(hourly_rate=Decimal(70), country="PL"), nearest=True)
    assert verdict.nearest.changes[0].becomes == 50
    assert verdict.disclosed_to(Disclosure.PUBLIC).nearest is None
    assert "50" not in json.dumps(verdict.disclosed_to(Disclosure.PUBLIC).to_json())
    assert verdict.disclosed_to(Disclosure.ORGANISATION).nearest == verdict.nearest


def test_a_hidden_check_that_others_answer_for_is_not_asked_about() -> None:
    hidden = {"vetted": "background", "disclosure": "organisation"}
    verdict = judge({"all": [hidden, compare("weekly_hours", "gte", 20)]}, person())
    asked = {
        audience: [question.subject for question in verdict.disclosed_to(audience).unknown] for audience in Disclosure
    }
    assert asked == {
        Disclosure.PUBLIC: ["weekly_hours"],
        Disclosure.ORGANISATION: ["vetted", "weekly_hours"],
        Disclosure.STAFF: ["vetted", "weekly_hours"],
    }
    alone = judge(hidden, person()).disclosed_to(Disclosure.PUBLIC)
    assert (alone.outcome, alone.unknown) == (Outcome.UNKNOWN, ())


def test_a_stripped_question_does_not_say_that_it_was_hidden() -> None:
    (question,) = judge(HIDDEN, person()).disclosed_to(Disclosure.PUBLIC).unknown
    (open_,) = judge({**HIDDEN, "disclosure": "public"}, person()).disclosed_to(Disclosure.PUBLIC).unknown
    assert question.disclosure is open_.disclosure


@pytest.mark.parametrize(
    ("hidden", "facts"),
    [
        ({"livesIn": ["AT"]}, {"country": "PL"}),
        ({"rateWithinPay": True}, {"hourly_rate": Decimal(99), "country": "PL"}),
        ({"vetted": "identity"}, {"vetting": {"identity": VettingFact(True, date(2020, 1, 1))}}),
        ({"skill": 1, "usedWithinMonths": 7}, {"skills": {1: SkillFact(1, None, date(2020, 1, 1))}}),
        ({"not": {"skill": 1}}, {"skills": {1: SkillFact(1)}}),
    ],
)
def test_what_fails_in_secret_leaves_no_trace(hidden: dict, facts: dict) -> None:
    leaf = hidden.get("not", hidden)
    leaf = {**leaf, "disclosure": "staff"}
    rule = {"all": [{"not": leaf} if "not" in hidden else leaf, {"skill": 9}]}
    shown = judge(rule, person(**facts), nearest=True).disclosed_to(Disclosure.PUBLIC)
    open_ = judge({"all": [{"skill": 9}]}, person(**facts)).disclosed_to(Disclosure.PUBLIC)
    assert (shown.failed, shown.unknown, shown.openness) == (open_.failed, open_.unknown, open_.openness)


@given(rules, candidates)
def test_paths_lead_to_criteria_of_the_disclosed_rule_and_of_no_other(rule, facts) -> None:
    for audience in Disclosure:
        verdict = evaluate(rule, facts, on=TODAY).disclosed_to(audience)
        shown = disclosed(rule, audience)
        for part in (*verdict.failed, *verdict.unknown):
            assert part.disclosure.is_open_to(audience)
            if part.path:
                assert shown is not None
                assert _at(shown, part.path).disclosure.is_open_to(audience)


def _at(rule, path: str):
    """The criterion at a path of a rule."""
    for step in path.removeprefix("$").replace("]", "").split("."):
        name, _, place = step.partition("[")
        if name == "not":
            rule = rule.rule
        elif place:
            rule = rule.of[int(place)]
    return rule


@given(rules, candidates)
def test_a_nearest_change_that_is_shown_is_the_way_in_for_every_criterion(rule, facts) -> None:
    shown = evaluate(rule, facts, on=TODAY, nearest=True).disclosed_to(Disclosure.PUBLIC).nearest
    changed = facts
    for change in shown.changes if shown else ():
        assert change.disclosure is Disclosure.PUBLIC
        changed = with_change(changed, change)
    assert shown is None or truth(rule, changed, on=TODAY) is not False


def test_a_rule_is_disclosed_part_by_part_where_all_of_it_must_hold() -> None:
    rule = load({"all": [HIDDEN, {"skill": 2}]})
    assert disclosed(rule, Disclosure.PUBLIC) == All((HasSkill(2),))
    assert disclosed(load({"any": [HIDDEN, {"skill": 2}]}), Disclosure.PUBLIC) is None
    assert disclosed(rule, Disclosure.STAFF) == rule
