"""What rules are refused, with the path to each fault; and that what is read is written back the same."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given

from matching.core.attributes import Attribute, Kind, ProtectedAttribute, declare, is_protected
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
    InvalidRule,
    MayWorkIn,
    Not,
    criteria,
    dump,
    load,
    parse,
    resolved,
    skill_ids,
)
from tests.conformance.generators import rules

HOURS = {"attribute": "weekly_hours", "op": "gte", "value": 30}
SKILL = {"skill": 7, "minLevel": 3}


def compare(name: str, op: str, value: object) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value}


def faults(raw: object, **options) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRule) as refusal:
        parse(raw, **options)
    return [(fault.path, fault.code) for fault in refusal.value.faults]


@pytest.mark.parametrize("nothing", [None, {}])
def test_an_empty_rule_is_open_to_all(nothing: object) -> None:
    assert parse(nothing) == OPEN_TO_ALL
    assert dump(OPEN_TO_ALL) == {}


def test_every_kind_of_node_is_read() -> None:
    raw = {
        "all": [
            {"any": [{"language": "de", "minLevel": "B2"}, {"workAuthorisation": "DE"}]},
            {"not": {"attribute": "country", "op": "in", "value": ["US", "CA", "US"]}},
            {"atLeast": {"n": 1, "of": [HOURS, {"skill": 7, "minLevel": 3, "minYears": 1.5, "disclosure": "staff"}]}},
        ]
    }
    rule = parse(raw)
    assert rule == All(
        (
            Any((HasLanguage("de", 4), MayWorkIn("DE"))),
            Not(Compare("country", "in", ("CA", "US"))),
            AtLeast(
                1, (Compare("weekly_hours", "gte", 30), HasSkill(7, 3, Decimal("1.5"), disclosure=Disclosure.STAFF))
            ),
        )
    )
    assert len(list(criteria(rule))) == 5
    assert skill_ids(rule) == {7}
    assert load(json.loads(json.dumps(dump(rule)))) == rule


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ([], ("$", "NOT_AN_OBJECT")),
        ("all", ("$", "NOT_AN_OBJECT")),
        (0, ("$", "NOT_AN_OBJECT")),
        (False, ("$", "NOT_AN_OBJECT")),
        ({"all": [HOURS, 3]}, ("$.all[1]", "NOT_AN_OBJECT")),
        ({"none": [HOURS]}, ("$", "UNKNOWN_NODE")),
        ({"all": [HOURS], "any": [HOURS]}, ("$", "AMBIGUOUS_NODE")),
        ({"all": [{**HOURS, "regex": ".*"}]}, ("$.all[0]", "UNKNOWN_FIELD")),
        ({"all": []}, ("$.all", "EMPTY_GROUP")),
        ({"any": []}, ("$.any", "EMPTY_GROUP")),
        ({"all": {}}, ("$.all", "WRONG_TYPE")),
        ({"all": [{}]}, ("$.all[0]", "UNKNOWN_NODE")),
        ({"not": None}, ("$.not", "NOT_AN_OBJECT")),
        ({"atLeast": [HOURS]}, ("$.atLeast", "NOT_AN_OBJECT")),
        ({"atLeast": {"n": 1}}, ("$.atLeast", "UNKNOWN_FIELD")),
        ({"atLeast": {"n": 0, "of": [HOURS]}}, ("$.atLeast.n", "BAD_COUNT")),
        ({"atLeast": {"n": 2, "of": [HOURS]}}, ("$.atLeast.n", "BAD_COUNT")),
        ({"atLeast": {"n": True, "of": [HOURS]}}, ("$.atLeast.n", "WRONG_TYPE")),
        (compare("shoe_size", "eq", 43), ("$.attribute", "UNDECLARED_ATTRIBUTE")),
        (compare("age", "gte", 18), ("$.attribute", "PROTECTED_ATTRIBUTE")),
        (compare("dateOfBirth", "lt", "2000-01-01"), ("$.attribute", "PROTECTED_ATTRIBUTE")),
        ({"attribute": ["age"], "op": "eq", "value": 1}, ("$.attribute", "WRONG_TYPE")),
        (compare("weekly_hours", "regex", ".*"), ("$.op", "UNKNOWN_OPERATOR")),
        (compare("weekly_hours", ["gte"], 1), ("$.op", "UNKNOWN_OPERATOR")),
        (compare("country", "gt", "DE"), ("$.op", "OPERATOR_DOES_NOT_APPLY")),
        (compare("weekly_hours", "gte", "30"), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "gte", True), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "gte", 30.5), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "gte", None), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "gte", 169), ("$.value", "OUT_OF_RANGE")),
        (compare("weekly_hours", "gte", -1), ("$.value", "OUT_OF_RANGE")),
        (compare("weekly_hours", "gte", 10**400), ("$.value", "BAD_NUMBER")),
        (compare("hourly_rate", "lte", float("nan")), ("$.value", "BAD_NUMBER")),
        (compare("hourly_rate", "lte", float("inf")), ("$.value", "BAD_NUMBER")),
        (compare("hourly_rate", "lte", Decimal("sNaN")), ("$.value", "BAD_NUMBER")),
        (compare("hourly_rate", "lte", 1e308), ("$.value", "BAD_NUMBER")),
        (compare("hourly_rate", "lte", 1.00001), ("$.value", "BAD_NUMBER")),
        (compare("country", "eq", "de"), ("$.value", "BAD_CODE")),
        (compare("country", "eq", "DE\x00"), ("$.value", "BAD_CODE")),
        (compare("country", "eq", "DЕ"), ("$.value", "BAD_CODE")),
        (compare("country", "in", "DE"), ("$.value", "WRONG_TYPE")),
        (compare("country", "in", []), ("$.value", "EMPTY_LIST")),
        (compare("country", "in", ["DE", "(a+)+$"]), ("$.value[1]", "BAD_CODE")),
        (compare("country", "in", ["DE"] * 201), ("$.value", "LONG_LIST")),
        (compare("country", "exists", "yes"), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "between", [30]), ("$.value", "WRONG_TYPE")),
        (compare("weekly_hours", "between", [40, 30]), ("$.value", "MIN_ABOVE_MAX")),
        (compare("available_from", "lte", "01.07.2026"), ("$.value", "WRONG_TYPE")),
        (compare("available_from", "lte", "2026-02-30"), ("$.value", "BAD_DATE")),
        ({"skill": "welding"}, ("$.skill", "WRONG_TYPE")),
        ({"skill": True}, ("$.skill", "WRONG_TYPE")),
        ({"skill": 0}, ("$.skill", "OUT_OF_RANGE")),
        ({"skill": 2**31}, ("$.skill", "OUT_OF_RANGE")),
        ({"skill": 7, "minLevel": 6}, ("$.minLevel", "OUT_OF_RANGE")),
        ({"skill": 7, "minLevel": 0}, ("$.minLevel", "OUT_OF_RANGE")),
        ({"skill": 7, "minYears": -1}, ("$.minYears", "OUT_OF_RANGE")),
        ({"language": "DE"}, ("$.language", "BAD_CODE")),
        ({"language": "de", "minLevel": "D1"}, ("$.minLevel", "BAD_CODE")),
        ({"workAuthorisation": "Germany"}, ("$.workAuthorisation", "BAD_CODE")),
        ({**HOURS, "disclosure": "secret"}, ("$.disclosure", "BAD_CODE")),
        ({"all": [HOURS] * 65}, ("$.all", "TOO_MANY_CRITERIA")),
        ({"all": [{"any": [HOURS] * 40}, {"any": [HOURS] * 40}]}, ("$.all[1].any[24]", "TOO_MANY_CRITERIA")),
    ],
)
def test_a_faulty_rule_is_refused_with_the_path_to_the_fault(raw: object, fault: tuple[str, str]) -> None:
    assert faults(raw) == [fault]


def test_every_fault_is_named_at_once() -> None:
    raw = {"all": [compare("age", "gte", 18), HOURS, {"any": [{"skill": 0}, compare("country", "eq", 1)]}]}
    assert faults(raw) == [
        ("$.all[0].attribute", "PROTECTED_ATTRIBUTE"),
        ("$.all[2].any[0].skill", "OUT_OF_RANGE"),
        ("$.all[2].any[1].value", "WRONG_TYPE"),
    ]


def test_eight_levels_are_read_and_nine_are_not() -> None:
    deep: dict[str, object] = HOURS
    for _ in range(7):
        deep = {"not": deep}
    parse(deep)
    assert faults({"not": deep}) == [("$" + ".not" * 8, "TOO_DEEP")]


def test_a_rule_nested_without_end_is_refused_rather_than_followed() -> None:
    bottomless: dict[str, object] = {}
    bottomless["not"] = bottomless
    assert faults(bottomless) == [("$" + ".not" * 8, "TOO_DEEP")]


def test_sixty_four_criteria_are_read() -> None:
    parse({"any": [compare("weekly_hours", "eq", hours) for hours in range(1, 65)]})


def test_a_skill_that_is_not_in_the_taxonomy_is_refused() -> None:
    parse(SKILL, known_skills={7})
    assert faults(SKILL, known_skills={8}) == [("$.skill", "UNKNOWN_SKILL")]


@given(rules)
def test_a_rule_is_written_and_read_back_the_same(rule) -> None:
    written = dump(rule)
    again = load(json.loads(json.dumps(written)))
    assert again == resolved(rule, Grounds()), "what a rule resolves to is not written"
    assert dump(again) == written


def test_a_rule_follows_merged_skills_to_the_last() -> None:
    rule = load(
        {"all": [{"skill": 1, "minLevel": 2}, {"not": {"skill": 2}}, {"atLeast": {"n": 1, "of": [{"skill": 9}]}}]}
    )
    merged = resolved(rule, Grounds({1: 2, 2: 3}))
    assert skill_ids(merged) == {3, 9}
    assert merged.of[0] == HasSkill(3, 2)
    assert resolved(rule, Grounds()) == rule


def test_a_circle_of_merges_leaves_a_skill_as_it_is() -> None:
    assert resolved(HasSkill(1), Grounds({1: 2, 2: 1})) == HasSkill(1)


@pytest.mark.parametrize(
    "name", ["age", "date_of_birth", "isDisabled", "religion", "Sex", "ethnicity", "maritalStatus"]
)
def test_protected_attributes_cannot_be_declared(name: str) -> None:
    assert is_protected(name)
    with pytest.raises(ProtectedAttribute):
        Attribute(name=name, kind=Kind.CODE, label="", description="", question="", fact="country")
    with pytest.raises(ProtectedAttribute):
        Attribute(name="innocent", kind=Kind.CODE, label="", description="", question="", fact="country", column=name)


@pytest.mark.parametrize("name", ["language", "stage", "average_rating", "weekly_hours", "trace"])
def test_words_that_merely_contain_a_protected_one_are_free(name: str) -> None:
    assert not is_protected(name)


def test_an_attribute_is_declared_once_and_of_a_fact_that_exists() -> None:
    country = Attribute(name="country", kind=Kind.CODE, label="", description="", question="")
    with pytest.raises(ValueError, match="twice"):
        declare(country, country)
    with pytest.raises(ValueError, match="no fact"):
        Attribute(name="shoe_size", kind=Kind.WHOLE, label="", description="", question="")
