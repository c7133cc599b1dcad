"""In which states tables are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from django.apps import apps
from django.db.models import CharField, Sum
from django.db.models.functions import Cast

from accounts.models.table_state import Renewal, TableState


def table_states() -> Mapping[str, str]:
    """By table. Equal states are equal contents, as far as they count; a table that is not in it has none yet."""
    summed = TableState.objects.values("name").annotate(state=Cast(Sum("number"), CharField()))
    return dict(summed.values_list("name", "state"))


@cache
def told_tables() -> frozenset[str]:
    """The tables whose state is told."""
    return frozenset(
        model._meta.db_table
        for model in apps.get_models()
        if any(isinstance(one, Renewal) for one in getattr(model._meta, "triggers", ()))
    )
