"""Allocation runs from the command line: checked, done again, handed out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from matching.actions.allocation import publish_run, replay, verify_run
from matching.core.allocation import InvalidAllocation
from matching.core.allocation.problem import canonical_json, parse_json
from matching.models import AllocationRun


class Command(BaseCommand):
    help = "An allocation run: verify its proof, replay it byte for byte, or print what others need to verify it"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=("verify", "replay", "proof"))
        parser.add_argument("run", type=UUID, help="its public id")

    def handle(self, *args: Any, verb: str, run: UUID, **options: Any) -> None:
        found = AllocationRun.objects.filter(public_id=run).first()
        if found is None:
            raise CommandError("There is no such run.")
        try:
            told, holds = {"verify": _verified, "replay": _replayed, "proof": _proof}[verb](found)
        except InvalidAllocation as error:
            raise CommandError(str(error)) from error
        self.stdout.write(canonical_json(told).decode())
        if not holds:
            sys.exit(1)


def _verified(run: AllocationRun) -> tuple[dict[str, Any], bool]:
    certificate = verify_run(run)
    return asdict(certificate), certificate.valid


def _replayed(run: AllocationRun) -> tuple[dict[str, Any], bool]:
    again = replay(run)
    return asdict(again), again.identical


def _proof(run: AllocationRun) -> tuple[dict[str, Any], bool]:
    handed_out = publish_run(run)
    problem, solution = (parse_json(part.to_json()) for part in (handed_out.problem, handed_out.solution))
    return {"problem": problem, "solution": solution}, True
