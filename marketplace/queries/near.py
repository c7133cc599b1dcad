"""Skills near to others, by the taxonomy's broader links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from django.db import connection

from marketplace.queries.taxonomy import taxonomy_revision

MOST_NEAR = 40  # of one skill, the closest
NARROWER = 800  # thousandths: who has a kind of it has nearly all of it
BROADER = 600  # the general thing without the special one
SIBLING = 400  # another kind of the same thing …
SMALL_FAMILY = 8  # … where there are so few kinds; among n it is this ÷ n of it: a large family is no kinship
LEAST = 40  # below, it is not near

Near = tuple[tuple[int, int], ...]
"""Near skill ids and their closeness in thousandths, the closest first, then by id."""

_LINKS = """
    WITH RECURSIVE line (origin, next) AS (
        SELECT id, merged_into_id FROM marketplace_skill WHERE merged_into_id IS NOT NULL
        UNION
        SELECT line.origin, skill.merged_into_id
        FROM line JOIN marketplace_skill skill ON skill.id = line.next
        WHERE skill.merged_into_id IS NOT NULL
    ), became AS (
        SELECT line.origin, line.next
        FROM line JOIN marketplace_skill skill ON skill.id = line.next AND skill.merged_into_id IS NULL
    )
    SELECT DISTINCT COALESCE(narrow.next, link.skill_id), broad.id, broad.kind = 'group'
    FROM marketplace_skillbroader link
    LEFT JOIN became narrow ON narrow.origin = link.skill_id
    LEFT JOIN became above ON above.origin = link.broader_id
    JOIN marketplace_skill broad ON broad.id = COALESCE(above.next, link.broader_id)
    WHERE broad.id <> COALESCE(narrow.next, link.skill_id)
    ORDER BY 1, 2
"""


class Kinship:
    """The broader links of a taxonomy, merges followed."""

    def __init__(self, links: Iterable[tuple[int, int, bool]]) -> None:
        """`links`: (skill, a broader one, whether that is a mere heading, which nobody has)."""
        self._narrower: dict[int, list[int]] = defaultdict(list)
        self._broader: dict[int, list[int]] = defaultdict(list)
        self._headings: set[int] = set()
        self._known: dict[int, Near] = {}
        for skill_id, broader_id, is_heading in links:
            self._narrower[broader_id].append(skill_id)
            self._broader[skill_id].append(broader_id)
            if is_heading:
                self._headings.add(broader_id)

    def near(self, skill_id: int) -> Near:
        """The `MOST_NEAR` closest: narrower and broader skills, and other kinds of these broader ones. Where two ways
        lead to a skill, the shorter counts."""
        if skill_id not in self._known:
            self._known[skill_id] = self._near(skill_id)
        return self._known[skill_id]

    def _near(self, skill_id: int) -> Near:
        found: dict[int, int] = {}
        for broader_id in self._broader.get(skill_id, ()):
            kinds = self._narrower[broader_id]
            closeness = SIBLING * SMALL_FAMILY // max(len(kinds), SMALL_FAMILY)
            if closeness >= LEAST:
                found |= {kind: max(closeness, found.get(kind, 0)) for kind in kinds}
        found |= dict.fromkeys(self._broader.get(skill_id, ()), BROADER)
        found |= dict.fromkeys(self._narrower.get(skill_id, ()), NARROWER)
        near = ((key, closeness) for key, closeness in found.items() if key != skill_id and key not in self._headings)
        return tuple(sorted(near, key=lambda one: (-one[1], one[0]))[:MOST_NEAR])


def kinship() -> Kinship:
    """Of the present taxonomy: read once per process and revision. One that never had a revision may change at any
    time and is read each time."""
    revision = taxonomy_revision()
    return _kinship(revision) if revision else _read()


@lru_cache(maxsize=1)
def _kinship(revision: int) -> Kinship:
    return _read()


def _read() -> Kinship:
    with connection.cursor() as cursor:
        cursor.execute(_LINKS)
        return Kinship(cursor.fetchall())
