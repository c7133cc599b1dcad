"""Answers that are kept for a day may tell what is sealed elsewhere: they are sealed, too.

Fingerprints are keyed from now on. Whoever repeats, within that day, what they asked before is refused: the key was
used for something else.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

import accounts.models.sealed
from accounts.core.seal import bound_to
from accounts.field_keys import seal


def seal_what_is_there(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, principal, key, response_plain::text FROM accounts_idempotencyrecord"
            " WHERE response_plain IS NOT NULL"
        )
        done = [
            (seal(text, bound=bound_to("accounts.idempotencyrecord.response", row)), pk)
            for pk, *row, text in cursor.fetchall()
        ]
        if done:
            cursor.executemany(
                "UPDATE accounts_idempotencyrecord SET response = %s, response_plain = NULL WHERE id = %s", done
            )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_audit")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL("ALTER TABLE accounts_idempotencyrecord RENAME COLUMN response TO response_plain"),
                migrations.RunSQL(
                    "ALTER TABLE accounts_idempotencyrecord ADD COLUMN response bytea NOT NULL DEFAULT ''"
                ),
                migrations.RunPython(seal_what_is_there),
                migrations.RunSQL(
                    "ALTER TABLE accounts_idempotencyrecord ALTER COLUMN response DROP DEFAULT,"
                    " DROP COLUMN response_plain"
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    "idempotencyrecord",
                    "response",
                    accounts.models.sealed.SealedTextField(
                        blank=True,
                        default="",
                        help_text="JSON; it may tell what is sealed elsewhere",
                        row=["principal", "key"],
                    ),
                ),
                migrations.AlterField(
                    "idempotencyrecord",
                    "fingerprint",
                    models.CharField(help_text="keyed hash of the operation and its input", max_length=64),
                ),
            ],
        )
    ]
