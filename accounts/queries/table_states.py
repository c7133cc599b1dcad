"""In which states tables are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from django.apps import apps

from accounts.models.table_state import Renewal
from accounts.queries.planned import cursor_for

# Asked before every page that may be kept.
_STATES = "SELECT name, sum(number)::text FROM accounts_tablestate GROUP BY name"
FEW = 1
"""Tables, and processes of the server: whatever their number, the plan is the same."""


def table_states() -> Mapping[str, str]:
    """By table. Equal states are equal contents, as far as they count; a table that is not in it has none yet."""
    with cursor_for(FEW) as cursor:
        cursor.execute(_STATES)
        return dict(cursor.fetchall())


@cache
def told_tables() -> frozenset[str]:
    """The tables whose state is told."""
    return frozenset(
        model._meta.db_table
        for model in apps.get_models()
        if any(isinstance(one, Renewal) for one in getattr(model._meta, "triggers", ()))
    )
