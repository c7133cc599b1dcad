"""How much the rule language costs, against the same rule written by hand: in Python, and in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from statistics import median

from django.db import connection, transaction

from config.bench import Measured, benchmark, size
from matching.compile_sql import eligible
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import parse
from matching.core.truth import truth
from matching.models import CandidateProjection

TODAY = date(2026, 6, 15)
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
    people = [_person(number) for number in range(size("RULE_CANDIDATES", 5_000))]
    assert [truth(RULE, facts, on=TODAY) for facts in people] == [by_hand(facts) for facts in people]
    value, baseline = _medians(
        lambda: [truth(RULE, facts, on=TODAY) for facts in people], lambda: [by_hand(facts) for facts in people]
    )
    return Measured(value / len(people) * 1e6, baseline / len(people) * 1e6, "the rule as one Python function")


HAND_WRITTEN = """
    SELECT candidate_id FROM matching_candidateprojection
    WHERE skill_ids @> '{17,4}' AND (skills #>> '{17,level}')::int >= 3 AND country IN ('DE', 'AT')
      AND years_experience >= 3 AND free_hours >= 20 AND (languages ->> 'de')::int >= 3 AND NOT groups @> '{3}'
"""


@benchmark("eligibility.filter", unit="ms")
def filter_rows() -> Measured:
    with transaction.atomic(), connection.cursor() as cursor:
        _fill(cursor, size("CANDIDATES", 200_000))

        def compiled() -> set[int]:
            rows = eligible(CandidateProjection.objects.all(), RULE, on=TODAY)
            return set(rows.values_list("candidate_id", flat=True))

        def written() -> set[int]:
            cursor.execute(HAND_WRITTEN)
            return {candidate_id for (candidate_id,) in cursor.fetchall()}

        found = compiled()
        assert found, "a rule that finds nobody measures nothing"
        assert found == written()
        value, baseline = _medians(compiled, written)
        transaction.set_rollback(True)
    return Measured(value * 1e3, baseline * 1e3, "the rule as SQL written by hand")


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


def _fill(cursor, rows: int) -> None:
    """A table of this session that stands before the real one, with its columns and indexes and nobody real in it.
    Five to fourteen skills each, of five hundred; chance to the third power makes some skills common."""
    cursor.execute(
        """
        CREATE TEMP TABLE matching_candidateprojection
            (LIKE public.matching_candidateprojection INCLUDING DEFAULTS INCLUDING INDEXES) ON COMMIT DROP;
        SELECT setseed(0.15);
        """
    )
    cursor.execute(
        """
        INSERT INTO matching_candidateprojection
            (candidate_id, revision, country, languages, work_authorisations, years_experience, weekly_hours,
             free_hours, commitments, skill_ids, skills, groups, headline, titles, discoverable, open_to_offers,
             present, refreshed_at)
        SELECT n, 1, (ARRAY['DE','AT','PL','FR',NULL])[1 + n %% 5],
            CASE WHEN n %% 7 = 0 THEN '{}' ELSE jsonb_build_object('de', 1 + n %% 6) END, '{}',
            CASE WHEN n %% 11 > 0 THEN n %% 13 END, 40, CASE WHEN n %% 17 > 0 THEN n %% 41 END,
            '{}', skill.ids, skill.facts, CASE WHEN n %% 19 = 0 THEN '{3}'::int[] ELSE '{}' END,
            '', '{}', true, true, true, now()
        FROM generate_series(1, %s) n
        CROSS JOIN LATERAL (
            SELECT array_agg(id) AS ids,
                jsonb_object_agg(
                    id, jsonb_build_object('level', 1 + (id + n) %% 5, 'years', '2.5', 'last_used', NULL)
                ) AS facts
            FROM (SELECT DISTINCT (500 * power(random(), 3))::int AS id FROM generate_series(1, 5 + n %% 10)) drawn
        ) skill
        """,
        [rows],
    )
    cursor.execute("ANALYZE matching_candidateprojection")


def _medians(one: Callable[[], object], other: Callable[[], object], rounds: int = 15) -> tuple[float, float]:
    """Seconds of each, measured in turns so that noise of the machine meets both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for seconds, work in zip(taken, (one, other), strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return median(taken[0]), median(taken[1])
