"""`manage.py model retire`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import retire_model
from matching.management.model.naming import refusals, version

HELP = "take a version out of service"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    model = version(options["version"])
    with refusals():
        retire_model(actor=Actor.system(), model_id=model.public_id, now=timezone.now())
    command.stdout.write(f"{model.version} is retired")
