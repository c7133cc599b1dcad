"""Filling the large tables of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

from django.db import connection
from django.db.models import Model


def drop_indexes(cursor: Any, table: str) -> list[str]:
    """Drop a table's indexes that back no constraint: building them anew is faster than row by row. Returns what makes
    them again."""
    cursor.execute(
        """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """,
        [table],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


@contextmanager
def copying(*models: type[Model]) -> Iterator[Callable[[Iterable[Model]], None]]:
    """What sends rows to the server while more are made: to each table through a connection of its own, without
    triggers. Rows without a key get the next one."""
    with ExitStack() as stack:
        copies = {model: stack.enter_context(_copied(model)) for model in models}
        columns = {model: [field.attname for field in model._meta.concrete_fields] for model in models}
        keys = {model: count(1) for model in models}

        def send(rows: Iterable[Model]) -> None:
            for row in rows:
                model = type(row)
                if row.pk is None:
                    row.pk = next(keys[model])
                copies[model].write_row([getattr(row, column) for column in columns[model]])

        yield send


@contextmanager
def _copied(model: type[Model]) -> Iterator[Any]:
    own = connection.copy()
    names = ", ".join(field.column for field in model._meta.concrete_fields)
    try:
        with own.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            with cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
                yield copy
    finally:
        own.close()
