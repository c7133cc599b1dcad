"""Skills that were merged and what became of them, and the broader kinds of skills."""

from __future__ import annotations

from collections import defaultdict
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


_BROADER = """
    WITH RECURSIVE above (origin, skill_id) AS (
        SELECT id, id FROM unnest(%s::bigint[]) AS id
        UNION
        SELECT above.origin, step.skill_id
        FROM above CROSS JOIN LATERAL (
            SELECT link.broader_id AS skill_id FROM marketplace_skillbroader link WHERE link.skill_id = above.skill_id
            UNION ALL
            SELECT id FROM marketplace_skill WHERE merged_into_id = above.skill_id
            UNION ALL
            SELECT merged_into_id FROM marketplace_skill WHERE id = above.skill_id AND merged_into_id IS NOT NULL
        ) step
    )
    SELECT above.origin, above.skill_id
    FROM above JOIN marketplace_skill skill ON skill.id = above.skill_id
    WHERE skill.merged_into_id IS NULL AND above.skill_id <> above.origin
    ORDER BY 1, 2
"""


def broader_skills(skill_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The broader kinds of each of these surviving skills, however many steps above, merges followed. One query."""
    wanted = sorted(set(skill_ids))
    found: dict[int, list[int]] = defaultdict(list)
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(_BROADER, [wanted])
            for origin, skill_id in cursor.fetchall():
                found[origin].append(skill_id)
    return {origin: tuple(above) for origin, above in found.items()}
