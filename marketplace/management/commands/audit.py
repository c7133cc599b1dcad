"""`manage.py audit`: does the whole market add up, and does the audit log still say what it said?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.actions.audit import seal_all
from accounts.models import Delivery
from accounts.queries.audit import verify_chain
from marketplace.queries.audit import audit


class Command(BaseCommand):
    help = "Check what must hold across all rows (books), or the chain of the audit log (verify); 1 if it does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what",
            nargs="?",
            choices=["books", "verify", "seal"],
            default="books",
            help="books: offers, seats, placements and events add up; verify: no entry of the audit log and no seal "
            "was changed, removed or added afterwards; seal: seal what is not sealed, without waiting for the worker",
        )
        parser.add_argument("--json", action="store_true", help="print what was found as JSON")
        parser.add_argument("--wait", type=float, default=0, help="books: seconds to wait for pending deliveries first")
        parser.add_argument(
            "--head",
            default="",
            help="verify: NUMBER:DIGEST of a seal, as noted before, which the chain must hold",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "seal":
            self.stdout.write(f"{seal_all(timezone.now())} entries sealed")
        elif options["what"] == "verify":
            self._verify(options)
        else:
            self._books(options)

    def _books(self, options: dict[str, Any]) -> None:
        deadline = time.monotonic() + options["wait"]
        while time.monotonic() < deadline and Delivery.objects.pending().exists():
            time.sleep(0.2)
        found = audit()
        if options["json"]:
            violations = [{"promise": v.promise, "rows": v.rows} for v in found.violations]
            self.stdout.write(json.dumps({"figures": found.figures, "violations": violations}))
        else:
            self._print(found.figures)
        if found.violations:
            broken = "; ".join(f"{v.promise} ({v.rows} rows)" for v in found.violations)
            raise CommandError(f"This does not hold: {broken}")

    def _verify(self, options: dict[str, Any]) -> None:
        chain = verify_chain(known_head=options["head"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(chain), cls=DjangoJSONEncoder))
        else:
            self._print(
                {name: value for name, value in asdict(chain).items() if value is not None and name != "broken"}
            )
        if chain.broken is not None:
            raise CommandError(f"The audit log does not hold: {chain.broken}")

    def _print(self, figures: dict[str, Any]) -> None:
        for name, figure in figures.items():
            self.stdout.write(f"{name.replace('_', ' '):<24}{figure!s:>8}")
