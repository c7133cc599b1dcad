"""manage.py deprecations [--days 30]: what of the schema will go, when, what comes instead, and who uses it still."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Sum
from django.utils import timezone

from accounts.models import DeprecatedUse
from config.graphql_deprecations import deprecations


class Command(BaseCommand):
    help = "List what is deprecated, with how many requests of each client used it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="look back so many days (default 30)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        from config.schema import schema

        since = timezone.now().date() - timedelta(days=days)
        counted = DeprecatedUse.objects.filter(day__gt=since).values("element", "client").annotate(total=Sum("uses"))
        uses: dict[str, list[str]] = {}
        for row in counted.order_by("-total", "client"):
            uses.setdefault(row["element"], []).append(f"{row['client'] or '(no name)'} {row['total']}")
        found = list(deprecations(schema._schema))
        for element, reason in found:
            self.stdout.write(f"{element}: {reason} {', '.join(uses.get(element, ())) or 'Nobody uses it.'}")
        if not found:
            self.stdout.write("Nothing is deprecated.")
