"""What the tables say of many candidates, in one statement: what their facts are made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import connection

from marketplace.core.workflow import LIVE_PLACEMENT_STATES
from marketplace.models import Candidate
from marketplace.queries.record import RECORDED, RECORDS
from matching.core.attributes import ATTRIBUTES

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
    "headline",
)
STATED = tuple(dict.fromkeys((*_OF_THE_ROW, *(one.fact for one in ATTRIBUTES.values() if one.fact in _COLUMNS))))
"""Of a candidate's own row, by the names of the model's fields."""


class Lists(NamedTuple):
    """What hangs on one candidate. Lists of one table belong together, item by item; None where it has no row."""

    skill_ids: list[int] | None
    skill_levels: list[int] | None
    skill_years: list[Any] | None
    skill_days: list[Any] | None
    languages: list[str] | None
    language_levels: list[int] | None
    countries: list[str] | None
    country_days: list[Any] | None
    groups: list[int] | None
    checks: list[str] | None
    checks_passed: list[bool] | None
    check_days: list[Any] | None
    hours_taken: int | None
    titles: list[str] | None
    occupations: list[int | None] | None
    mentioned: list[int] | None
    titled: list[int] | None  # occupations that titles name


# Everything of one person is next to each other in its table's index, so each table is asked once for each person; a
# join of whole tables would be told apart again row by row in Python.
_GATHERED = f"""
    SELECT candidate.id, {", ".join(f"candidate.{_COLUMNS[name]}" for name in STATED)},
        able.*, spoken.*, entitled.*, grouped.*, vetted.*, taken.*, experienced.*, told.skill_ids, told.occupation_ids,
        {", ".join(f"record.{name}" for name in RECORDED)}
    FROM marketplace_candidate candidate
    LEFT JOIN LATERAL (
        SELECT array_agg(skill_id), array_agg(level), array_agg(years), array_agg(last_used_on)
        FROM marketplace_candidateskill WHERE candidate_id = candidate.id
    ) able ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(language ORDER BY language), array_agg(level ORDER BY language)
        FROM marketplace_candidatelanguage WHERE candidate_id = candidate.id
    ) spoken ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(country ORDER BY country), array_agg(expires_on ORDER BY country)
        FROM marketplace_workauthorisation WHERE candidate_id = candidate.id
    ) entitled ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(group_id) FROM marketplace_candidategroupmembership WHERE candidate_id = candidate.id
    ) grouped ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(kind ORDER BY kind), array_agg(passed ORDER BY kind), array_agg(until ORDER BY kind)
        FROM marketplace_vettingresult WHERE candidate_id = candidate.id
    ) vetted ON true
    LEFT JOIN LATERAL (
        SELECT sum(weekly_hours)::int FROM marketplace_placement
        WHERE candidate_id = candidate.id AND state = ANY(%(live)s)
    ) taken ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(title ORDER BY starts_on DESC, id), array_agg(occupation_id ORDER BY starts_on DESC, id)
        FROM marketplace_workexperience WHERE candidate_id = candidate.id
    ) experienced ON true
    LEFT JOIN marketplace_candidatementions told ON told.candidate_id = candidate.id
    LEFT JOIN ({RECORDS}) record ON record.candidate_id = candidate.id
    WHERE candidate.id = ANY(%(ids)s::bigint[])
"""


class Gathered(NamedTuple):
    """One candidate (inner id). `record` is None for who has none."""

    candidate_id: int
    row: Any  # with the fields that `STATED` names
    lists: Lists
    record: dict[str, Any] | None


def gathered(candidate_ids: Collection[int]) -> list[Gathered]:
    """Those of these candidates (inner ids) who exist, in no order. One statement; the résumé, which is long, is not
    read."""
    ids = list(candidate_ids)
    if not ids:
        return []
    with connection.cursor() as cursor:
        # As a literal of an array: the driver looks at each member of a list, as often as it stands in the statement.
        cursor.execute(_GATHERED, {"ids": f"{{{','.join(map(str, ids))}}}", "live": list(LIVE_PLACEMENT_STATES)})
        return [
            Gathered(
                one[0],
                _Row._make(one[_ROW]),
                Lists._make(one[_LISTS]),
                None if one[_RECORD.start] is None else dict(zip(RECORDED, one[_RECORD], strict=True)),
            )
            for one in cursor.fetchall()
        ]


_Row: Any = NamedTuple("_Row", [(name, Any) for name in STATED])  # type: ignore[misc]
_ROW = slice(1, 1 + len(STATED))
_LISTS = slice(_ROW.stop, _ROW.stop + len(Lists._fields))
_RECORD = slice(_LISTS.stop, _LISTS.stop + len(RECORDED))
