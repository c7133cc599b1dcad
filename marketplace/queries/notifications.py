"""What somebody was told since a moment: all of it and once, in whatever order transactions commit.

A number that is drawn early may be committed late, so "those after the last" would miss some. A moment is therefore a
snapshot of the database's: new is what it did not see. Nothing waits for the oldest transaction to end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection

from marketplace.models import Notification

BATCH = 100
_GLANCED = 16
"""Of the newest of each inbox. One that is committed later than so many with higher numbers is told with the next."""


@dataclass(frozen=True)
class Moment:
    """Told is what `since` sees, and of what `until` sees the rows up to `after_id` (0 where there is no `until`).
    Both are what Postgres calls a `pg_snapshot`, as text."""

    since: str
    until: str = ""
    after_id: int = 0


class MomentUnknown(ValueError):
    """Nobody can tell what came after it."""


@dataclass(frozen=True)
class Told:
    """Rows in their order, oldest first, and the moment after them."""

    rows: list[Notification]
    moment: Moment
    has_more: bool


def present_moment() -> Moment:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return Moment(cursor.fetchone()[0])


def told_since(user_id: int, moment: Moment) -> Told:
    """What this user (inner id) was told since, at most `BATCH` of it. Two statements, one where there is nothing.

    Raises `MomentUnknown` for one that this server has not reached: it was another's, of which this is a copy.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH asked AS (
                SELECT %(since)s::pg_snapshot AS since,
                    coalesce(nullif(%(until)s, '')::pg_snapshot, pg_current_snapshot()) AS until
            )
            SELECT pg_snapshot_xmax(asked.since) > pg_snapshot_xmax(pg_current_snapshot()), asked.until::text, array(
                SELECT one.id FROM marketplace_notification one
                WHERE one.user_id = %(user)s AND one.id > %(after)s
                    AND one.created_xid >= pg_snapshot_xmin(asked.since)::text::bigint
                    AND NOT pg_visible_in_snapshot(one.created_xid::text::xid8, asked.since)
                    AND pg_visible_in_snapshot(one.created_xid::text::xid8, asked.until)
                ORDER BY one.id LIMIT %(limit)s
            )
            FROM asked
            """,
            {
                "since": moment.since,
                "until": moment.until,
                "user": user_id,
                "after": moment.after_id,
                "limit": BATCH + 1,
            },
        )
        is_of_another, until, ids = cursor.fetchone()
    if is_of_another:
        raise MomentUnknown
    has_more = len(ids) > BATCH
    rows = list(Notification.objects.filter(pk__in=ids[:BATCH]).order_by("pk")) if ids else []
    after = Moment(moment.since, until, ids[BATCH - 1]) if has_more else Moment(until)
    # What came after `until` is looked for at once: it rang before that snapshot was gone through.
    return Told(rows, after, has_more or bool(moment.until))


def inboxes(user_ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    """The newest of each of these users' notifications, by inner ids: what differs where somebody was told anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.id, array(
                SELECT one.id FROM marketplace_notification one
                WHERE one.user_id = asked.id ORDER BY one.id DESC LIMIT %s
            )
            FROM unnest(%s::bigint[]) AS asked (id)
            """,
            [_GLANCED, list(user_ids)],
        )
        return {user_id: tuple(ids) for user_id, ids in cursor.fetchall()}
