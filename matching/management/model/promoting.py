"""`manage.py model promote`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.errors import DomainError
from matching.actions.models import promote_model
from matching.models import ScoringModel

HELP = "put a version into service"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    version = options["version"]
    model = ScoringModel.objects.filter(version=version).first()
    if model is None:
        raise CommandError(f"there is no model {version}")
    try:
        promote_model(actor=Actor.system(), model_id=model.public_id, now=timezone.now())
    except DomainError as refusal:
        raise CommandError(refusal.message) from refusal
    command.stdout.write(f"{version} is live; every open opportunity is marked to be scored again")
