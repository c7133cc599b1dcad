"""Sealing a column of addresses, which is plain until then: some forty thousand a second, in one transaction.

Rows are written anew. What Postgres keeps of their former versions goes with a `VACUUM FULL` of the table, and from the
disk when it is overwritten.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from accounts.core.seal import bound_to
from accounts.field_keys import blind, seal

AT_ONCE = 5_000


def sealing(*, table: str, place: str, row: str) -> list[Any]:
    """The operations of the database. `row` is the column that names the row, to which its address is bound."""

    def seal_what_is_there(apps: Any, schema_editor: Any) -> None:
        after: int | None = 0
        with schema_editor.connection.cursor() as cursor:
            while after is not None:
                after = _seal_next(cursor, table, place, row, after)

    return [
        migrations.RunSQL(f"ALTER TABLE {table} RENAME COLUMN email TO email_plain"),
        migrations.RunSQL(f"ALTER TABLE {table} ADD COLUMN email bytea NOT NULL DEFAULT ''"),
        migrations.RunPython(seal_what_is_there),
        migrations.RunSQL(f"ALTER TABLE {table} ALTER COLUMN email DROP DEFAULT, DROP COLUMN email_plain"),
    ]


def _seal_next(cursor: Any, table: str, place: str, row: str, after: int) -> int | None:
    """The key up to which everything is sealed; None at the end."""
    cursor.execute(
        f"SELECT id, {row}, email_plain FROM {table} WHERE id > %s AND email_plain <> '' ORDER BY id LIMIT %s",
        [after, AT_ONCE],
    )
    rows = cursor.fetchall()
    if not rows:
        return None
    sealed = [
        blind("address", [address.lower()]) + seal(address, bound=bound_to(place, [named]))
        for _, named, address in rows
    ]
    cursor.execute(
        f"UPDATE {table} AS one SET email = done.email FROM unnest(%s::bigint[], %s::bytea[]) AS done (id, email)"
        " WHERE one.id = done.id",
        [[one[0] for one in rows], sealed],
    )
    return int(rows[-1][0])
