"""What the tables say of many candidates, in one statement: what their facts are made of."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from accounts.queries.planned import array_of, cursor_for
from marketplace.core.workflow import LIVE_PLACEMENT_STATES
from marketplace.models import Candidate
from marketplace.queries.record import RECORDED, RECORDS
from matching.core.attributes import ATTRIBUTES
from matching.core.facts import EVERYTHING, Reading

_COLUMNS = {field.name: field.column for field in Candidate._meta.concrete_fields}
_OF_THE_ROW = (
    "revision",
    "latitude",
    "longitude",
    "work_starts_minute",
    "work_ends_minute",
    "timezone",
    "weekly_hours",
    "rate_amount",
    "rate_currency",
    "rate_period",
)
STATED = tuple(dict.fromkeys((*_OF_THE_ROW, *(one.fact for one in ATTRIBUTES.values() if one.fact in _COLUMNS))))
"""Of a candidate's own row, by the names of the model's fields."""


HUNG = (
    "headline",  # of their own row, which nothing but words of titles is made of
    "skill_ids",
    "skill_levels",
    "skill_years",
    "skill_days",
    "languages",
    "language_levels",
    "countries",
    "country_days",
    "groups",
    "checks",
    "checks_passed",
    "check_days",
    "hours_taken",
    "titles",
    "occupations",
    "mentioned",
    "titled",  # occupations that titles name
)
"""What hangs on a candidate. Lists of one table belong together, item by item; None where it has no row."""


class _Part(NamedTuple):
    """What is joined to a candidate's row: the facts that are made of it, its columns of `HUNG` or of the record, and
    where they are from."""

    facts: frozenset[str]
    columns: tuple[str, ...]
    source: str


def _hung(name: str, facts: str, columns: str, source: str) -> _Part:
    listed = tuple(f"{name}.{column}" for column in columns.split())
    return _Part(frozenset(facts.split()), listed, f"LEFT JOIN LATERAL ({source}) {name} ON true")


_LIVE = ", ".join(f"'{state}'" for state in LIVE_PLACEMENT_STATES)
_MERGES = "SELECT EXISTS (SELECT FROM marketplace_skill WHERE merged_into_id IS NOT NULL)"

# Everything of one person is next to each other in its table's index, so each table is asked once for each person; a
# join of whole tables would be told apart again row by row in Python. In the order of `HUNG`, then the record.
_PARTS = (
    _Part(frozenset({"title_words"}), ("candidate.headline",), ""),
    _hung(
        "able",
        "skills mentioned_skills",
        "ids levels years days",
        f"""
        SELECT array_agg(skill_id) ids, array_agg(level) levels, array_agg(years) years, array_agg(last_used_on) days
        FROM marketplace_candidateskill
        WHERE candidate_id = candidate.id
            AND (%(skills)s::bigint[] IS NULL OR skill_id = ANY(%(skills)s::bigint[]) OR ({_MERGES}))
        """,
    ),
    _hung(
        "spoken",
        "languages",
        "languages levels",
        """
        SELECT array_agg(language ORDER BY language) languages, array_agg(level ORDER BY language) levels
        FROM marketplace_candidatelanguage WHERE candidate_id = candidate.id
        """,
    ),
    _hung(
        "entitled",
        "work_authorisations",
        "countries days",
        """
        SELECT array_agg(country ORDER BY country) countries, array_agg(expires_on ORDER BY country) days
        FROM marketplace_workauthorisation WHERE candidate_id = candidate.id
        """,
    ),
    _hung(
        "grouped",
        "groups",
        "ids",
        "SELECT array_agg(group_id) ids FROM marketplace_candidategroupmembership WHERE candidate_id = candidate.id",
    ),
    _hung(
        "vetted",
        "vetting",
        "kinds passed days",
        """
        SELECT array_agg(kind ORDER BY kind) kinds, array_agg(passed ORDER BY kind) passed,
            array_agg(until ORDER BY kind) days
        FROM marketplace_vettingresult WHERE candidate_id = candidate.id
        """,
    ),
    _hung(
        "taken",
        "free_hours",
        "hours",
        f"""
        SELECT sum(weekly_hours)::int hours FROM marketplace_placement
        WHERE candidate_id = candidate.id AND state IN ({_LIVE})
        """,
    ),
    _hung(
        "experienced",
        "title_words occupations",
        "titles occupations",
        """
        SELECT array_agg(title ORDER BY starts_on DESC, id) titles,
            array_agg(occupation_id ORDER BY starts_on DESC, id) occupations
        FROM marketplace_workexperience WHERE candidate_id = candidate.id
        """,
    ),
    _Part(
        frozenset({"mentioned_skills", "occupations"}),
        ("told.skill_ids", "told.occupation_ids"),
        "LEFT JOIN marketplace_candidatementions told ON told.candidate_id = candidate.id",
    ),
    _Part(
        frozenset(RECORDED),
        tuple(f"record.{name}" for name in RECORDED),
        f"LEFT JOIN ({RECORDS}) record ON record.candidate_id = candidate.id",
    ),
)


@cache
def _statement(parts: tuple[bool, ...]) -> str:
    """Of a part that is left out every column is null."""
    own = [f"candidate.{_COLUMNS[name]}" for name in STATED]
    hung = [name if is_in else "NULL" for part, is_in in zip(_PARTS, parts, strict=True) for name in part.columns]
    sources = [part.source for part, is_in in zip(_PARTS, parts, strict=True) if is_in]
    return f"""
        SELECT ({_MERGES}), candidate.id,
            {", ".join([*own, *hung])}
        FROM marketplace_candidate candidate {" ".join(sources)}
        WHERE candidate.id = ANY(%(ids)s::bigint[])
    """


Gathered: Any = NamedTuple(  # type: ignore[misc]
    "Gathered", [(name, Any) for name in ("merges", "candidate_id", *STATED, *HUNG, *RECORDED)]
)
"""One candidate (inner id). `merges`: whether any skill has become another. Of whom there is no record, all of it is
None."""


def gathered(candidate_ids: Collection[int], reading: Reading = EVERYTHING) -> list[Any]:
    """Those of these candidates (inner ids) who exist, in no order, with what the facts that are read are made of: each
    `Gathered`, where what others are made of is None. Where skills have been merged, all of them are there. One
    statement; the résumé, which is long, is not read."""
    ids = list(candidate_ids)
    if not ids:
        return []
    with cursor_for(len(ids)) as cursor:
        cursor.execute(
            _statement(tuple(not part.facts.isdisjoint(reading.facts) for part in _PARTS)),
            {"ids": array_of(ids), "skills": None if reading.skills is None else array_of(reading.skills)},
        )
        return [Gathered._make(row) for row in cursor.fetchall()]
