"""Keeping the candidate projection fresh."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction

from marketplace.models import Candidate, ExchangeRateSet, WorkExperience
from marketplace.queries.facts import current_rate_set, facts_of
from matching.actions import locks
from matching.core.facts import CandidateFacts
from matching.models import CandidateProjection
from matching.queries.projection import columns_of

_COLUMNS = [field.name for field in CandidateProjection._meta.concrete_fields if not field.primary_key]


def refresh(candidate_ids: Collection[int], now: datetime) -> None:
    """Copy these candidates (inner ids) anew from the tables."""
    on = now.astimezone(UTC).date()
    with transaction.atomic():
        locks.alone()
        rates = current_rate_set(on=on)
        write(facts_of(candidate_ids, on=on, rate_set=rates), rates, now)


def write(facts: dict[int, CandidateFacts], rates: ExchangeRateSet | None, now: datetime) -> None:
    """Store facts that were just gathered. A row of a newer revision is left alone: the late writer is wrong."""
    newer = dict(
        CandidateProjection.objects.filter(pk__in=list(facts)).select_for_update().values_list("pk", "revision")
    )
    ids = [pk for pk, fact in facts.items() if newer.get(pk, 0) <= fact.revision]
    titles: dict[int, list[str]] = defaultdict(list)
    for candidate_id, title in (
        WorkExperience.objects.filter(candidate_id__in=ids)
        .order_by("candidate_id", "id")
        .values_list("candidate_id", "title")
    ):
        titles[candidate_id].append(title)
    rows = [
        CandidateProjection(
            candidate_id=pk,
            rate_set=rates,
            headline=headline,
            titles=titles.get(pk, []),
            discoverable=discoverable,
            open_to_offers=open_to_offers,
            present=suspended_at is None and merged_into_id is None,
            refreshed_at=now,
            **columns_of(facts[pk]),
        )
        for pk, headline, discoverable, open_to_offers, suspended_at, merged_into_id in Candidate.objects.filter(
            pk__in=ids
        )
        .order_by("pk")
        .values_list("pk", "headline", "discoverable", "open_to_offers", "suspended_at", "merged_into_id")
    ]
    CandidateProjection.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["candidate"], update_fields=_COLUMNS
    )
