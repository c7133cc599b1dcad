"""The index of rules answers as judging every rule would."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from matching.core.attributes import Operator
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.inverse import RuleIndex
from matching.core.inverse.index import SWEEP_AT
from matching.core.rules import (
    OPEN_TO_ALL,
    All,
    Any,
    AtLeast,
    Compare,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    Not,
    PayCeiling,
    RateWithinPay,
    Rule,
)
from matching.core.truth import UnresolvedRule, truth
from tests.conformance import generators
from tests.conformance.generators import TODAY, Chance


def scanned(rules: dict[int, Rule], facts: CandidateFacts, on: date = TODAY) -> tuple[list[int], list[int]]:
    """Which rules accept, and which may: every one judged by the specification."""
    truths = {key: truth(rule, facts, on=on) for key, rule in rules.items()}
    return (
        sorted(key for key, holds in truths.items() if holds is True),
        sorted(key for key, holds in truths.items() if holds is None),
    )


def found(index: RuleIndex, facts: CandidateFacts, on: date = TODAY) -> tuple[list[int], list[int]]:
    judged = index.judge(facts, on=on)
    return judged.accepting.tolist(), judged.unknown.tolist()


def index_of(rules: dict[int, Rule]) -> RuleIndex:
    index = RuleIndex()
    for key, rule in rules.items():
        index.put(key, rule)
    return index


def drawn_rules(chance: Chance, count: int) -> dict[int, Rule]:
    return {key: generators.rule(chance, chance.number(1, 4)) for key in range(1, count + 1)}


@pytest.mark.parametrize("seed", range(4))
def test_generated_rules_accept_whom_judging_every_rule_accepts(seed: int) -> None:
    chance = Chance(seed)
    rules = drawn_rules(chance, 1500)
    index = index_of(rules)
    for number in range(60):
        facts = generators.facts(chance, number)
        assert found(index, facts) == scanned(rules, facts)
    nobody = CandidateFacts(0)
    assert found(index, nobody) == scanned(rules, nobody)


def test_the_day_asked_about_counts_not_the_day_of_indexing() -> None:
    chance = Chance(11)
    rules = drawn_rules(chance, 800)
    index = index_of(rules)
    people = [generators.facts(chance, number) for number in range(10)]
    for days in (0, 1, 31, -400, 200, 0):
        on = TODAY + timedelta(days=days)
        for facts in people:
            assert found(index, facts, on) == scanned(rules, facts, on)


def test_rules_that_are_replaced_or_dropped_leave_nothing_behind() -> None:
    chance = Chance(5)
    rules = drawn_rules(chance, 300)
    index = index_of(rules)
    people = [generators.facts(chance, number) for number in range(5)]
    for _ in range(8 * SWEEP_AT // 300):  # often enough for what is left behind to be cleared away
        for key in list(rules):
            match chance.number(0, 3):
                case 0:
                    del rules[key]
                    index.drop(key)
                case 1 | 2:
                    rules[key] = generators.rule(chance, 3)
                    index.put(key, rules[key])
        for key in range(1, 301):
            if key not in rules:
                rules[key] = generators.rule(chance, 2)
                index.put(key, rules[key])
        assert len(index) == len(rules)
        for facts in people:
            assert found(index, facts) == scanned(rules, facts)
    for key in rules:
        index.drop(key)
    assert found(index, people[0]) == ([], [])


def test_an_index_does_not_grow_while_rules_only_change() -> None:
    index = RuleIndex()
    for turn in range(5 * SWEEP_AT):
        level = Compare("hourly_rate", Operator.GTE, Decimal(turn) / 100)
        index.put(turn % 10, All((Any((HasSkill(turn + 1, 2), Not(level))), HasLanguage("de", 3))))
    assert index._size < 10 * SWEEP_AT
    assert len(index._cell_of) < 5 * SWEEP_AT
    person = CandidateFacts(1, languages={"de": 3}, hourly_rate=Decimal("49.91"))
    assert found(index, person) == (list(range(2, 10)), [])


HOURLY = Compare("hourly_rate", Operator.GT, Decimal("20"))
CEILINGS = (PayCeiling("DE", Decimal("30")), PayCeiling("DE-BY", Decimal("40")), PayCeiling("", Decimal("25")))
WORLDWIDE = (PayCeiling("DE-BE", None), PayCeiling("US-WA/Seattle", Decimal("90")))
EDGES: dict[str, Rule] = {
    "everybody": OPEN_TO_ALL,
    "nobody": Any(()),
    "not everybody": Not(OPEN_TO_ALL),
    "above twenty": HOURLY,
    "below twenty": Compare("hourly_rate", Operator.LT, Decimal("20")),
    "exactly twenty": Compare("hourly_rate", Operator.EQ, Decimal("20.0000")),
    "finer than the scale": Compare("hourly_rate", Operator.GTE, Decimal("20.00005")),
    "beyond the scale": Compare("hourly_rate", Operator.LT, Decimal(10) ** 30),
    "listed numbers": Compare("weekly_hours", Operator.IN, (20, 40)),
    "a code or the other": Compare("country", Operator.IN, ("AT", "DE")),
    "in no group": Not(Compare("groups", Operator.EQ, 3)),
    "nothing said": Compare("commitments", Operator.EXISTS, False),
    "any language": HasLanguage("de", 0),
    "two of three": AtLeast(2, (HOURLY, MayWorkIn("DE"), HasLanguage("de", 3))),
    "not two of three": Not(AtLeast(2, (HOURLY, MayWorkIn("DE"), HasLanguage("de", 3)))),
    "narrower": HasSkill(1, 3, Decimal(2), 6, narrower=True, counted=(2, 3)),
    "recently": HasSkill(2, used_within_months=12),
    "in the region": LivesIn(("DE-BE", "AT")),
    "not in the region": Not(LivesIn(("DE-BE", "AT"))),
    "at night": HoursOverlap(240, "America/New_York", 22 * 60, 6 * 60),
    "all day": HoursOverlap(480, "Asia/Kolkata", 0, 0),
    "paid": RateWithinPay(ceilings=CEILINGS),
    "paid in places": RateWithinPay(ceilings=WORLDWIDE),
    "never paid": RateWithinPay(ceilings=()),
    "paid to a hair": RateWithinPay(ceilings=(PayCeiling("", Decimal("20.00005")),)),
}
KNOWN: dict[str, tuple] = {
    "hourly_rate": tuple(map(Decimal, ("19.99995", "20", "20.00005", "25", "30.0001", "40", "90", "1e25"))),
    "country": ("DE", "US", ""),
    "region": ("DE-BE", "DE-BY", "US-WA"),
    "weekly_hours": (20, 21),
    "commitments": (frozenset(), frozenset({"contract"})),
    "groups": (frozenset({3}), frozenset({1, 2})),
    "languages": ({}, {"de": 2}, {"de": 3}, {"en": 6}),
    "work_authorisations": ({}, {"DE": None}, {"DE": TODAY}, {"DE": TODAY - timedelta(days=1)}, {"AT": None}),
    "skills": (
        {1: SkillFact(2), 2: SkillFact(3, Decimal("1.9"), TODAY)},
        {2: SkillFact(3, None, TODAY - timedelta(days=40))},
        {3: SkillFact(5, Decimal(2)), 1: SkillFact(5, Decimal(9), TODAY - timedelta(days=300))},
        {3: SkillFact(5, None, TODAY - timedelta(days=500))},
    ),
}


def test_every_kind_of_criterion_is_judged_as_the_specification_judges_it_at_its_edges() -> None:
    rules = dict(enumerate(EDGES.values(), start=1))
    index = index_of(rules)
    chance = Chance(3)
    for number in range(400):
        drawn = {name: chance.one(options) for name, options in KNOWN.items() if chance.number(0, 3)}
        hours = (chance.number(0, 1439), chance.number(0, 1439), chance.one((-480, 0, 60, 330)))
        if chance.number(0, 2):
            drawn |= dict(zip(("work_starts_minute", "work_ends_minute", "utc_offset_minutes"), hours, strict=True))
        facts = CandidateFacts(number, **drawn)
        assert found(index, facts) == scanned(rules, facts), facts


def test_a_rule_whose_pay_is_not_known_is_refused() -> None:
    with pytest.raises(UnresolvedRule):
        RuleIndex().put(1, All((RateWithinPay(),)))


def test_rules_share_the_criteria_that_they_have_in_common() -> None:
    index = RuleIndex()
    for key in range(50):
        index.put(key, All((HasLanguage("de", 3), HasSkill(1, 3), Compare("weekly_hours", Operator.GTE, key % 5))))
    assert len(index._cell_of) == 7
