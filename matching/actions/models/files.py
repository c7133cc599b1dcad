"""Registering models that were made elsewhere: tried first, kept with their files if nothing is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.access import require_staff
from accounts.core.actor import Actor
from matching.actions.models.registering import keep, named_segment
from matching.core import scoring
from matching.errors import InvalidModel, VersionTaken
from matching.models import ModelFile, ScoringModel
from matching.onnx.checking import CheckedFile, CheckLimits, check_file


def add_model_file(
    *,
    actor: Actor,
    version: str,
    content: bytes,
    manifest: bytes | str | Mapping[str, Any] | None = None,
    segment_id: UUID | None = None,
    now: datetime,
) -> ScoringModel:
    """Keep an ONNX file as a draft of a segment; of the one that takes all that is left, without one. `manifest` is its
    JSON, as text or parsed.

    The file is tried before the transaction begins, which takes seconds: nothing is held up by it, nothing is stored
    of one that is refused. Staff only; raises NotPermitted, NotFound, InvalidModel, VersionTaken.
    """
    require_staff(actor)
    named_segment(segment_id, now)  # an unknown one is told at once
    checked = try_model_file(actor=actor, version=version, content=content, manifest=manifest)
    return keep_model_file(actor=actor, version=version, checked=checked, segment_id=segment_id, now=now)


def try_model_file(
    *, actor: Actor, version: str, content: bytes, manifest: bytes | str | Mapping[str, Any] | None = None
) -> CheckedFile:
    """Check an ONNX file that is to become this version, outside of any transaction: it takes seconds. Writes nothing.
    Staff only; raises NotPermitted, InvalidModel, VersionTaken."""
    require_staff(actor)
    if ScoringModel.objects.filter(version=version).exists():
        raise VersionTaken(version=version)
    return checked_file(content, manifest, version=version)


def keep_model_file(
    *, actor: Actor, version: str, checked: CheckedFile, segment_id: UUID | None = None, now: datetime
) -> ScoringModel:
    """Keep a file that was tried as this version, as `add_model_file` does. Raises NotPermitted, NotFound,
    VersionTaken."""
    require_staff(actor)
    with transaction.atomic():
        segment = named_segment(segment_id, now)
        kind = ScoringModel.Kind.ONNX
        model = keep(actor, segment, version=version, kind=kind, definition=checked.definition, now=now)
        ModelFile.objects.create(model=model, content=checked.content, sha256=checked.digest, size=len(checked.content))
    return model


def checked_file(content: bytes, manifest: bytes | str | Mapping[str, Any] | None, *, version: str) -> CheckedFile:
    """What is to be kept of a file, which is tried in a process of its own. Raises InvalidModel."""
    limits = CheckLimits(
        file_megabytes=settings.ONNX_FILE_MEGABYTES,
        seconds=settings.ONNX_CHECK_SECONDS,
        megabytes=settings.ONNX_CHECK_MEGABYTES,
        ms_per_thousand_rows=settings.ONNX_MS_PER_THOUSAND_ROWS,
        run_seconds=settings.ONNX_RUN_SECONDS,
    )
    try:
        return check_file(content, manifest, version=version, limits=limits)
    except scoring.InvalidModel as refusal:
        raise InvalidModel(**refusal.data) from refusal
