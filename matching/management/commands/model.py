"""Scoring models from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.errors import DomainError
from matching.actions.models import ensure_default_model, promote_model
from matching.models import ScoringModel


class Command(BaseCommand):
    help = "list: the scoring models and their states; promote VERSION: make it the live one of its segment"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all versions, newest first")
        verbs.add_parser("promote", help="put a version into service").add_argument("version")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "promote":
            self._promote(options["version"])
        else:
            self._list()

    def _list(self) -> None:
        ensure_default_model(now=timezone.now())
        for model in ScoringModel.objects.select_related("segment").order_by("segment__position", "-id"):
            self.stdout.write(f"{model.version:30} {model.kind:8} {model.state:8} {model.segment.name}")

    def _promote(self, version: str) -> None:
        model = ScoringModel.objects.filter(version=version).first()
        if model is None:
            raise CommandError(f"there is no model {version}")
        try:
            promote_model(actor=Actor.system(), model_id=model.public_id, now=timezone.now())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{version} is live; every open opportunity is marked to be scored again")
