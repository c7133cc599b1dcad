"""How much the rule language costs, against the same rules written by hand: in Python, and in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from django.db import connection

from config.bench import Measured, benchmark, size
from matching.compile_sql import eligible
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import Grounds, PayCeiling, Rule, load, parse, resolved
from matching.core.truth import truth
from matching.models import CandidateProjection
from tests.benchmarks.people import TODAY, narrower_than, people
from tests.benchmarks.vocabulary import family_of

RULE = parse(
    {
        "all": [
            {"skill": 17, "minLevel": 3},
            {"skill": 4},
            {"attribute": "country", "op": "in", "value": ["DE", "AT"]},
            {"attribute": "years_experience", "op": "gte", "value": 3},
            {"attribute": "free_hours", "op": "gte", "value": 20},
            {"language": "de", "minLevel": "B1"},
            {"not": {"attribute": "groups", "op": "eq", "value": 3}},
        ]
    }
)


def by_hand(facts: CandidateFacts) -> bool | None:
    """`RULE` as somebody would write it who has only this one."""
    skill = facts.skills.get(17)
    if skill is None or skill.level < 3 or 4 not in facts.skills or 3 in facts.groups:
        return False
    checks = (
        None if facts.country is None else facts.country in ("DE", "AT"),
        None if facts.years_experience is None else facts.years_experience >= 3,
        None if facts.free_hours is None else facts.free_hours >= 20,
        facts.languages.get("de", 0) >= 3 if facts.languages else None,
    )
    if False in checks:
        return False
    return None if None in checks else True


@benchmark("rules.evaluate", unit="µs")
def evaluate() -> Measured:
    persons = [_person(number) for number in range(size("RULE_CANDIDATES", 5_000))]
    assert [truth(RULE, facts, on=TODAY) for facts in persons] == [by_hand(facts) for facts in persons]
    value, baseline = _medians(
        lambda: [truth(RULE, facts, on=TODAY) for facts in persons], lambda: [by_hand(facts) for facts in persons], 15
    )
    return Measured(value / len(persons) * 1e6, baseline / len(persons) * 1e6, "the rule as one Python function")


class Written(NamedTuple):
    """A rule, and the conditions that somebody would write who has only this one. They may rely on what the data set
    keeps to: a region lies in the country."""

    name: str
    rule: Rule
    sql: str


WELDING = family_of(5)
BANDS = (PayCeiling("", Decimal(35)), PayCeiling("DE", Decimal(50)), PayCeiling("DE-01", Decimal(60)))


def _rule(raw: dict) -> Rule:
    return resolved(load(raw), Grounds(narrower={WELDING: narrower_than(WELDING)}, ceilings=BANDS))


_WELDING_IDS = ",".join(map(str, (WELDING, *narrower_than(WELDING))))
WRITTEN = (
    Written(
        "two skills, few people",
        RULE,
        """
        skill_ids @> '{17,4}' AND (skills #>> '{17,level}')::int >= 3 AND country IN ('DE', 'AT')
        AND years_experience >= 3 AND free_hours >= 20 AND (languages ->> 'de')::int >= 3 AND NOT groups @> '{3}'
        """,
    ),
    Written(
        "a common skill with years, used lately",
        _rule(
            {
                "all": [
                    {"skill": 3, "minLevel": 2, "minYears": 3, "usedWithinMonths": 24},
                    {"livesIn": ["AT", "DE", "FR-01"]},
                    {"rateWithinPay": True},
                ]
            }
        ),
        """
        skill_ids @> '{3}' AND (skills #>> '{3,level}')::int >= 2 AND (skills #>> '{3,years}')::float8 >= 3
        AND skills #>> '{3,last_used}' >= '2024-06-15' AND (country IN ('AT', 'DE') OR region = 'FR-01')
        AND hourly_rate <= CASE WHEN region = 'DE-01' THEN 60 WHEN country = 'DE' THEN 50 ELSE 35 END
        """,
    ),
    Written(
        "any of a hundred skills",
        _rule(
            {
                "all": [
                    {"skill": WELDING, "minLevel": 4, "minYears": 2, "narrower": True},
                    {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}},
                    {"language": "en", "minLevel": "B2"},
                ]
            }
        ),
        f"""
        skill_ids && '{{{_WELDING_IDS}}}' AND EXISTS (
            SELECT FROM unnest(skill_ids) AS held (id)
            WHERE id IN ({_WELDING_IDS}) AND (skills -> id::text ->> 'level')::int >= 4
              AND (skills -> id::text ->> 'years')::float8 >= 2
        )
        AND work_minutes >= 240 AND (work_minutes = 1440 OR (work_starts_utc <= 660
            AND work_starts_utc + work_minutes >= 660) OR work_starts_utc + work_minutes >= 2100)
        AND (languages ->> 'en')::int >= 4
        """,
    ),
    Written(
        "two of three skills",
        _rule({"atLeast": {"n": 2, "of": [{"skill": 6, "minLevel": 3}, {"skill": 9}, {"skill": 12, "minYears": 1}]}}),
        """
        skill_ids @> '{6,9}' AND (skills #>> '{6,level}')::int >= 3
        OR skill_ids @> '{6,12}' AND (skills #>> '{6,level}')::int >= 3 AND (skills #>> '{12,years}')::float8 >= 1
        OR skill_ids @> '{9,12}' AND (skills #>> '{12,years}')::float8 >= 1
        """,
    ),
    Written(
        "no skill at all",
        _rule(
            {
                "all": [
                    {"workAuthorisation": "DE"},
                    {"vetted": "background"},
                    {"hoursOverlap": {"minutes": 360, "timezone": "UTC", "from": "07:00", "to": "16:00"}},
                    {"attribute": "weekly_hours", "op": "gte", "value": 30},
                    {"not": {"livesIn": ["FR", "DE-01"]}},
                ]
            }
        ),
        """
        weekly_hours >= 30 AND work_minutes >= 360
        AND (work_minutes = 1440 OR (work_starts_utc <= 600 AND work_starts_utc + work_minutes >= 780))
        AND country <> 'FR' AND region <> 'DE-01' IS NOT FALSE AND (region IS NOT NULL OR country <> 'DE')
        AND work_authorisations ? 'DE' AND coalesce(work_authorisations ->> 'DE', '9999-12-31') >= '2026-06-15'
        AND (vetting #>> '{background,passed}')::bool
        AND coalesce(vetting #>> '{background,until}', '9999-12-31') >= '2026-06-15'
        """,
    ),
)


@benchmark("eligibility.filter_1m", unit="ms")
def filter_rows() -> Measured:
    """The median of the ratios over rules that accept few and many; each rule's own figures are printed."""
    figures = []
    with people(size("CANDIDATES", 1_000_000)), connection.cursor() as cursor:
        for name, rule, sql in WRITTEN:

            def compiled(rule: Rule = rule) -> set[int]:
                rows = eligible(CandidateProjection.objects.all(), rule, on=TODAY)
                return set(rows.values_list("candidate_id", flat=True))

            def written(sql: str = sql) -> set[int]:
                cursor.execute(f"SELECT candidate_id FROM matching_candidateprojection WHERE {sql}")
                return {candidate_id for (candidate_id,) in cursor.fetchall()}

            found = compiled()
            assert found, f"{name}: a rule that finds nobody measures nothing"
            assert found == written(), name
            value, baseline = _medians(compiled, written, 7)
            figures.append((value / baseline, value, baseline))
            print(
                f"  {name:<40} {len(found):>8,} people {value * 1e3:>9.1f} ms  ratio {value / baseline:.3f}", flush=True
            )
    _, value, baseline = sorted(figures)[len(figures) // 2]
    return Measured(value * 1e3, baseline * 1e3, "the rule as SQL written by hand, median of five rules")


def _person(number: int) -> CandidateFacts:
    """Every fact of the rule holds for most and is missing for some; primes keep the facts apart."""
    return CandidateFacts(
        number,
        country=("DE", "AT", "DE", "PL", None)[number % 5],
        years_experience=None if number % 11 == 0 else Decimal(number % 13),
        free_hours=None if number % 17 == 0 else number % 41,
        languages={} if number % 7 == 0 else {"de": number % 6 + 1},
        skills={4: SkillFact(2), 17: SkillFact(number % 5 + 1)} if number % 3 else {4: SkillFact(1)},
        groups=frozenset({3}) if number % 19 == 0 else frozenset(),
    )


def _medians(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds of each, measured in turns so that noise of the machine meets both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for seconds, work in zip(taken, (one, other), strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return median(taken[0]), median(taken[1])
