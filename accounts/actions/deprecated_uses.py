"""Counting who uses what will go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db import connection

from accounts.models import DeprecatedUse

MOST_CLIENTS = 200
"""Names counted apart on one day. Anybody may call themselves anything: beyond that all are one, without a name."""


def count_deprecated_uses(*, elements: Collection[str], client: str, day: date) -> None:
    """Count one request of a client for each of these elements."""
    counted = DeprecatedUse.objects.filter(day=day)
    if client and not counted.filter(client=client).exists():
        known = counted.exclude(client="").values("client").distinct().count()
        client = client if known < MOST_CLIENTS else ""
    table = connection.ops.quote_name(DeprecatedUse._meta.db_table)
    with connection.cursor() as cursor:
        # In one order, so that two who count the same never wait for each other in a circle.
        cursor.executemany(
            f"INSERT INTO {table} (element, client, day, uses) VALUES (%s, %s, %s, 1)"
            f" ON CONFLICT (element, client, day) DO UPDATE SET uses = {table}.uses + 1",
            [(element, client, day) for element in sorted(elements)],
        )
