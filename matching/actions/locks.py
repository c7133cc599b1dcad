"""Who may re-score at the same time.

Re-scoring one opportunity reads all candidates, re-scoring one candidate, or one pair, writes to all opportunities. So
batches of opportunities run side by side (`share`), and a batch of candidates or of pairs runs alone (`alone`):
otherwise one could overwrite a score with facts that were read before the other's change. Marking waits for neither.

Whoever scores an opportunity as a whole holds it (`scoring`): of two the later one writes last, and it reads last.

A re-scoring at large is started, cut into chunks and ended by one at a time (`planning`).

Projections are written one batch after another (`projecting`), so that of two writers of a row the one who read it
later has the higher transaction number.

Documents are sent by many at a time (`indexing`), and by nobody while an index appears or is put to use
(`switching_indices`): so whoever sends knows of every index that is to have the documents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection

from matching.core.attributes import Subject

_RESCORING = 0x6D_75_73_74_65_72  # "muster"
_PROJECTING = 0x63_6F_70_79_69_6E_67  # "copying"
_MARKS = 0x6D_61_72_6B  # "mark", the first of the two halves of a claim's key
_COPY_MARKS = 0x63_6F_70_79  # "copy"
_SHADOW_MARKS = 0x73_68_64_77  # "shdw"
_INDEXING = 0x69_6E_64_78  # "indx"
_REBUILDING = 0x62_6C_64_73  # "blds"
_TRAINING = 0x74_72_6E_67  # "trng", of a segment
_TRAINING_RUN = 0x72_75_6E_73  # "runs"
_LOGGING = 0x73_68_6F_77  # "show"
_PLANNING = 0x70_6C_61_6E  # "plan"
_SCORING = 0x73_63_6F_72  # "scor"
_SUBJECTS = {Subject.CANDIDATE: 1, Subject.OPPORTUNITY: 2}  # the second halves of these two

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


class CopyClaim(NamedTuple):
    """A copy mark that is being worked off."""

    mark: Claim
    urgent: bool


def projecting() -> None:
    """Until the transaction ends: write projections. Before the transaction has written anything: its number must not
    be older than what it reads."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_PROJECTING])


def share() -> None:
    """Until the transaction ends: re-score opportunities, with others who do."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s)", [_RESCORING])


def alone() -> None:
    """Until the transaction ends: change projections and scores of candidates."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_RESCORING])


def scoring(opportunity_ids: Iterable[int]) -> None:
    """Until the transaction ends: score these opportunities as a whole. Whoever takes more of them later in the same
    transaction takes higher ones, so that no two wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, (id %% 2147483647)::int) FROM unnest(%s::bigint[]) AS id",
            [_SCORING, sorted(opportunity_ids)],
        )


def planning() -> None:
    """Until the transaction ends: start, plan or end a re-scoring at large."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_PLANNING])


def indexing(subject: Subject) -> None:
    """Until the transaction ends: send documents, with others who do."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_INDEXING, _SUBJECTS[subject]])


def switching_indices(subject: Subject) -> None:
    """Until the transaction ends: change which indices there are. Waits for the batches that are being sent."""
    _execute("SELECT pg_advisory_xact_lock(%s, %s)", [_INDEXING, _SUBJECTS[subject]])


def may_rebuild(subject: Subject) -> bool:
    """Whether nobody else builds an index; then nobody begins to before `rebuilt`, or before the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_REBUILDING, _SUBJECTS[subject]])
        return bool(cursor.fetchone()[0])


def rebuilt(subject: Subject) -> None:
    _execute("SELECT pg_advisory_unlock(%s, %s)", [_REBUILDING, _SUBJECTS[subject]])


def may_train(segment_id: int) -> bool:
    """Whether nobody else trains for a segment; then nobody does before `trained`, or before the connection ends."""
    return _try([_TRAINING, segment_id])


def trained(segment_id: int) -> None:
    _execute("SELECT pg_advisory_unlock(%s, (%s %% 2147483647)::int)", [_TRAINING, segment_id])


def may_run(run_id: int) -> bool:
    """Whether no other worker is at a training; then none begins to before `ran`, or before the connection ends."""
    return _try([_TRAINING_RUN, run_id])


def ran(run_id: int) -> None:
    _execute("SELECT pg_advisory_unlock(%s, (%s %% 2147483647)::int)", [_TRAINING_RUN, run_id])


def logging_for(user_id: int | None) -> None:
    """Until the transaction ends: log what was shown to this person. Two tabs at once log one after the other."""
    _execute("SELECT pg_advisory_xact_lock(%s, (%s %% 2147483647)::int)", [_LOGGING, user_id or 0])


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


def claim_shadow_marks(limit: int) -> list[int]:
    """Opportunities that are marked for models in the shadow and that no other worker works on, until the transaction
    ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH oldest AS MATERIALIZED (
                SELECT opportunity_id FROM matching_shadowmark ORDER BY since, opportunity_id LIMIT %s
            )
            SELECT opportunity_id FROM oldest
            WHERE pg_try_advisory_xact_lock(%s, (opportunity_id %% 2147483647)::int) LIMIT %s
            """,
            [limit + 15, _SHADOW_MARKS, limit],  # more than are wanted: others may have the first of them
        )
        return [opportunity_id for (opportunity_id,) in cursor.fetchall()]


def claim_pair_marks(limit: int) -> dict[tuple[int, int], Claim]:
    """By opportunity and candidate, the oldest marks of pairs. The caller is alone, which is claim enough."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT opportunity_id, candidate_id, id, generation FROM matching_pairmark ORDER BY since, id LIMIT %s",
            [limit],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def claim_copy_marks(stage: str, subject_type: str, limit: int) -> dict[int, CopyClaim]:
    """By subject, what is urgent first, then the oldest, that no other worker works on, until the transaction ends.
    What the index refused comes again when it has changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH oldest AS MATERIALIZED (
                SELECT id, subject_id, generation, urgent FROM matching_copymark
                WHERE stage = %s AND subject_type = %s AND refused_generation IS DISTINCT FROM generation
                ORDER BY urgent DESC, since, id LIMIT %s
            )
            SELECT subject_id, id, generation, urgent FROM oldest
            WHERE pg_try_advisory_xact_lock(%s, (id %% 2147483647)::int)
            """,
            [stage, subject_type, 2 * limit, _COPY_MARKS],
        )
        rows = cursor.fetchmany(limit)
    return {subject_id: CopyClaim((mark_id, generation), urgent) for subject_id, mark_id, generation, urgent in rows}


def release_copy_marks(claimed: Collection[CopyClaim]) -> int:
    """Delete those that are still of the generation that was read; their number."""
    return _release("matching_copymark", [claim.mark for claim in claimed])


def release_marks(claimed: Mapping[Any, Claim]) -> int:
    """Delete the marks that are still of the generation that was read; their number.

    A mark that somebody is raising at this very moment is skipped: it stays for the next drain.
    """
    return _release("matching_mark", claimed.values())


def release_pair_marks(claimed: Mapping[Any, Claim]) -> int:
    return _release("matching_pairmark", claimed.values())


def _release(table: str, claimed: Collection[Claim]) -> int:
    if not claimed:
        return 0
    ids, generations = zip(*claimed, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE.format(table=table), [list(ids), list(generations)])
        return cursor.rowcount


def _try(values: list[int]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, (%s %% 2147483647)::int)", values)
        return bool(cursor.fetchone()[0])


def _execute(statement: str, values: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
