"""`manage.py model list`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from matching.actions.models import ensure_default_model
from matching.models import ScoringModel

HELP = "all versions, newest first"


def add_arguments(parser: ArgumentParser) -> None:
    pass


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    ensure_default_model(now=timezone.now())
    for model in ScoringModel.objects.select_related("segment").order_by("segment__position", "-id"):
        command.stdout.write(f"{model.version:30} {model.kind:8} {model.state:8} {model.segment.name}")
