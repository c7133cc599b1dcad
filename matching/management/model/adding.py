"""`manage.py model add`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import add_model, add_model_file, ensure_default_model
from matching.core.onnx.interface import MOST_MANIFEST_BYTES
from matching.core.scoring import MOST_BYTES
from matching.management.model.naming import refusals, segment
from matching.models import ScoringModel, Segment

HELP = "keep a new version as a draft, from a file: a linear model's JSON, or FILE.onnx"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--segment", help="its name; otherwise the one that takes all that is left")
    parser.add_argument("--version", dest="version_name", help="of an ONNX file; otherwise the file's name")
    parser.add_argument("--manifest", type=Path, help="of an ONNX file: JSON that says what its metadata does not")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    ensure_default_model(now=timezone.now())
    where = segment(options["segment"])
    is_onnx = options["file"].suffix.lower() == ".onnx"
    if not is_onnx and (options["manifest"] or options["version_name"]):
        raise CommandError("a linear model's JSON has its version, and needs no manifest")
    model = _file_model(where, options) if is_onnx else _linear_model(where, options)
    command.stdout.write(f"{model.version} is a draft of the segment {where.name}")
    if is_onnx:
        measured = model.definition["measured"]
        near = ", ".join(f"{head} {share:.0%}" for head, share in measured["linear_explains"].items())
        speed = measured["ms_per_thousand_rows"]
        command.stdout.write(f"{speed:g} ms for a thousand pairs; of its variance a linear model explains: {near}")


def _linear_model(where: Segment, options: dict[str, Any]) -> ScoringModel:
    definition = _read(options["file"], MOST_BYTES)
    with refusals():
        return add_model(actor=Actor.system(), definition=definition, segment_id=where.public_id, now=timezone.now())


def _file_model(where: Segment, options: dict[str, Any]) -> ScoringModel:
    content = _read(options["file"], settings.ONNX_FILE_MEGABYTES << 20)
    manifest = _read(options["manifest"], MOST_MANIFEST_BYTES) if options["manifest"] else None
    with refusals():
        return add_model_file(
            actor=Actor.system(),
            version=options["version_name"] or options["file"].stem,
            content=content,
            manifest=manifest,
            segment_id=where.public_id,
            now=timezone.now(),
        )


def _read(file: Path, at_most: int) -> bytes:
    """At most a byte more than such a file may have. Raises CommandError."""
    try:
        with file.open("rb") as opened:
            return opened.read(at_most + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
