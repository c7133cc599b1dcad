"""The nearest change: the fewest things that a person can change so that a rule no longer refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product

import pytest
from hypothesis import given

from matching.core.attributes import ATTRIBUTES
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.names import Names
from matching.core.nearest import NearestChange, nearest_change, with_change
from matching.core.rules import (
    All,
    Any,
    AtLeast,
    Compare,
    Grounds,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    Not,
    PayCeiling,
    RateWithinPay,
    Rule,
    criteria,
    load,
    resolved,
)
from tests.conformance.generators import TODAY, Chance, candidates, rules

NAMES = Names({1: "welding", 2: "soldering"}, {"de": "German"})
OFFICE = {"hoursOverlap": {"minutes": 240, "timezone": "UTC", "from": "09:00", "to": "17:00"}}
BANDS = (PayCeiling("", Decimal(40)), PayCeiling("DE", Decimal(50)), PayCeiling("DE-BE", Decimal("60.5")))


def person(**facts) -> CandidateFacts:
    return CandidateFacts(1, **facts)


def compare(name: str, op: str, value: object, **more) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value, **more}


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


@given(rules, candidates)
def test_making_the_nearest_change_turns_the_refusal_round(rule, facts) -> None:
    found = nearest_change(rule, facts, on=TODAY)
    if truth(rule, facts, on=TODAY) is not False:
        assert found is None
    if found is None:
        return
    changed = facts
    for change in found.changes:
        assert change.subject in {"skill", "language", "hoursOverlap"} or ATTRIBUTES[change.subject].changeable
        changed = with_change(changed, change)
    assert truth(rule, changed, on=TODAY) is (True if found.settles else None)


@given(rules, candidates)
def test_no_part_of_the_nearest_change_can_be_left_out(rule, facts) -> None:
    found = nearest_change(rule, facts, on=TODAY)
    for left_out in found.changes if found else ():
        changed = facts
        for change in found.changes:
            if change is not left_out:
                changed = with_change(changed, change)
        assert truth(rule, changed, on=TODAY) is False


# Skills


def found(rule: object, *, narrower=None, **facts) -> NearestChange | None:
    grounds = Grounds(narrower=narrower or {1: (2, 3), 4: (3, 5)}, ceilings=BANDS)
    return nearest_change(resolved(load(rule), grounds), person(**facts), on=TODAY)


def said(rule: object, **facts) -> str | None:
    change = found(rule, **facts)
    return None if change is None else change.sentence(NAMES)


def test_a_skill_that_was_used_too_long_ago_is_used_again() -> None:
    rule = {"skill": 1, "usedWithinMonths": 12}
    change = found(rule, skills={1: SkillFact(3, Decimal(2), date(2020, 1, 1))})
    assert change.sentence(NAMES) == "welding, used again after 2020-01-01"
    assert change.changes[0].becomes_used_on == TODAY
    assert said({**rule, "minLevel": 4, "minYears": 3}, skills={1: SkillFact(3, Decimal(2), date(2020, 1, 1))}) == (
        "welding at level 4 with 3 years instead of level 3, used again after 2020-01-01"
    )
    assert (
        said({"skill": 1, "minYears": 3}, skills={1: SkillFact(3, Decimal(2))}) == "welding with 3 years instead of 2"
    )


def test_of_skills_that_count_the_nearest_is_improved() -> None:
    rule = {"skill": 1, "minLevel": 4, "narrower": True}
    assert said(rule, skills={2: SkillFact(3), 3: SkillFact(1)}) == "soldering at level 4 instead of level 3"
    assert said(rule, skills={9: SkillFact(3)}) == "welding at level 4"


def test_one_skill_that_counts_twice_is_learnt_rather_than_two() -> None:
    rule = {"all": [{"skill": 1, "narrower": True}, {"skill": 4, "narrower": True, "minLevel": 2}]}
    assert [(change.key, change.becomes) for change in found(rule).changes] == [(3, 2)]


def test_a_narrower_skill_is_learnt_where_the_named_one_is_barred() -> None:
    rule = {"all": [{"skill": 1, "narrower": True}, {"not": {"skill": 1}}]}
    assert [(change.key, change.becomes) for change in found(rule).changes] == [(2, 1)]


def test_a_skill_that_is_learnt_now_has_been_used_lately() -> None:
    change = found({"skill": 9, "usedWithinMonths": 1})
    assert change.settles
    assert change.sentence(NAMES) == "skill 9 at level 1"


# Working hours


def hours(rule: object, starts: int, ends: int, offset: int = 0) -> str | None:
    return said(rule, work_starts_minute=starts, work_ends_minute=ends, utc_offset_minutes=offset)


def test_working_hours_move_no_further_than_needed_and_keep_their_length() -> None:
    assert hours(OFFICE, 840, 1320) == "working hours 13:00-21:00 instead of 14:00-22:00"
    assert hours(OFFICE, 240, 720) == "working hours 05:00-13:00 instead of 04:00-12:00"
    assert hours(OFFICE, 960, 1440, 120) == "working hours 15:00-23:00 instead of 16:00-24:00"
    assert hours(OFFICE, 1380, 420) == "working hours 05:00-13:00 instead of 23:00-07:00"


def test_working_hours_that_are_too_short_grow_to_what_is_asked() -> None:
    assert hours(OFFICE, 600, 720) == "working hours 10:00-14:00 instead of 10:00-12:00"
    assert hours(OFFICE, 1200, 1320) == "working hours 13:00-17:00 instead of 20:00-22:00"


def test_working_hours_serve_two_windows_at_once() -> None:
    night = {"hoursOverlap": {"minutes": 60, "timezone": "UTC", "from": "20:00", "to": "21:00"}}
    assert hours({"all": [OFFICE, night]}, 780, 1080) == "working hours 13:00-21:00 instead of 13:00-18:00"


def test_working_hours_shrink_only_where_they_must_not_overlap() -> None:
    rule = {"not": {"hoursOverlap": {"minutes": 60, "timezone": "UTC", "from": "00:00", "to": "00:00"}}}
    assert hours(rule, 540, 660) == "working hours 09:00-09:59 instead of 09:00-11:00"


def test_hours_that_are_not_known_are_asked_for_and_not_changed() -> None:
    assert said({"any": [OFFICE, {"skill": 9}]}) is None
    assert hours({"all": [OFFICE, {"skill": 9}]}, 600, 1020) == "skill 9 at level 1"


# Pay and what nobody can change


def test_a_rate_comes_down_to_what_is_paid_where_they_live() -> None:
    pay = {"rateWithinPay": True}
    assert said(pay, hourly_rate=Decimal(70), country="DE", region="DE-BE") == (
        "rate asked 60.5 EUR an hour instead of 70"
    )
    assert said(pay, hourly_rate=Decimal(70), country="PL") == "rate asked 40 EUR an hour instead of 70"
    unsettled = found(pay, hourly_rate=Decimal(70), country="DE")
    assert (unsettled.changes[0].becomes, unsettled.settles) == (Decimal(50), True)


def test_a_rate_meets_pay_and_a_bound_together() -> None:
    rule = {"all": [{"rateWithinPay": True}, compare("hourly_rate", "lt", 30)]}
    assert said(rule, hourly_rate=Decimal(70), country="PL") == "rate asked 29.99 EUR an hour instead of 70"


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ({"livesIn": ["DE"]}, {"country": "PL"}),
        ({"workAuthorisation": "DE"}, {"work_authorisations": {"FR": None}}),
        ({"vetted": "background"}, {"vetting": {"background": VettingFact(False)}}),
        ({"rateWithinPay": True}, {"hourly_rate": Decimal(1), "country": "PL"}),
    ],
)
def test_nobody_is_told_to_change_what_they_cannot(rule, facts) -> None:
    ceilings = (PayCeiling("DE", Decimal(50)),)
    assert nearest_change(resolved(load(rule), Grounds(ceilings=ceilings)), person(**facts), on=TODAY) is None


# Against exhaustive search


def small_rule(chance: Chance, levels: int = 3) -> Rule:
    """About few facts with few values, so that all that a person could become can be tried."""
    if levels == 1 or chance.number(0, 4) == 0:
        drawn: Rule
        match chance.number(0, 6):
            case 0:
                op = chance.one(("gte", "lte", "gt", "lt", "eq"))
                drawn = Compare("weekly_hours", op, chance.one((1, 2, 3)))
            case 1:
                drawn = RateWithinPay(ceilings=(PayCeiling("", Decimal(chance.number(1, 3))),))
            case 2:
                starts = 240 * chance.number(0, 5)
                drawn = HoursOverlap(240 * chance.number(1, 2), "UTC", starts, (starts + 480) % 1440)
            case 3:
                drawn = HasLanguage("de", chance.number(1, 3))
            case 4:
                drawn = LivesIn((chance.one(("DE", "PL")),))
            case _:
                counted = chance.one(((), (2,), (2, 3)))
                years, months = chance.one((None, Decimal(2))), chance.one((None, 12))
                drawn = HasSkill(chance.one((1, 4)), chance.number(1, 3), years, months, bool(counted), counted=counted)
        return Not(drawn) if chance.number(0, 3) == 0 else drawn
    parts = tuple(small_rule(chance, levels - 1) for _ in range(chance.number(1, 3)))
    return chance.one((All, Any, lambda of: AtLeast(chance.number(1, len(of)), of)))(parts)


def small_person(chance: Chance) -> CandidateFacts:
    skills = {
        skill: SkillFact(chance.number(1, 3), Decimal(chance.number(0, 2)), chance.one((date(2020, 1, 1), TODAY)))
        for skill in chance.some((1, 2, 3, 4))
    }
    return person(
        country=chance.one(("DE", "PL")),
        weekly_hours=chance.number(0, 4),
        hourly_rate=Decimal(chance.number(1, 4)),
        utc_offset_minutes=0,
        work_starts_minute=240 * chance.number(0, 5),
        work_ends_minute=240 * chance.number(0, 5),
        languages={"de": chance.number(1, 3)},
        skills=skills,
    )


def becomings(facts: CandidateFacts, rule: Rule) -> Iterator[list[CandidateFacts]]:
    """Fact by fact, everything that the person could become by changing it alone."""
    kinds = {type(each) for each in criteria(rule)}
    yield [replace(facts, weekly_hours=number) for number in range(5)] if Compare in kinds else []
    yield [replace(facts, hourly_rate=Decimal(rate) / 2) for rate in range(9)] if RateWithinPay in kinds else []
    ranks = range(facts.languages["de"], 4)
    yield [replace(facts, languages={"de": rank}) for rank in ranks] if HasLanguage in kinds else []
    clock = [step + aside for step in range(0, 1440, 240) for aside in (-1, 0, 1)]
    windows = product(clock, clock) if HoursOverlap in kinds else ()
    yield [replace(facts, work_starts_minute=one % 1440, work_ends_minute=other % 1440) for one, other in windows]
    for skill_id in (1, 2, 3, 4) if HasSkill in kinds else ():
        known = facts.skills.get(skill_id, SkillFact(1, Decimal(0), TODAY))
        grown = product(range(known.level, 4), (Decimal(0), Decimal(2)), {known.last_used_on, TODAY})
        yield [
            replace(facts, skills={**facts.skills, skill_id: SkillFact(level, max(years, known.years), used)})
            for level, years, used in grown
        ]


def both(facts: CandidateFacts, one: CandidateFacts, other: CandidateFacts) -> CandidateFacts:
    changed = {
        name: getattr(other, name)
        for name in ("weekly_hours", "hourly_rate", "languages", "work_starts_minute", "work_ends_minute")
        if getattr(other, name) != getattr(facts, name)
    }
    skills = {**one.skills, **{key: fact for key, fact in other.skills.items() if facts.skills.get(key) != fact}}
    return replace(one, skills=skills, **changed)


def test_no_smaller_change_exists_than_the_one_that_is_found() -> None:
    chance, sizes = Chance(23), []
    while len(sizes) < 150:
        rule, facts = small_rule(chance), small_person(chance)
        if truth(rule, facts, on=TODAY) is not False:
            continue
        change = nearest_change(rule, facts, on=TODAY)
        size = len(change.changes) if change else 0
        sizes.append(size)
        ways = list(becomings(facts, rule))
        alone = any(truth(rule, way, on=TODAY) is not False for one in ways for way in one)
        assert alone is (size == 1), rule
        if size == 1 or sum(map(len, ways)) > 120:
            continue
        together = any(
            truth(rule, both(facts, one, other), on=TODAY) is not False
            for first, second in combinations(ways, 2)
            for one, other in product(first, second)
        )
        assert together is (size == 2), rule
    assert {0, 1, 2} <= set(sizes)
