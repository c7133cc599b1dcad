"""Keeping the states of tables few."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

_BEGIN = """
    INSERT INTO accounts_tablestate (name, backend, number)
    SELECT name, 0, hashtextextended(gen_random_uuid()::text, 0) FROM unnest(%s::text[]) AS name ORDER BY name
    ON CONFLICT (name, backend) DO NOTHING
"""
# The rest must not become what it was before those that go: the part that stands for them is drawn anew.
_FOLD = """
    WITH gone AS (
        DELETE FROM accounts_tablestate
        WHERE backend <> 0 AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend)
        RETURNING name
    )
    INSERT INTO accounts_tablestate (name, backend, number)
    SELECT name, 0, hashtextextended(gen_random_uuid()::text, 0) FROM (SELECT DISTINCT name FROM gone) AS tables
    ORDER BY name
    ON CONFLICT (name, backend) DO UPDATE SET number = excluded.number
"""


def begin_states(tables: Collection[str]) -> None:
    """Give tables that nobody has written yet a state."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [sorted(tables)])


def fold_states() -> None:
    """Have one part stand for those of all processes of the server that are gone: a pool replaces its connections every
    hour."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)
