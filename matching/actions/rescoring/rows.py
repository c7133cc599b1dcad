"""Storing matches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import connection

from accounts.queries.planned import array_of
from matching.models import Match, UnscoredPair

AT_ONCE = 500  # matches in one statement: a megabyte or two

_COLUMNS = {
    "public_id": "uuid",
    "opportunity_id": "bigint",
    "candidate_id": "bigint",
    "model_id": "bigint",
    "fit": "bigint",
    "interest": "bigint",
    "acceptance": "bigint",
    "contributions": "jsonb",
    "outcome": "text",
    "verdict": "jsonb",
    "revision_id": "bigint",
    "candidate_revision": "int",
    "rate_set_id": "bigint",
    "tie_break": "text",
    "computed_at": "timestamptz",
}
_KEY = ("opportunity_id", "candidate_id", "model_id")
# All of them as one document: as arrays, the documents within would be escaped character by character.
_STORE = f"""
    INSERT INTO matching_match ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)}
    FROM jsonb_to_recordset(%s::jsonb) AS one ({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET {
    ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in (*_KEY, "public_id"))
}
"""
_DROP_OTHERS = """
    DELETE FROM matching_match WHERE opportunity_id = ANY(%s::bigint[]) AND NOT EXISTS (
        SELECT FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS kept (opportunity_id, candidate_id, model_id)
        WHERE kept.opportunity_id = matching_match.opportunity_id AND kept.candidate_id = matching_match.candidate_id
            AND kept.model_id = matching_match.model_id
    )
"""


def store(matches: Iterable[Match]) -> None:
    """Write them, in this order, in place of those of the same pairs and models. Rows do not learn their keys."""
    rows = iter(matches)
    with connection.cursor() as cursor:
        while batch := list(islice(rows, AT_ONCE)):
            cursor.execute(_STORE, [json.dumps([{name: _told(row, name) for name in _COLUMNS} for row in batch])])


def _told(row: Match, name: str) -> Any:
    value = getattr(row, name)
    return str(value) if name in ("public_id", "computed_at") else value


def drop_others(opportunity_ids: Iterable[int], matches: Sequence[Match]) -> None:
    """Delete what is stored of these opportunities (inner ids) but for the pairs and models of these matches."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DROP_OTHERS,
            [array_of(opportunity_ids), *(array_of(getattr(row, name) for row in matches) for name in _KEY)],
        )


def note(unscored: Iterable[UnscoredPair]) -> None:
    """Record pairs that a model has no number for."""
    UnscoredPair.objects.bulk_create(
        unscored,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["model", "opportunity", "candidate"],
        update_fields=["reason", "at"],
    )
