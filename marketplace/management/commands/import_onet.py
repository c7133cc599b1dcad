"""manage.py import_onet FOLDER: occupations, alternate titles and technologies, from O*NET's text release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from marketplace.core.onet import read_onet
from marketplace.management.imports import TaxonomyCommand


class Command(TaxonomyCommand):
    help = "Import O*NET from the folder of its tab-separated text files."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        self.take(lambda bars: read_onet(options["folder"], bars), options)
