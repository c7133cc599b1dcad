"""Who may re-score at the same time.

Re-scoring one opportunity reads all candidates, re-scoring one candidate, or one pair, writes to all opportunities. So
batches of opportunities run side by side (`share`), and a batch of candidates or of pairs runs alone (`alone`):
otherwise one could overwrite a score with facts that were read before the other's change. Marking waits for neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

_RESCORING = 0x6D_75_73_74_65_72  # "muster"
_MARKS = 0x6D_61_72_6B  # "mark", the first of the two halves of a claim's key

Claim = tuple[int, int]
"""A mark's id and the generation that was read of it."""

_RELEASE = """
    DELETE FROM {table} WHERE id IN (
        SELECT mark.id FROM {table} mark
        JOIN unnest(%s::bigint[], %s::bigint[]) AS read (id, generation)
            ON read.id = mark.id AND read.generation = mark.generation
        ORDER BY mark.id FOR UPDATE OF mark SKIP LOCKED
    )
"""


def share() -> None:
    """Until the transaction ends: re-score opportunities, with others who do."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s)", [_RESCORING])


def alone() -> None:
    """Until the transaction ends: change projections and scores of candidates."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_RESCORING])


def nobody_is_alone() -> bool:
    """Whether no batch of candidates or pairs is at work; then none begins until the transaction ends. Never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [_RESCORING])
        return bool(cursor.fetchone()[0])


def claim_marks(subject_type: str, limit: int) -> dict[int, Claim]:
    """By subject, the oldest marks that no other worker works on, until the transaction ends.

    The rows themselves stay unlocked: whoever marks a subject again meanwhile does not wait, and the mark survives by
    its newer generation.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH oldest AS MATERIALIZED (
                SELECT id, subject_id, generation FROM matching_mark
                WHERE subject_type = %s ORDER BY since, id LIMIT %s
            )
            SELECT subject_id, id, generation FROM oldest
            WHERE pg_try_advisory_xact_lock(%s, (id %% 2147483647)::int)
            """,
            [subject_type, 2 * limit, _MARKS],
        )
        rows = cursor.fetchmany(limit)
    return {subject_id: (mark_id, generation) for subject_id, mark_id, generation in rows}


def claim_pair_marks(limit: int) -> dict[tuple[int, int], Claim]:
    """By opportunity and candidate, the oldest marks of pairs. The caller is alone, which is claim enough."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT opportunity_id, candidate_id, id, generation FROM matching_pairmark ORDER BY since, id LIMIT %s",
            [limit],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def release_marks(claimed: Mapping[Any, Claim]) -> int:
    """Delete the marks that are still of the generation that was read; their number.

    A mark that somebody is raising at this very moment is skipped: it stays for the next drain.
    """
    return _release("matching_mark", claimed)


def release_pair_marks(claimed: Mapping[Any, Claim]) -> int:
    return _release("matching_pairmark", claimed)


def _release(table: str, claimed: Mapping[Any, Claim]) -> int:
    if not claimed:
        return 0
    ids, generations = zip(*claimed.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE.format(table=table), [list(ids), list(generations)])
        return cursor.rowcount


def _execute(statement: str, values: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
