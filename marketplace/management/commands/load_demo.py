"""manage.py load_demo [--data FOLDER] [--seed N]: the demo market, ready for an evening. Twice changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from marketplace.core.sources import BrokenSource
from marketplace.demo import loading
from marketplace.demo.drafts import load_adverts, load_drafts
from marketplace.demo.market import CANDIDATES, OPPORTUNITIES, draw_market
from marketplace.management.progress import Bars
from marketplace.models import ExchangeRateSet


class Command(BaseCommand):
    help = "Load the demo market: curated, or on ESCO and O*NET with --data. Refuses in production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder with esco/, onet/ and adverts/")
        parser.add_argument("--seed", type=int, default=1, help="another seed is another market (default 1)")
        parser.add_argument("--candidates", type=int, default=CANDIDATES)
        parser.add_argument("--opportunities", type=int, default=OPPORTUNITIES)
        parser.add_argument("--quiet", action="store_true", help="no progress bars")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo market has logins with a known password: never in production.")
        now = timezone.now()
        data: Path | None = options["data"]
        with Bars(enabled=not options["quiet"]) as bars:
            try:
                for line in loading.load_taxonomy(data, now=now, progress=bars):
                    self.stdout.write(line)
            except BrokenSource as error:
                raise CommandError(f"{error}. Nothing was changed.") from error
            loading.load_rates(now.date())
            # The day that the first load took place: a later one draws the same market again and finds it there.
            first_day = ExchangeRateSet.objects.filter(source=loading.RATE_SOURCE).earliest("on").on
            market = draw_market(
                loading.profiles(real=data is not None),
                seed=options["seed"],
                today=first_day,
                candidates=options["candidates"],
                opportunities=options["opportunities"],
            )
            organisations = loading.load_organisations(market.organisations, now=now, progress=bars)
            candidates = loading.load_candidates(market.candidates, now=now, progress=bars)
            drafts = load_drafts(market, now=now, progress=bars)
            adverts = load_adverts(sorted((data / "adverts").glob("*.txt")), now=now, progress=bars) if data else 0
        self.stdout.write(
            f"demo market: {organisations} organisations, {candidates} candidates, {drafts + adverts} drafts added"
        )
