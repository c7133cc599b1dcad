"""What a command line names: versions, segments and days, and refusals as it says them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.core.management.base import CommandError

from accounts.errors import DomainError
from matching.models import ScoringModel, Segment


def version(name: str) -> ScoringModel:
    """Raises CommandError."""
    model = ScoringModel.objects.select_related("segment").filter(version=name).first()
    if model is None:
        raise CommandError(f"there is no model {name}")
    return model


def segment(name: str | None) -> Segment:
    """By its name; the one that takes all that is left, without one. Raises CommandError."""
    found = Segment.objects.filter(name=name) if name is not None else Segment.objects.filter(rule__isnull=True)
    if (one := found.first()) is None:
        known = ", ".join(Segment.objects.values_list("name", flat=True))
        raise CommandError(f"there is no segment {name}; there are: {known}")
    return one


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal ends the command, with its sentence."""
    try:
        yield
    except DomainError as refusal:
        raise CommandError(refusal.message) from refusal


def moment(text: str) -> datetime:
    """A day, or a moment; in UTC where no zone is given. Raises ArgumentTypeError, which the parser tells of."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no date such as 2027-01-31") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
