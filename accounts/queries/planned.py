"""Statements whose plans Postgres keeps: those of every page, which take less time to run than to plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor, Error
from psycopg._preparing import Prepare
from psycopg._queries import PostgresQuery

FEW = 200
"""About so many rows, more than a page has, the plan for any number of them is a good one: each is looked up in an
index."""


def cursor_for(rows: int) -> CursorWrapper:
    """A cursor for one statement about so many rows that are asked for by their keys.

    About few it is parsed and planned once a connection, from the second time on (`DATABASE_KEEPS_PLANS`). What decides
    which index serves has to stand in its text, as a plan that is kept knows no parameter; and parameters are bound by
    the server, so each needs a cast. About many it is planned for their number, as any other.
    """
    cursor = connection.cursor()
    if rows <= FEW:
        cursor.cursor = _Planned(cursor.connection)
    return cursor


class _Planned(Cursor[Any]):
    """Parameters are bound by the server, and not by the client as Django's own cursors have it."""

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        try:
            return super().execute(*args, **kwargs)
        except Error:  # the type of a column was changed, it may be: whoever asks next plans anew
            self.connection._prepared.clear()
            raise

    def _get_prepared(self, pgq: PostgresQuery, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        self._query = pgq  # what was executed, for Django's log: the driver does not say of what is prepared
        return super()._get_prepared(pgq, prepare)


def array_of(ids: Iterable[int]) -> str:
    """As the literal of an array: the driver would look at each member of a list, as often as it stands in the
    statement."""
    return f"{{{','.join(map(str, ids))}}}"
