"""`manage.py model promote`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import promote_model
from matching.management.model.naming import refusals, version

HELP = "put a version into service"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    model = version(options["version"])
    with refusals():
        promote_model(actor=Actor.system(), model_id=model.public_id, now=timezone.now())
    command.stdout.write(f"{model.version} is live in the segment {model.segment.name}; what it serves is scored again")
