"""The state that a table is in: how somebody knows that what was read of it is what it says still.

Whoever changes a table that is told about here gives it another state, in the same transaction: whoever sees the one
sees the other. A number that all writers count up would have them wait for each other until they commit, and a sequence
grows before what it counts can be seen. So each process of the server has a number of its own, which its next
transaction draws anew; the state is their sum. They are drawn by lot, so that no two moments have the same, not even
where a dump is restored and other things happen after it than did before.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

_RENEW = """
    INSERT INTO accounts_tablestate (name, backend, number)
    VALUES (TG_TABLE_NAME, pg_backend_pid(), hashtextextended(gen_random_uuid()::text, 0))
    ON CONFLICT (name, backend) DO UPDATE SET number = excluded.number;
"""
_DONE = "RETURN NULL;"


class TableState(models.Model):
    """A part of the state of one table: that of one process of the server, or of those that are gone."""

    pk = models.CompositePrimaryKey("name", "backend")
    name = models.CharField(max_length=63)
    backend = models.IntegerField(help_text="process of the server; 0 for those that are gone")
    number = models.BigIntegerField(help_text="drawn by lot")

    def __str__(self) -> str:
        return f"{self.name} by {self.backend}"


class Renewal(pgtrigger.Trigger):
    """Gives its table another state."""

    when = pgtrigger.After


def changes_renew_the_state(*columns: str) -> list[pgtrigger.Trigger]:
    """Triggers of a table whose state is told. With `columns`, only what is written to these counts: for a table of
    which nobody is shown anything else, and in which nothing is looked for."""
    every = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate
    return [
        Renewal(
            name="changes_renew_the_state",
            level=pgtrigger.Statement,
            operation=pgtrigger.UpdateOf(*columns) if columns else every,
            func=_RENEW + _DONE,
        )
    ]


def changes_of_some_renew_the_state(where: str, *, also: str = "true") -> list[pgtrigger.Trigger]:
    """The same where only some rows count: those for which `where` holds, and `also`, which may ask other tables. Both
    are SQL with the row as `{row}`, and nobody changes what they say of a row. Deletions count in any case of `also`:
    what it asks may be gone by then."""
    return [
        Renewal(
            name="changes_renew_the_state",
            operation=pgtrigger.Insert | pgtrigger.Update,
            condition=pgtrigger.Condition(where.format(row="NEW")),
            func=f"IF {also.format(row='NEW')} THEN {_RENEW} END IF; {_DONE}",
        ),
        Renewal(
            name="deletions_renew_the_state",
            operation=pgtrigger.Delete,
            condition=pgtrigger.Condition(where.format(row="OLD")),
            func=_RENEW + _DONE,
        ),
        Renewal(
            name="emptying_renews_the_state",
            level=pgtrigger.Statement,
            operation=pgtrigger.Truncate,
            func=_RENEW + _DONE,
        ),
    ]
