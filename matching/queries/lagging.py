"""What copies do not know yet.

Every action appends its events in its own transaction, so whoever asks sees, in the very snapshot that shows them a
change, the delivery that will have it copied, then the mark that it made. Whatever has neither is copied as it is.
"""

from __future__ import annotations

from accounts.queries.planned import cursor_for
from matching.core.attributes import Subject

CONSUMER = "copies"

_LAGGING = f"""
    SELECT event.aggregate_id
    FROM accounts_delivery delivery JOIN accounts_event event ON event.id = delivery.event_id
    WHERE delivery.consumer = '{CONSUMER}' AND delivery.state <> 'done' AND event.aggregate_type = %s
    UNION
    SELECT subject_id FROM matching_copymark WHERE urgent AND subject_type = %s AND stage = ANY(%s::text[])
    LIMIT %s::bigint
"""
PROJECTED, INDEXED = ["projection"], ["projection", "index"]


def lagging(subject: Subject, *, stages: list[str], at_most: int) -> frozenset[int]:
    """Inner ids of those that copies up to these stages may be wrong about; no more than `at_most` + 1 of them."""
    with cursor_for(1) as cursor:
        cursor.execute(_LAGGING, [subject.value, subject.value, stages, at_most + 1])
        return frozenset(pk for (pk,) in cursor.fetchall())
