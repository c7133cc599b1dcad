"""What the tables say of many candidates, in one statement: what their facts are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

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


class _Part(NamedTuple):
    """What is joined to a candidate's row: the facts that are made of it, its columns of `Lists` or of the record, and
    where they are from."""

    facts: frozenset[str]
    columns: tuple[str, ...]
    source: str


def _hung(name: str, facts: str, columns: str, source: str) -> _Part:
    listed = tuple(f"{name}.{column}" for column in columns.split())
    return _Part(frozenset(facts.split()), listed, f"LEFT JOIN LATERAL ({source}) {name} ON true")


_MERGES = "SELECT EXISTS (SELECT FROM marketplace_skill WHERE merged_into_id IS NOT NULL)"

# Everything of one person is next to each other in its table's index, so each table is asked once for each person; a
# join of whole tables would be told apart again row by row in Python. In the order of `Lists`, then the record.
_PARTS = (
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
        """
        SELECT sum(weekly_hours)::int hours FROM marketplace_placement
        WHERE candidate_id = candidate.id AND state = ANY(%(live)s)
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


class Gathered(NamedTuple):
    """One candidate (inner id). `record` is None for who has none."""

    candidate_id: int
    merges: bool  # whether any skill has become another
    row: Any  # with the fields that `STATED` names
    lists: Lists
    record: dict[str, Any] | None


def gathered(candidate_ids: Collection[int], reading: Reading = EVERYTHING) -> list[Gathered]:
    """Those of these candidates (inner ids) who exist, in no order, with what the facts that are read are made of; the
    lists of others are None. Where skills have been merged, all of them are there. One statement; the résumé, which is
    long, is not read."""
    ids = list(candidate_ids)
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(tuple(not part.facts.isdisjoint(reading.facts) for part in _PARTS)),
            {
                "ids": _array(ids),
                "skills": None if reading.skills is None else _array(reading.skills),
                "live": list(LIVE_PLACEMENT_STATES),
            },
        )
        return [
            Gathered(
                one[1],
                one[0],
                _Row._make(one[_ROW]),
                Lists._make(one[_LISTS]),
                None if one[_RECORD.start] is None else dict(zip(RECORDED, one[_RECORD], strict=True)),
            )
            for one in cursor.fetchall()
        ]


def _array(ids: Iterable[int]) -> str:
    """As a literal: the driver looks at each member of a list, as often as it stands in the statement."""
    return f"{{{','.join(map(str, ids))}}}"


_Row: Any = NamedTuple("_Row", [(name, Any) for name in STATED])  # type: ignore[misc]
_ROW = slice(2, 2 + len(STATED))
_LISTS = slice(_ROW.stop, _ROW.stop + len(Lists._fields))
_RECORD = slice(_LISTS.stop, _LISTS.stop + len(RECORDED))
