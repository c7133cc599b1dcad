"""What hangs on the made-up people: the tables that projections are made of, so that a decision can be rechecked.

Written once into the database of `people` that is connected, and kept: they say what the projections say. Groups are
left out. Somebody's free hours become the hours they want, as nobody there is placed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from marketplace.models import CandidateSkill
from tests.benchmarks.loading import drop_indexes

_STEPS = (
    """
    INSERT INTO marketplace_candidateskill (candidate_id, skill_id, level, years, last_used_on, source)
    SELECT candidate_id, key::int, (value ->> 'level')::int, (value ->> 'years')::numeric,
        (value ->> 'last_used')::date, 'declared'
    FROM matching_candidateprojection, jsonb_each(skills)
    WHERE candidate_id BETWEEN %s AND %s
    """,
    """
    INSERT INTO marketplace_candidatelanguage (candidate_id, language, level)
    SELECT candidate_id, key, value::int FROM matching_candidateprojection, jsonb_each_text(languages)
    WHERE candidate_id BETWEEN %s AND %s
    """,
    """
    INSERT INTO marketplace_workauthorisation (candidate_id, country, expires_on)
    SELECT candidate_id, key, value::date FROM matching_candidateprojection, jsonb_each_text(work_authorisations)
    WHERE candidate_id BETWEEN %s AND %s
    """,
    """
    INSERT INTO marketplace_vettingresult (candidate_id, public_id, kind, passed, until, recorded_at)
    SELECT candidate_id, gen_random_uuid(), key, (value ->> 'passed')::bool, (value ->> 'until')::date, now()
    FROM matching_candidateprojection, jsonb_each(vetting)
    WHERE candidate_id BETWEEN %s AND %s
    """,
    """
    UPDATE marketplace_candidate SET weekly_hours = projection.free_hours
    FROM matching_candidateprojection projection
    WHERE projection.candidate_id = marketplace_candidate.id AND projection.free_hours < projection.weekly_hours
        AND marketplace_candidate.id BETWEEN %s AND %s
    """,
)
_TABLES = ("candidateskill", "candidatelanguage", "workauthorisation", "vettingresult")
LOADERS = 2


def hang(count: int) -> None:
    """Make sure that the tables of so many people are filled."""
    if CandidateSkill.objects.exists():
        return
    print("• Writing what hangs on people, which later runs find ready …", flush=True)
    with connection.cursor() as cursor:
        indexes = [one for table in _TABLES for one in drop_indexes(cursor, f"marketplace_{table}")]
    bounds = [count * share // LOADERS for share in range(LOADERS + 1)]
    try:
        with ThreadPoolExecutor(LOADERS) as loaders:
            list(loaders.map(_load, [first + 1 for first in bounds], bounds[1:]))
    finally:
        with connection.cursor() as cursor:
            for statement in indexes:
                cursor.execute(statement)
            cursor.execute(
                f"VACUUM ANALYZE marketplace_candidate, {', '.join(f'marketplace_{one}' for one in _TABLES)}"
            )
    connection.close()


def _load(first: int, last: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for statement in _STEPS:
                cursor.execute(statement, [first, last])
    finally:
        connection.close()
