"""manage.py duplicates: notice duplicates among what was there before Muster looked for any.

Each row is a transaction of its own. Interrupted, it goes on where it was the next time; beside workers that notice,
and beside another of its kind, it does no harm. It is also what a changed FIELD_INDEX_KEY, or a newer method, asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.actions import duplicates
from marketplace.management.progress import Bars
from marketplace.models import SuspectedDuplicate
from marketplace.queries.duplicates import candidates_to_notice, opportunities_to_notice

AT_ONCE = 5_000
"""Inner ids that are looked up together."""


class Command(BaseCommand):
    help = "Compare those opportunities and candidates with others that have not been yet. Twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--again", action="store_true", help="compare all of them, as after logins changed their addresses"
        )
        parser.add_argument("--quiet", action="store_true", help="no progress bars")

    def handle(self, *args: Any, **options: Any) -> None:
        methods = (None, None) if options["again"] else (duplicates.opportunity_method(), duplicates.candidate_method())
        opportunities = partial(opportunities_to_notice, made_with=methods[0])
        candidates = partial(candidates_to_notice, made_with=methods[1])
        with Bars(enabled=not options["quiet"]) as bars:
            noticed = {
                "opportunities": _notice(opportunities, duplicates.notice_opportunity, partial(bars, "opportunities")),
                "candidates": _notice(candidates, duplicates.notice_candidate, partial(bars, "candidates")),
            }
        waiting = SuspectedDuplicate.objects.open().count()
        told = ", ".join(f"{count} {name}" for name, count in noticed.items())
        self.stdout.write(f"duplicates: {told} compared; {waiting} suspicions wait for staff")


def _notice(
    rows: Callable[..., QuerySet[Any]], notice: Callable[[int, datetime], None], progress: Callable[[int], None]
) -> int:
    """`rows` are those beyond an inner id, in its order; the number of those noticed."""
    count = after = 0
    while ids := list(rows(after=after).values_list("pk", flat=True)[:AT_ONCE]):
        for after in ids:
            notice(after, timezone.now())
            count += 1
        progress(count)
    return count
