"""`manage.py audit`: does the whole market add up?"""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Delivery
from marketplace.queries.audit import audit


class Command(BaseCommand):
    help = "Check what must hold across all rows; exits with 1 and names what does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print figures and violations as JSON")
        parser.add_argument("--wait", type=float, default=0, help="seconds to wait for pending deliveries first")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["wait"]
        while time.monotonic() < deadline and Delivery.objects.pending().exists():
            time.sleep(0.2)
        found = audit()
        if options["json"]:
            violations = [{"promise": v.promise, "rows": v.rows} for v in found.violations]
            self.stdout.write(json.dumps({"figures": found.figures, "violations": violations}))
        else:
            for name, figure in found.figures.items():
                self.stdout.write(f"{name.replace('_', ' '):<24}{figure:>8}")
        if found.violations:
            broken = "; ".join(f"{v.promise} ({v.rows} rows)" for v in found.violations)
            raise CommandError(f"This does not hold: {broken}")
