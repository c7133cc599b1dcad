"""Sealing anew what lies under a former key, while everybody goes on writing.

What is left to do is seen in the rows themselves: each sealed text names its key. So whoever is interrupted goes on
where they were, several do no harm, and what somebody changes meanwhile, which seals it with the newest key anyway, is
left as they leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from accounts.core.seal import KEY_ID, CannotOpen
from accounts.field_keys import keyring
from accounts.models.sealed import SealedField, sealed_fields

AT_ONCE = 500
"""Rows that are read, and sealed anew in one transaction."""


@dataclass
class Resealed:
    """Numbers of texts: sealed anew; and left, for no key here opens them."""

    renewed: int = 0
    closed: int = 0


def keys_in_use() -> dict[str, dict[bytes, int]]:
    """By column, how many texts lie under each key, by its id. Reads every table that has sealed texts."""
    return {field.place: _counts(model, field) for model, fields in sealed_fields() for field in fields}


def reseal(*, tell: Callable[[str, int], None] = lambda table, rows: None, everything: bool = False) -> Resealed:
    """Seal with the newest key all that lies under another; or everything, which also makes the hashes anew by which
    addresses are found. `tell` is told of each table the rows gone through so far, after every batch, which is
    committed by then."""
    done = Resealed()
    for model, fields in sealed_fields():
        gone_through = 0
        for rows in _batches(model, fields, everything):
            with transaction.atomic():
                _renew(model, fields, rows, done, everything)
            gone_through += len(rows)
            tell(model._meta.label, gone_through)
    return done


def _batches(model: type[models.Model], fields: list[SealedField], everything: bool) -> Iterator[list[dict[str, Any]]]:
    """Rows that have a text under a former key, or any, in their order: the key, what names the row, and its texts."""
    columns = sorted({"id", *(name for field in fields for name in field.row), *(field.name for field in fields)})
    former = " OR ".join(f"({field.name} <> '' AND {_id_of(field)} <> %(newest)s)" for field in fields)
    query = f"""
        SELECT {", ".join(columns)} FROM {model._meta.db_table}
        WHERE id > %(after)s AND (%(everything)s OR {former}) ORDER BY id LIMIT %(limit)s
    """
    after, newest = 0, keyring().newest.id
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, {"newest": newest, "after": after, "limit": AT_ONCE, "everything": everything})
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        if not rows:
            return
        yield rows
        after = rows[-1]["id"]


def _renew(
    model: type[models.Model], fields: list[SealedField], rows: list[dict[str, Any]], done: Resealed, everything: bool
) -> None:
    """Each text only where it is still what was read: nobody waits for this, and nobody's change is lost."""
    newest = keyring().newest.id
    for field in fields:
        wanted: list[tuple[bytes, int, bytes]] = []
        for row in rows:
            before, bound = bytes(row[field.name]), field.bound(row)
            if before and (everything or before[field.head_bytes :][KEY_ID] != newest):
                try:
                    text = field.unpacked(before, bound=bound)
                    wanted.append((field.packed(text, bound=bound), row["id"], before))
                except CannotOpen:
                    done.closed += 1
        if wanted:
            update = f"UPDATE {model._meta.db_table} SET {field.name} = %s WHERE id = %s AND {field.name} = %s"
            with connection.cursor() as cursor:
                cursor.executemany(update, wanted)
            done.renewed += len(wanted)


def _counts(model: type[models.Model], field: SealedField) -> dict[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_id_of(field)}, count(*) FROM {model._meta.db_table} WHERE {field.name} <> '' GROUP BY 1"
        )
        return {bytes(key_id): count for key_id, count in cursor.fetchall()}


def _id_of(field: SealedField) -> str:
    return f"substring({field.name} from {field.head_bytes + KEY_ID.start + 1} for {KEY_ID.stop - KEY_ID.start})"
