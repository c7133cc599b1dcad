"""Keeping the opportunity projection fresh."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction

from marketplace.queries.rates import current_rate_set
from matching.actions import locks
from matching.actions.words import note_words
from matching.core.attributes import Subject
from matching.models import OpportunityProjection
from matching.queries.openings import columns_of, opening_from, openings_of

_COLUMNS = [field.name for field in OpportunityProjection._meta.concrete_fields if not field.primary_key]


def refresh(opportunity_ids: Collection[int], now: datetime) -> list[int]:
    """Copy these opportunities (inner ids) anew from the tables. Gives those that came out otherwise than they were."""
    with transaction.atomic():
        locks.projecting()
        rows = _differing(opportunity_ids, now)
        note_words(Subject.OPPORTUNITY, (row.head for row in rows))
        OpportunityProjection.objects.bulk_create(
            rows, batch_size=500, update_conflicts=True, unique_fields=["opportunity"], update_fields=_COLUMNS
        )
    return [row.opportunity_id for row in rows]


def differing(opportunity_ids: Collection[int], now: datetime) -> list[int]:
    """Those whose projections do not say what the tables do, or that have none."""
    return [row.opportunity_id for row in _differing(opportunity_ids, now)]


def _differing(opportunity_ids: Collection[int], now: datetime) -> list[OpportunityProjection]:
    found = openings_of(opportunity_ids, rate_set=current_rate_set(on=now.astimezone(UTC).date()))
    stored = OpportunityProjection.objects.in_bulk(list(found))
    return [
        OpportunityProjection(opportunity_id=pk, refreshed_at=now, **columns_of(opening))
        for pk, opening in sorted(found.items())
        if pk not in stored or opening_from(stored[pk]) != opening
    ]
