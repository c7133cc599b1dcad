"""Skills that were merged and what became of them, and the broader and narrower kinds of skills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from django.db import connection

from accounts.queries.planned import array_of, cursor_for

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


_NAMES = """
    WITH RECURSIVE line (origin, name, next, hops) AS (
        SELECT id, name, merged_into_id, 0 FROM marketplace_skill WHERE id = ANY(%(ids)s::bigint[])
        UNION ALL
        SELECT line.origin, skill.name, skill.merged_into_id, hops + 1
        FROM line JOIN marketplace_skill skill ON skill.id = line.next
        WHERE hops < 1000
    )
    SELECT origin, name FROM line WHERE next IS NULL
"""


def skill_names(skill_ids: Iterable[int], *, taxonomy: int = 0) -> dict[int, str]:
    """The names of those of these skills that exist, of merged ones those of what they became. One query; none for
    those whose names in this state of the taxonomy the process knows already. 0 is one that may change at any time."""
    wanted = set(skill_ids)
    known = _names_known(taxonomy) if taxonomy else {}
    if unknown := wanted - known.keys():
        with cursor_for(len(unknown)) as cursor:
            cursor.execute(_NAMES, {"ids": array_of(unknown)})
            known.update(cursor.fetchall())
    return {pk: known[pk] for pk in wanted if pk in known}


@lru_cache(maxsize=1)
def _names_known(taxonomy: int) -> dict[int, str]:
    return {}


_KIN = """
    WITH RECURSIVE line (origin, skill_id) AS (
        SELECT id, id FROM unnest(%s::bigint[]) AS id
        UNION
        SELECT line.origin, step.skill_id
        FROM line CROSS JOIN LATERAL (
            SELECT link.{to} AS skill_id FROM marketplace_skillbroader link WHERE link.{via} = line.skill_id
            UNION ALL
            SELECT id FROM marketplace_skill WHERE merged_into_id = line.skill_id
            UNION ALL
            SELECT merged_into_id FROM marketplace_skill WHERE id = line.skill_id AND merged_into_id IS NOT NULL
        ) step
    )
    SELECT line.origin, line.skill_id
    FROM line JOIN marketplace_skill skill ON skill.id = line.skill_id
    WHERE skill.merged_into_id IS NULL AND line.skill_id <> line.origin
    ORDER BY 1, 2
"""
_BROADER = _KIN.format(to="broader_id", via="skill_id")
_NARROWER = _KIN.format(to="skill_id", via="broader_id")


def broader_skills(skill_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The broader kinds of each of these surviving skills, however many steps above, merges followed. One query."""
    return _kin(_BROADER, skill_ids)


def narrower_skills(skill_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The narrower kinds of each of these surviving skills, however many steps below, merges followed. One query."""
    return _kin(_NARROWER, skill_ids)


def _kin(statement: str, skill_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    wanted = sorted(set(skill_ids))
    found: dict[int, list[int]] = defaultdict(list)
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(statement, [wanted])
            for origin, skill_id in cursor.fetchall():
                found[origin].append(skill_id)
    return {origin: tuple(kin) for origin, kin in found.items()}
