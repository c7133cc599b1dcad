"""How an index in memory asks a table what has changed, for all whose rows have a `changed_xid`
(`accounts.models.changes`)."""

from __future__ import annotations

PRESENT = """present AS MATERIALIZED (
        SELECT pg_snapshot_xmin(snapshot)::text::bigint AS horizon, pg_snapshot_xmax(snapshot)::text::bigint AS unborn,
            pg_current_xact_id_if_assigned()::text::bigint AS own,
            (SELECT id FROM marketplace_taxonomyrevision ORDER BY number DESC LIMIT 1) AS taxonomy
        FROM pg_current_snapshot() AS snapshot
    )"""
"""The moment that a statement sees: whatever commits later has the number `horizon` or a higher one."""

RECENT = "(changed.changed_xid < present.unborn OR changed.changed_xid = present.own)"
"""Of a row called `changed`. Numbers that no transaction of this server has reached come from a dump of another
server's: they say nothing, and would have their rows read again for every answer."""
