"""Rules and candidates for every evaluator: drawn by Hypothesis, or in bulk from a seed.

Both draw from the same small worlds of values, so that rules and candidates meet at their edges: the hours that a rule
asks are often exactly those that somebody has, or one more. Generated rules are resolved: the narrower skills are
counted and the pay is known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from matching.core.attributes import ATTRIBUTES, OPERATORS, VETTING_CHECKS, Attribute, Kind, Operator
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm, VettingFact
from matching.core.rules import (
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    Not,
    PayCeiling,
    RateWithinPay,
    Rule,
    Vetted,
)

T = TypeVar("T")

TODAY = date(2026, 6, 15)
JUDGED_ON = (TODAY, date(2026, 1, 15), date(2026, 3, 15), date(2026, 3, 31))
"""Days to judge on: summer, winter, between the clock changes of New York and Berlin, and the end of a month that is
longer than the one before."""
DAYS = tuple(TODAY + timedelta(days=days) for days in (-400, -1, 0, 1, 30))
WORLD: dict[str, tuple] = {
    "country": ("DE", "AT", "PL"),
    "region": ("DE-BE", "DE-BY", "AT-9"),
    "timezone": ("Europe/Berlin", "Europe/Warsaw", "UTC"),
    "utc_offset_minutes": (-60, 0, 60, 120),
    "years_experience": tuple(map(Decimal, ("0.5", "2", "2.5", "5", "10"))),
    "weekly_hours": (10, 20, 21, 40),
    "free_hours": (0, 10, 20, 40),
    "hourly_rate": tuple(map(Decimal, ("19.99", "20", "20.0001", "55.5"))),
    "commitments": ("full_time", "part_time", "contract"),
    "available_from": DAYS,
    "groups": (1, 2, 3),
}
"""Values by attribute. Every declared attribute has some: an evaluator that forgets a new one fails at once."""

SKILLS = tuple(range(1, 7))
SKILL_YEARS = tuple(map(Decimal, ("0", "1.5", "2", "7")))
SKILL_MONTHS = (1, 12, 13)
LAST_USED = (date(2025, 1, 15), date(2025, 6, 14), date(2025, 6, 15), date(2026, 2, 27), date(2026, 2, 28), *DAYS[1:])
LANGUAGES = ("de", "en", "lt", "in")  # two of them read like operators
COUNTRIES = ("DE", "AT", "US")
PLACES = ("AT", "AT-9", "DE", "DE-BE", "DE-BY", "PL-14")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")
CLOCK = (0, 1, 360, 540, 780, 1020, 1320, 1439)  # minutes after midnight; drawn twice, they often run over midnight
OVERLAPS = (1, 120, 240, 479, 480, 481, 1440)
CEILINGS = (None, *WORLD["hourly_rate"])
CHECKS = VETTING_CHECKS[:3]
TITLE_WORDS = ("welder", "null", "c++", "ärztin", "焊工", "of.net")


class Chance:
    """The draws that a generator makes, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def some(self, options: Sequence[T], least: int = 0) -> list[T]:
        return self._random.sample(options, self._random.randint(least, len(options)))

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def maybe(self, draw: Callable[[], T]) -> T | None:
        return draw() if self._random.random() < 0.75 else None


def criterion(chance: Chance) -> Criterion:
    disclosure = chance.one(tuple(Disclosure))
    match chance.number(0, 13):
        case 0 | 1 | 2:
            return _skill(chance, disclosure)
        case 3:
            return HasLanguage(chance.one(LANGUAGES), chance.number(1, 6), disclosure)
        case 4:
            return MayWorkIn(chance.one(COUNTRIES), disclosure)
        case 5:
            return LivesIn(tuple(sorted(chance.some(PLACES, least=1))), disclosure)
        case 6 | 7:
            return HoursOverlap(
                chance.one(OVERLAPS), chance.one(ZONES), chance.one(CLOCK), chance.one(CLOCK), disclosure
            )
        case 8:
            places = chance.some(("", *PLACES))
            return RateWithinPay(disclosure, tuple(PayCeiling(place, chance.one(CEILINGS)) for place in places))
        case 9:
            return Vetted(chance.one(CHECKS), disclosure)
    return comparison(chance, ATTRIBUTES, WORLD, disclosure)


def comparison(
    chance: Chance, attributes: Mapping[str, Attribute], world: Mapping[str, tuple], disclosure: Disclosure
) -> Compare:
    """One of these attributes against values of a world."""
    attribute = attributes[chance.one(sorted(attributes))]
    op = chance.one(OPERATORS[attribute.kind])
    return Compare(attribute.name, op, _operand(chance, world[attribute.name], op), disclosure, attribute.subject)


def _skill(chance: Chance, disclosure: Disclosure) -> HasSkill:
    skill_id = chance.one(SKILLS)
    narrower = chance.one((False, True))
    others = [other for other in SKILLS if other != skill_id]
    return HasSkill(
        skill_id,
        chance.number(1, 5),
        chance.one((None, None, *SKILL_YEARS[1:])),
        chance.one((None, None, *SKILL_MONTHS)),
        narrower,
        disclosure,
        tuple(sorted(chance.some(others))) if narrower else (),
    )


