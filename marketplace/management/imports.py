"""What the import commands share: telling what was rejected, and turning a broken file into a plain sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.core.actor import Actor
from marketplace.actions.taxonomy import Imported, everyday_source, import_taxonomy
from marketplace.core.sources import BrokenSource, TaxonomySource
from marketplace.management.progress import Bars

SHOWN = 20


class TaxonomyCommand(BaseCommand):
    """Reads a source, imports it, then our own everyday list, so that all of them stay one list of skills."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all-rejected", action="store_true", help=f"list every rejected row, not the first {SHOWN}"
        )
        parser.add_argument("--quiet", action="store_true", help="no progress bars")

    def take(self, read: Callable[[Bars], TaxonomySource], options: dict[str, Any]) -> None:
        with Bars(enabled=not options["quiet"]) as bars:
            try:
                source = read(bars)
            except BrokenSource as error:
                raise CommandError(f"{error}. Nothing was changed.") from error
            now = timezone.now()
            outcome = import_taxonomy(actor=Actor.system(), source=source, now=now, progress=bars)
            everyday = import_taxonomy(actor=Actor.system(), source=everyday_source(), now=now)
        self.report(source, outcome, all_rejected=options["all_rejected"])
        if everyday.changed:
            self.stdout.write(f"everyday names: {everyday}")

    def report(self, source: TaxonomySource, outcome: Imported, *, all_rejected: bool) -> None:
        rejected = [str(row) for row in source.rejected] + [
            f"{uri}: name or label is too long" for uri in outcome.too_long
        ]
        shown = rejected if all_rejected else rejected[:SHOWN]
        for line in shown:
            self.stderr.write(f"rejected: {line}")
        if len(rejected) > len(shown):
            self.stderr.write(f"… and {len(rejected) - len(shown)} more (--all-rejected lists them)")
        self.stdout.write(f"{source.scheme}: {outcome}; {len(rejected)} rows rejected")
