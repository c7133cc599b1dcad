"""Storing matches."""

from __future__ import annotations

from collections.abc import Iterable

from matching.models import Match, UnscoredPair

_REPLACED = [
    "fit",
    "interest",
    "acceptance",
    "contributions",
    "outcome",
    "verdict",
    "revision",
    "candidate_revision",
    "rate_set",
    "tie_break",
    "computed_at",
]


def store(matches: Iterable[Match]) -> None:
    Match.objects.bulk_create(
        matches,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["opportunity", "candidate", "model"],
        update_fields=_REPLACED,
    )


def note(unscored: Iterable[UnscoredPair]) -> None:
    """Record pairs that a model has no number for."""
    UnscoredPair.objects.bulk_create(
        unscored,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["model", "opportunity", "candidate"],
        update_fields=["reason", "at"],
    )
