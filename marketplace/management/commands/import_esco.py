"""manage.py import_esco ZIP…: skills, occupations and what links them, from the official CSV release of ESCO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from marketplace.core.esco import read_esco
from marketplace.management.imports import TaxonomyCommand


class Command(TaxonomyCommand):
    help = "Import ESCO from its zipped CSV release (classification and relations, in any order)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("zips", nargs="+", type=Path, metavar="ZIP")

    def handle(self, *args: Any, **options: Any) -> None:
        self.take(lambda bars: read_esco(options["zips"], bars), options)
