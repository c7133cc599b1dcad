"""`manage.py model rollback`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import roll_back
from matching.management.model.naming import refusals, segment

HELP = "put the version back that was live before"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--segment", help="its name; otherwise the one that takes all that is left")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    where = segment(options["segment"])
    with refusals():
        model = roll_back(actor=Actor.system(), segment_id=where.public_id, now=timezone.now())
    command.stdout.write(f"{model.version} is live again in the segment {where.name}; what it serves is scored again")
