"""How far re-scoring is behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min

from matching.models import Mark, PairMark


def oldest_mark() -> datetime | None:
    """When the oldest change was made that is not scored yet; None where all are."""
    found = (model.objects.aggregate(oldest=Min("since"))["oldest"] for model in (Mark, PairMark))
    return min((moment for moment in found if moment is not None), default=None)


def freshness(now: datetime) -> timedelta:
    """The age of the oldest change that is not scored yet; nothing where all are."""
    oldest = oldest_mark()
    return max(now - oldest, timedelta()) if oldest is not None else timedelta()


def waiting() -> int:
    """How many candidates, opportunities and pairs of them wait to be scored again."""
    return Mark.objects.count() + PairMark.objects.count()
