"""`manage.py model add`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import add_model, ensure_default_model
from matching.core.scoring import MOST_BYTES
from matching.management.model.naming import refusals, segment

HELP = "keep a new version as a draft, from a file: a linear model's JSON"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--segment", help="its name; otherwise the one that takes all that is left")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    ensure_default_model(now=timezone.now())
    where = segment(options["segment"])
    content = _read(options["file"])
    with refusals():
        model = add_model(actor=Actor.system(), definition=content, segment_id=where.public_id, now=timezone.now())
    command.stdout.write(f"{model.version} is a draft of the segment {where.name}")


def _read(file: Path) -> bytes:
    """At most a byte more than a definition may have. Raises CommandError."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
