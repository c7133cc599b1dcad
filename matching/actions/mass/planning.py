"""Cutting a re-scoring into chunks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Sum

from matching.models import Rescore, RescoreChunk
from matching.queries.affected import affected

Phase = RescoreChunk.Phase
SIZES = {Phase.PROJECT: 200, Phase.SETTLE: 50, Phase.SCORE: 20}
"""Subjects of a chunk. One that takes longer than a chunk may is worked on in several goes."""

_LEFT = """
    SELECT unnest(chunk.ids[chunk.done + 1:]) FROM matching_rescorechunk chunk
    JOIN matching_rescore job ON job.id = chunk.rescore_id
    WHERE job.superseded_by_id = %s AND chunk.phase = ANY(%s)
"""
_CUT = """
    INSERT INTO matching_rescorechunk (rescore_id, phase, ids, size, done, failed)
    SELECT %s, %s, array_agg(id ORDER BY id), count(*), 0, 0
    FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS number FROM ({subjects}) AS subject (id)) numbered
    GROUP BY number ORDER BY number
"""
_CHOSEN = "SELECT unnest(ids) FROM matching_rescorechunk WHERE rescore_id = %s AND phase = %s"

Statement = tuple[str, list[Any]]


def plan(job: Rescore, now: datetime) -> int:
    """Write the chunks of all that its scopes are about and that it has taken over; the number of subjects.

    Everybody comes at most once: who is scored for all opportunities is copied with that, and where all opportunities
    are scored anyway, nobody has to be.
    """
    found = affected(job.scopes, now)
    copied, settled = [*found.copied], [*found.settled]
    left_of = {phase: [phase.value] for phase in Phase}
    if found.scores_all:
        copied, settled = copied + settled, []
        left_of[Phase.PROJECT], left_of[Phase.SETTLE] = [Phase.PROJECT, Phase.SETTLE], []
    _cut(job, Phase.SETTLE, _union(job, settled, left_of[Phase.SETTLE]))
    people, values = _union(job, copied, left_of[Phase.PROJECT])
    _cut(job, Phase.PROJECT, (f"({people}) EXCEPT {_CHOSEN}", [*values, job.pk, Phase.SETTLE.value]))
    _cut(job, Phase.SCORE, _union(job, found.scored, left_of[Phase.SCORE]))
    total: int = job.chunks.aggregate(total=Sum("size", default=0))["total"]
    return total


def _union(job: Rescore, queries: Iterable[QuerySet[Any]], left_of: list[int]) -> Statement:
    statements, values = [_LEFT], [job.pk, [int(phase) for phase in left_of]]
    for query in queries:
        try:
            statement, given = query.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:  # Django knows already that nobody is meant
            continue
        statements.append(statement)
        values += given
    return " UNION ".join(f"({one})" for one in statements), values


def _cut(job: Rescore, phase: RescoreChunk.Phase, subjects: Statement) -> None:
    statement, values = subjects
    with connection.cursor() as cursor:
        cursor.execute(_CUT.format(subjects=statement), [job.pk, phase.value, SIZES[phase], *values])
