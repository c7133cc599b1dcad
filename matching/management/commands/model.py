"""Scoring models from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand

from matching.management.model import (
    adding,
    comparing,
    evaluating,
    listing,
    promoting,
    retiring,
    rolling_back,
    shadowing,
    training,
)

VERBS: Mapping[str, ModuleType] = {
    "list": listing,
    "add": adding,
    "train": training,
    "shadow": shadowing,
    "promote": promoting,
    "rollback": rolling_back,
    "retire": retiring,
    "compare": comparing,
    "evaluate": evaluating,
}


class Command(BaseCommand):
    help = "Scoring models: what there is, what is live, and how well it does"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for name, verb in VERBS.items():
            verb.add_arguments(verbs.add_parser(name, help=verb.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        VERBS[options["verb"]].run(self, options)
