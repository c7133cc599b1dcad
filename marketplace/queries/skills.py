"""Skills that were merged, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

_SURVIVORS = """
    WITH RECURSIVE line (origin, next, hops) AS (
        SELECT id, merged_into_id, 0 FROM marketplace_skill WHERE id = ANY(%s) AND merged_into_id IS NOT NULL
        UNION ALL
        SELECT line.origin, skill.merged_into_id, hops + 1
        FROM line JOIN marketplace_skill skill ON skill.id = line.next
        WHERE skill.merged_into_id IS NOT NULL AND hops < 1000
    )
    SELECT DISTINCT ON (origin) origin, next FROM line ORDER BY origin, hops DESC
"""


def survivors(skill_ids: Iterable[int]) -> dict[int, int]:
    """The merged ones among these skills, each with the one that it became in the end. One query."""
    wanted = sorted(set(skill_ids))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SURVIVORS, [wanted])
        return dict(cursor.fetchall())
