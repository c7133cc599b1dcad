"""Who may re-score at the same time.

Re-scoring one opportunity reads all candidates, re-scoring one candidate writes to all opportunities. So batches of
opportunities run side by side (`share`), and a batch of candidates runs alone (`alone`): otherwise one could overwrite
a score with facts that were read before the other's change. Marking waits for neither.
"""

from __future__ import annotations

from django.db import connection

_RESCORING = 0x6D_75_73_74_65_72  # "muster"
_MARKS = 0x6D_61_72_6B  # "mark", the first of the two halves of a claim's key


def share() -> None:
    """Until the transaction ends: re-score opportunities, with others who do."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s)", [_RESCORING])


def alone() -> None:
    """Until the transaction ends: change projections and scores of candidates."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_RESCORING])


def claim_marks(subject_type: str, limit: int) -> dict[int, tuple[int, int]]:
    """Subject id → (mark id, generation) of the oldest marks that no other worker works on, until the transaction ends.

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


def release_marks(claimed: dict[int, tuple[int, int]]) -> int:
    """Delete the marks that are still of the generation that was read; their number.

    A mark that somebody is raising at this very moment is skipped: it stays for the next drain.
    """
    if not claimed:
        return 0
    ids, generations = zip(*claimed.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM matching_mark WHERE id IN (
                SELECT mark.id FROM matching_mark mark
                JOIN unnest(%s::bigint[], %s::bigint[]) AS read (id, generation)
                    ON read.id = mark.id AND read.generation = mark.generation
                ORDER BY mark.id FOR UPDATE OF mark SKIP LOCKED
            )
            """,
            [list(ids), list(generations)],
        )
        return cursor.rowcount


def _execute(statement: str, values: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
