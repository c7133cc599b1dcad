"""Which transaction changed a row last: how an index in memory follows a table without missing a commit.

A reader remembers `pg_snapshot_xmin(pg_current_snapshot())`, taken in the very statement that read the rows. Whatever
commits later has that number or a higher one, in whatever order transactions commit; so reading `changed_xid >=` it
again sees every change, some of them twice. A sequence would miss those that are drawn early and committed late.
"""

from __future__ import annotations

import pgtrigger


def changes_are_numbered(*columns: str) -> pgtrigger.Trigger:
    """Sets `changed_xid` of a row that is inserted, or updated in one of these columns (any, if none is named)."""
    update = pgtrigger.UpdateOf(*columns) if columns else pgtrigger.Update
    return pgtrigger.Trigger(
        name="changes_are_numbered",
        operation=pgtrigger.Insert | update,
        when=pgtrigger.Before,
        func="NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW;",
    )
