"""How far re-scoring is behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min

from matching.models import Mark


def freshness(now: datetime) -> timedelta:
    """The age of the oldest change that is not scored yet; nothing where all are."""
    oldest = Mark.objects.aggregate(oldest=Min("since"))["oldest"]
    return max(now - oldest, timedelta()) if oldest is not None else timedelta()