def _operand(chance: Chance, world: tuple, op: Operator):
    match op:
        case Operator.EXISTS:
            return chance.one((True, False))
        case Operator.IN:
            return tuple(sorted(chance.some(world, least=1)))
        case Operator.BETWEEN:
            return tuple(sorted((chance.one(world), chance.one(world))))
    return chance.one(world)


def rule(chance: Chance, levels: int = 4, leaf: Callable[[Chance], Criterion] = criterion) -> Rule:
    if levels == 1 or chance.number(0, 3) == 0:
        return leaf(chance)
    if chance.number(0, 3) == 0:
        return Not(rule(chance, levels - 1, leaf))
    parts = tuple(rule(chance, levels - 1, leaf) for _ in range(chance.number(1, 4)))
    match chance.number(0, 2):
        case 0:
            return All(parts)
        case 1:
            return Any(parts)
    return AtLeast(chance.number(1, len(parts)), parts)


def facts(chance: Chance, candidate_id: int) -> CandidateFacts:
    """A candidate about whom a quarter of all that could be known is not."""
    known: dict[str, object] = {}
    for attribute in ATTRIBUTES.values():
        world = WORLD[attribute.name]
        if attribute.kind in (Kind.CODES, Kind.IDS):
            known[attribute.fact] = frozenset(chance.some(world))
        else:
            known[attribute.fact] = chance.maybe(lambda world=world: chance.one(world))
    return CandidateFacts(
        candidate_id,
        work_starts_minute=chance.maybe(lambda: chance.one(CLOCK)),
        work_ends_minute=chance.maybe(lambda: chance.one(CLOCK)),
        languages={language: chance.number(1, 6) for language in chance.some(LANGUAGES)},
        work_authorisations={country: chance.one((None, *DAYS)) for country in chance.some(COUNTRIES)},
        skills={
            skill: SkillFact(chance.number(1, 5), chance.one((None, *SKILL_YEARS)), chance.one((None, *LAST_USED)))
            for skill in chance.some(SKILLS)
        },
        vetting={
            check: VettingFact(chance.one((True, True, False)), chance.one((None, *DAYS)))
            for check in chance.some(CHECKS)
        },
        title_words=frozenset(chance.some(TITLE_WORDS)),
        occupations=frozenset(chance.some((1, 2, 3))),
        mentioned_skills=frozenset(chance.some(SKILLS)),
        worked_for=frozenset(chance.some((1, 2, 3))) if chance.number(0, 1) else frozenset(),
        invitations_answered=chance.number(0, 4),
        invitations_received=chance.number(0, 6),
        offers_accepted=chance.number(0, 2),
        offers_decided=chance.number(0, 300),
        placements_completed=chance.number(0, 3),
        placements_over=chance.number(0, 3),
        last_active_on=chance.maybe(lambda: chance.one(LAST_USED)),
        **known,  # type: ignore[arg-type]
    )


def terms(chance: Chance, opportunity_id: int) -> OpportunityTerms:
    """What an opportunity asks, where a quarter of all that could be asked is not."""
    return OpportunityTerms(
        opportunity_id,
        commitment=chance.maybe(lambda: chance.one((*WORLD["commitments"], "internship"))),
        arrangement=chance.one((None, "onsite", "remote")),
        weekly_hours=chance.maybe(lambda: chance.one((0, 7, *WORLD["weekly_hours"]))),
        years_experience=chance.maybe(lambda: chance.one((Decimal(0), Decimal("0.7"), *WORLD["years_experience"]))),
        starts_on=chance.maybe(lambda: chance.one((*DAYS, date(2026, 5, 1), date(2026, 4, 16)))),
        utc_offset_minutes=chance.maybe(lambda: chance.one((-300, 330, 840, *WORLD["utc_offset_minutes"]))),
        allowed_places=frozenset(chance.some(PLACES)) if chance.number(0, 3) else frozenset(),
        excluded_places=frozenset(chance.some(PLACES)) if chance.number(0, 3) == 0 else frozenset(),
        max_hourly_pay=chance.maybe(lambda: chance.one((Decimal("10.5"), Decimal(0), *WORLD["hourly_rate"]))),
        skills=tuple(
            SkillTerm(
                skill_id,
                required=chance.one((True, False)),
                weight=chance.number(1, 10),
                min_level=chance.number(1, 5),
                min_years=chance.maybe(lambda: chance.one((*SKILL_YEARS, Decimal("0.1")))),
                near=tuple(
                    (other, chance.one((900, 640, 333, 1))) for other in chance.some(SKILLS) if other != skill_id
                ),
            )
            for skill_id in sorted(chance.some((*SKILLS, 99)))
        ),
        on=chance.one((None, TODAY, date(2027, 6, 15), date(2031, 1, 1))),
        title_words=frozenset(chance.some((*TITLE_WORDS, "astronaut"))),
        occupation=chance.one((None, 1, 2, 99)),
        described_skills=frozenset(chance.some((*SKILLS, 98))),
        organisations=frozenset(chance.some((1, 2, 3, 97))),
    )


# Hypothesis draws a seed: what matters is variety and that a failure repeats; the seeded worlds are small as they are.
_seeds = st.integers(0, 2**32 - 1)
rules: st.SearchStrategy[Rule] = st.builds(lambda seed, levels: rule(Chance(seed), levels), _seeds, st.integers(1, 4))
candidates: st.SearchStrategy[CandidateFacts] = st.builds(lambda seed: facts(Chance(seed), 1), _seeds)
