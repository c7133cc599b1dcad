"""Rules that make no sense are refused, and none that somebody could meet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from typing import Any as Anything

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.attributes import ATTRIBUTES
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import (
    All,
    Any,
    AtLeast,
    Compare,
    Grounds,
    HasSkill,
    InvalidRule,
    Not,
    PayCeiling,
    RateWithinPay,
    Rule,
    dump,
    load,
    parse,
    resolved,
)
from matching.core.truth import truth
from tests.conformance.generators import TODAY, Chance, criterion, facts

HOURS = {"attribute": "weekly_hours", "op": "gte", "value": 30}
SKILL = {"skill": 7, "minLevel": 3}


def compare(name: str, op: str, value: object, **more: object) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value, **more}


def overlap(minutes: int, starts: str = "09:00", ends: str = "17:00", timezone: str = "Europe/Berlin") -> dict:
    return {"hoursOverlap": {"minutes": minutes, "timezone": timezone, "from": starts, "to": ends}}


def lives(*places: str) -> dict[str, object]:
    return {"livesIn": list(places)}


def refused(raw: object) -> list[tuple[str, str]]:
    """The faults that a rule is refused for; none where it is not."""
    try:
        parse(raw)
    except InvalidRule as refusal:
        return [(fault.path, fault.code) for fault in refusal.faults]
    return []


SKILL_ANY = {**SKILL, "narrower": True}
CHECKED = {"vetted": "background"}
PAID = {"rateWithinPay": True}


@pytest.mark.parametrize(
    "parts",
    [
        [compare("hourly_rate", "gt", 50), compare("hourly_rate", "lt", 40)],
        [compare("hourly_rate", "gt", 50), compare("hourly_rate", "lte", 50)],
        [compare("hourly_rate", "gte", 50), {"not": compare("hourly_rate", "gte", 50)}],
        [compare("weekly_hours", "gt", 20), compare("weekly_hours", "lt", 21)],
        [compare("weekly_hours", "between", [10, 20]), compare("weekly_hours", "eq", 21)],
        [compare("country", "eq", "DE"), compare("country", "in", ["AT", "CH"])],
        [compare("country", "eq", "DE"), {"not": compare("country", "in", ["DE", "CH"])}],
        [compare("available_from", "lt", "2026-07-01"), compare("available_from", "gt", "2026-07-01")],
        [compare("region", "exists", False), compare("region", "eq", "DE-BE")],
        [compare("region", "exists", True), {"not": compare("region", "exists", True)}],
        [compare("groups", "eq", 3), {"not": compare("groups", "eq", 3)}],
        [compare("groups", "in", [3, 4]), {"not": compare("groups", "in", [3, 4, 5])}],
        [compare("commitments", "eq", "contract"), {"not": compare("commitments", "in", ["contract", "full_time"])}],
        [{"skill": 7, "minLevel": 4}, {"not": {"skill": 7, "minLevel": 3}}],
        [{"skill": 7, "usedWithinMonths": 6}, {"not": {"skill": 7, "usedWithinMonths": 12}}],
        [{"skill": 7, "minLevel": 4}, {"not": {"skill": 7, "minLevel": 3, "narrower": True}}],
        [{"skill": 7, "minLevel": 4, "narrower": True}, {"not": SKILL_ANY}],
        [{"language": "de", "minLevel": "B2"}, {"not": {"language": "de", "minLevel": "B1"}}],
        [{"workAuthorisation": "DE"}, {"not": {"workAuthorisation": "DE"}}],
        [{"all": [compare("weekly_hours", "lt", 10)]}, {"not": {"any": [compare("weekly_hours", "lt", 20)]}}],
        [lives("DE", "AT"), lives("FR", "PL-14")],
        [lives("DE-BE"), lives("DE-BY")],
        [lives("DE-BE"), {"not": lives("DE")}],
        [lives("DE"), compare("country", "eq", "FR")],
        [lives("DE-BE"), {"not": compare("country", "eq", "DE")}],
        [lives("DE"), compare("region", "in", ["FR-75C", "PL-14"])],
        [compare("country", "eq", "FR"), compare("region", "eq", "DE-BE")],
        [overlap(240), {"not": overlap(120)}],
        [overlap(240), {"not": overlap(180, "08:00", "18:00")}],
        [overlap(1440, "00:00", "00:00"), {"not": overlap(60)}],
        [CHECKED, {"not": CHECKED}],
        [PAID, {"not": PAID}],
    ],
)
def test_a_contradiction_within_a_conjunction_is_refused(parts: list[object]) -> None:
    ((path, code),) = refused({"all": parts})
    assert code == "CONTRADICTION"
    assert path.startswith("$.all[1]")
    assert load({"all": parts}), "a stored rule stays readable"


def test_a_contradiction_of_three_is_found_where_it_closes() -> None:
    parts = [
        {"skill": 7, "minLevel": 4},
        {"skill": 7, "minYears": 5},
        {"not": {"skill": 7, "minLevel": 4, "minYears": 5}},
    ]
    assert refused({"all": parts}) == [("$.all[2].not", "CONTRADICTION")]
    assert refused({"all": [{**parts[0], "narrower": True}, {**parts[1], "narrower": True}, parts[2]]}) == []


@pytest.mark.parametrize(
    "parts",
    [
        [compare("hourly_rate", "gte", 40), compare("hourly_rate", "lte", 40)],
        [compare("weekly_hours", "gt", 20), compare("weekly_hours", "lt", 22)],
        [compare("commitments", "eq", "contract"), compare("commitments", "eq", "full_time")],
        [compare("commitments", "in", ["contract", "full_time"]), {"not": compare("commitments", "eq", "contract")}],
        [{"skill": 7, "minLevel": 2}, {"not": {"skill": 7, "minLevel": 4}}],
        [{"skill": 7, "minYears": 1}, {"not": {"skill": 7, "minYears": 5}}],
        [{"skill": 7, "usedWithinMonths": 12}, {"not": {"skill": 7, "usedWithinMonths": 6}}],
        [SKILL_ANY, {"not": SKILL}],
        [{"language": "de"}, {"not": {"language": "en"}}],
        [{"any": [compare("weekly_hours", "lt", 10), SKILL]}, compare("weekly_hours", "gt", 20)],
        [lives("DE", "AT"), {"not": lives("DE-BE")}],
        [lives("DE-BE", "AT"), compare("country", "in", ["AT", "PL"])],
        [overlap(240), {"not": overlap(300)}],
        [overlap(240), {"not": overlap(300, "08:00", "18:00")}],
        [overlap(240, "09:00", "13:00"), overlap(240, "21:00", "01:00")],
        [overlap(240), {"not": overlap(120, timezone="America/New_York")}],
        [CHECKED, {"not": {"vetted": "identity"}}],
        [PAID, compare("hourly_rate", "gt", 1000)],
    ],
)
def test_what_somebody_could_meet_is_no_contradiction(parts: list[object]) -> None:
    assert refused({"all": parts}) == []


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (compare("weekly_hours", "gte", 0), "$"),
        (compare("weekly_hours", "lte", 168), "$"),
        (compare("weekly_hours", "between", [0, 168]), "$"),
        ({"not": compare("weekly_hours", "lt", 0)}, "$.not"),
        ({"not": compare("weekly_hours", "gt", 168)}, "$.not"),
        ({"not": overlap(481)}, "$.not"),
        (overlap(1, "00:00", "00:00"), "$"),
        ({"any": [HOURS, SKILL, {"not": HOURS}]}, "$.any[2].not"),
        ({"any": [compare("hourly_rate", "lt", 50), compare("hourly_rate", "gte", 50)]}, "$.any[1]"),
        ({"any": [compare("years_experience", "lte", 5), SKILL, compare("years_experience", "gt", 3)]}, "$.any[2]"),
        ({"any": [compare("country", "in", ["DE", "AT"]), {"not": compare("country", "eq", "DE")}]}, "$.any[1].not"),
        ({"any": [compare("region", "exists", True), compare("region", "exists", False)]}, "$.any[1]"),
        ({"any": [lives("DE"), {"not": lives("DE-BE")}]}, "$.any[1].not"),
        ({"any": [SKILL_ANY, {"not": SKILL}]}, "$.any[1].not"),
        ({"any": [overlap(120), {"not": overlap(180)}]}, "$.any[1].not"),
        ({"not": {"all": [compare("hourly_rate", "lt", 50), compare("hourly_rate", "gte", 50)]}}, "$.not.all[1]"),
        ({"atLeast": {"n": 2, "of": [HOURS, {"not": HOURS}, CHECKED, {"not": CHECKED}]}}, "$"),
        ({"all": [compare("years_experience", "gte", 5), compare("years_experience", "gte", 3)]}, "$.all[1]"),
        ({"all": [compare("years_experience", "gte", 3), compare("years_experience", "gte", 5)]}, "$.all[0]"),
        ({"all": [SKILL, HOURS, SKILL]}, "$.all[2]"),
        ({"all": [HOURS, {"any": [SKILL, {"all": [CHECKED, CHECKED]}]}]}, "$.all[1].any[1].all[1]"),
        ({"all": [SKILL, {"skill": 7}]}, "$.all[1]"),
        ({"all": [SKILL_ANY, {"skill": 7, "minLevel": 4}]}, "$.all[0]"),
        ({"all": [lives("DE"), lives("DE-BE", "DE-BY")]}, "$.all[0]"),
        ({"all": [lives("DE"), {"not": lives("FR")}]}, "$.all[1].not"),
        ({"all": [overlap(240), overlap(120)]}, "$.all[1]"),
        ({"all": [{"language": "de", "minLevel": "B1"}, {"language": "de", "minLevel": "B2"}]}, "$.all[0]"),
        ({"all": [compare("groups", "exists", True), compare("groups", "eq", 3)]}, "$.all[0]"),
        (
            {
                "all": [
                    compare("weekly_hours", "gte", 20),
                    compare("weekly_hours", "lte", 30),
                    compare("weekly_hours", "between", [10, 40]),
                ]
            },
            "$.all[2]",
        ),
    ],
)
def test_a_criterion_that_can_exclude_nobody_is_refused(raw: object, path: str) -> None:
    assert refused(raw) == [(path, "EXCLUDES_NOBODY")]


@pytest.mark.parametrize(
    "raw",
    [
        {"all": [compare("years_experience", "exists", True), compare("years_experience", "gte", 5)]},
        {"any": [compare("hourly_rate", "lt", 50), compare("hourly_rate", "gt", 50)]},
        {"any": [compare("weekly_hours", "lt", 20), compare("free_hours", "gte", 20)]},
        {"atLeast": {"n": 2, "of": [HOURS, {"not": HOURS}, SKILL]}},
        {"all": [SKILL_ANY, {"skill": 7, "minLevel": 2}]},
        {"any": [SKILL, {"not": SKILL_ANY}]},
    ],
)
def test_a_criterion_that_can_exclude_somebody_is_read(raw: object) -> None:
    assert refused(raw) == []


def test_what_a_hidden_criterion_implies_may_be_told_the_public() -> None:
    shown, hidden = compare("weekly_hours", "gte", 20), compare("weekly_hours", "gte", 30, disclosure="staff")
    assert refused({"all": [shown, hidden]}) == []
    assert refused({"all": [{**shown, "disclosure": "staff"}, hidden]}) == [("$.all[0]", "EXCLUDES_NOBODY")]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (compare("weekly_hours", "lt", 0), "$"),
        ({"not": compare("weekly_hours", "gte", 0)}, "$.not"),
        (overlap(481), "$"),
        (
            {"atLeast": {"n": 2, "of": [lives("DE"), lives("FR"), lives("PL")]}},
            "$",
        ),
        (
            {"all": [HOURS, {"atLeast": {"n": 3, "of": [lives("DE"), lives("FR"), SKILL, {"not": SKILL}]}}]},
            "$.all[1]",
        ),
    ],
)
def test_a_criterion_that_nobody_can_meet_is_refused(raw: object, path: str) -> None:
    assert refused(raw) == [(path, "CONTRADICTION")]


# Against the evaluator


def consistent(chance: Chance, number: int) -> CandidateFacts:
    """Somebody whose region lies in their country, as it does for everybody who is stored."""
    drawn = facts(chance, number)
    return drawn if drawn.region is None else replace(drawn, country=drawn.region[:2])


def ready(rule: Rule) -> Rule:
    return resolved(rule, Grounds(ceilings=(PayCeiling("", Decimal(50)),)))


@given(st.integers(0, 2**32 - 1))
def test_whoever_meets_a_rule_disproves_that_it_contradicts_itself(seed: int) -> None:
    """Criteria about few facts, so that they meet, judged over the people of a generated world."""
    chance = Chance(seed)
    parts = [criterion(chance) for _ in range(chance.number(2, 4))]
    parts += [_close_to(chance, chance.one(parts)) for _ in range(chance.number(1, 4))]
    parts = [Not(part) if chance.number(0, 2) == 0 else part for part in parts]  # type: ignore[misc]
    combined = chance.one((All, Any, lambda of: AtLeast(chance.number(1, len(of)), of)))(tuple(parts))
    found = {code for path, code in refused(dump(combined)) if path == "$" or isinstance(combined, All)}
    rule = ready(combined)
    answers = {truth(rule, consistent(chance, number), on=TODAY) for number in range(60)}
    if "CONTRADICTION" in found:
        assert True not in answers, dump(combined)
    if "EXCLUDES_NOBODY" in found and not isinstance(combined, All):
        assert False not in answers, dump(combined)


def _close_to(chance: Chance, one: Anything) -> Anything:
    """Another criterion about the same fact."""
    for _ in range(200):
        drawn = criterion(chance)
        same_fact = not isinstance(drawn, Compare) or drawn.name == getattr(one, "name", None)
        if type(drawn) is type(one) and same_fact:
            if isinstance(drawn, HasSkill):
                return replace(drawn, skill_id=one.skill_id)
            return drawn
    return one


def _small(name: str) -> Iterator[Rule]:
    """Every comparison of one attribute over a small world, and its opposite."""
    values = {"weekly_hours": (0, 1, 2, 167, 168), "country": ("AT", "DE"), "commitments": ("a", "b"), "groups": (1, 2)}
    world = values[name]
    attribute = ATTRIBUTES[name]
    ordered = attribute.kind == "whole"
    for op in ("lt", "lte", "gt", "gte", "eq") if ordered else ("eq",):
        for value in world:
            yield load(compare(name, op, value))
    for pair in combinations(world, 2):
        yield load(compare(name, "in", list(pair)))
        if ordered:
            yield load(compare(name, "between", list(pair)))


@pytest.mark.parametrize("name", ["weekly_hours", "country", "commitments", "groups"])
def test_conjunctions_about_one_attribute_are_refused_exactly_when_nobody_meets_them(name: str) -> None:
    several: list[Anything] = [frozenset(), *map(frozenset, [{"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"b", "c"}])]
    everybody: dict[str, list[Anything]] = {
        "weekly_hours": [None, *range(169)],
        "country": [None, "AT", "DE", "FR"],
        "commitments": [*several, frozenset({"a", "b", "c"})],
        "groups": [frozenset({"abc".index(each) + 1 for each in one}) for one in (*several, "abc")],
    }
    people = [CandidateFacts(0, **{name: value}) for value in everybody[name]]
    literals = [literal for each in _small(name) for literal in (each, Not(each))]
    answers = {literal: [truth(literal, person, on=TODAY) for person in people] for literal in literals}
    chance = random.Random(7)
    threes = list(combinations(literals, 3))
    triples = chance.sample(threes, min(400, len(threes)))
    for parts in [*combinations(literals, 2), *triples]:
        somebody = any(all(answer) for answer in zip(*(answers[part] for part in parts), strict=True))
        contradicted = "CONTRADICTION" in {code for _, code in refused(dump(All(parts)))}
        assert contradicted is not somebody, dump(All(parts))


@pytest.mark.parametrize("narrower", [False, True])
def test_conjunctions_about_one_skill_are_refused_exactly_when_nobody_meets_them(narrower: bool) -> None:
    worlds = product((None, 1, 2, 3), (Decimal(0), Decimal(1), Decimal(2)), (date(2020, 1, 1), TODAY))
    ways = [None if level is None else SkillFact(level, years, used) for level, years, used in worlds]
    # Two narrower skills, so that each of two wishes can be met by another one.
    kinds = [
        {number: fact for number, fact in enumerate(each, 1) if fact is not None}
        for each in (product(ways[5:], repeat=3) if narrower else product(ways))
    ]
    if narrower:
        kinds = random.Random(3).sample(kinds, 1500)
    people = [CandidateFacts(0, skills=skills) for skills in kinds]
    wishes = [
        HasSkill(1, level, years, months, counts)
        for level, years, months, counts in product(
            (1, 2, 3), (None, Decimal(1), Decimal(2)), (None, 12), (False, True) if narrower else (False,)
        )
    ]
    chance = random.Random(11)
    literals = [literal for each in wishes for literal in (each, Not(each))]
    for size in (2, 3):
        for _ in range(150):
            parts = tuple(chance.sample(literals, size))
            rule = resolved(All(parts), Grounds(narrower={1: (2, 3)}))
            contradicted = "CONTRADICTION" in {code for _, code in refused(dump(All(parts)))}
            somebody = any(truth(rule, person, on=TODAY) for person in people)
            assert not (contradicted and somebody), dump(All(parts))
            if not narrower:
                assert contradicted is not somebody, dump(All(parts))


def test_conjunctions_about_one_window_are_refused_exactly_when_nobody_meets_them() -> None:
    """On a clock of four-hour steps; everybody works from one step to another, or a minute beside it."""
    steps = [step + aside for step in range(0, 1440, 240) for aside in (-1, 0, 1)]
    people = [
        CandidateFacts(0, utc_offset_minutes=0, work_starts_minute=starts % 1440, work_ends_minute=ends % 1440)
        for starts, ends in product(steps, steps)
    ]
    chance = random.Random(5)
    for _ in range(120):
        parts = []
        for _ in range(chance.choice((2, 2, 3))):
            starts, length = chance.randrange(0, 24, 4), chance.choice((4, 8, 12, 24))
            minutes = 60 * chance.choice([hours for hours in (4, 8, 12, 24) if hours <= length])
            wish = load(overlap(minutes, f"{starts:02}:00", f"{(starts + length) % 24:02}:00", "UTC"))
            parts.append(chance.choice((wish, Not(wish))))
        rule = All(tuple(parts))
        contradicted = "CONTRADICTION" in {code for _, code in refused(dump(rule))}
        assert contradicted is not any(truth(rule, person, on=TODAY) for person in people), dump(rule)


def test_a_refused_duplicate_changes_no_answer() -> None:
    chance = Chance(9)
    people = [consistent(chance, number) for number in range(60)]
    removed = 0
    for _ in range(400):
        first = criterion(chance)
        second = _close_to(chance, first)
        rule = All((first, second))
        found = refused(dump(rule))
        if len(found) == 1 and found[0][1] == "EXCLUDES_NOBODY" and found[0][0] in {"$.all[0]", "$.all[1]"}:
            rest = second if found[0][0] == "$.all[0]" else first
            removed += 1
            for person in people:
                with_it, without = (truth(ready(each), person, on=TODAY) for each in (rule, rest))
                assert (with_it is False) is (without is False), dump(rule)
    assert removed > 20


def test_unresolved_pay_is_read_without_knowing_it() -> None:
    assert parse(PAID) == RateWithinPay()


def test_a_rule_of_the_largest_size_is_checked_quickly() -> None:
    """Lists of two hundred in sixty-four criteria: too much to search, and not refused for that."""
    codes = [f"{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(600)]
    assert refused({"any": [compare("country", "in", codes[at : at + 200]) for at in range(64)]}) == []
