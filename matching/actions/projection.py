"""Keeping the candidate projection fresh.

Whoever refreshes or writes is told who is found otherwise than before, so that their documents are made anew. What only
scoring reads is in no document.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction

from marketplace.actions.mentions import keep_readings, read_candidates
from marketplace.models import ExchangeRateSet
from marketplace.queries.facts import current_rate_set, facts_of
from matching.actions import locks
from matching.actions.words import note_words
from matching.core.attributes import Subject
from matching.core.facts import CandidateFacts
from matching.models import CandidateProjection
from matching.queries.people import StatedPerson, search_columns_of, stated_people
from matching.queries.projection import SCORED, columns_of

_COLUMNS = [field.name for field in CandidateProjection._meta.concrete_fields if not field.primary_key]
_TOLD_BY_THE_ROW = {"rate_set_id", "refreshed_at", "changed_xid"}
_COMPARED = [
    field.attname
    for field in CandidateProjection._meta.concrete_fields
    if not field.primary_key and field.attname not in _TOLD_BY_THE_ROW
]
_SEARCHED = [name for name in _COMPARED if name not in SCORED]


def refresh(candidate_ids: Collection[int], now: datetime) -> list[int]:
    """Copy these candidates (inner ids) anew from the tables, having read their texts for skills. Gives those that are
    found otherwise than they were."""
    return refreshed(candidate_ids, now)[0]


def refreshed(candidate_ids: Collection[int], now: datetime) -> tuple[list[int], dict[int, CandidateFacts]]:
    """The same, with the facts that were copied."""
    on = now.astimezone(UTC).date()
    with transaction.atomic():
        readings = read_candidates(candidate_ids)  # takes its time, so before anybody has to wait
        locks.projecting()
        keep_readings(readings)
        rates = current_rate_set(on=on)
        facts = facts_of(candidate_ids, on=on, rate_set=rates)
        return write(facts, rates, now), facts


def differing(candidate_ids: Collection[int], now: datetime) -> list[int]:
    """Those whose projections do not say what the tables do, or who have none."""
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    facts = facts_of(candidate_ids, on=on, rate_set=rates)
    return [row.candidate_id for row, _ in _differing(_rows(facts, rates, now))]


def catch_up(facts: dict[int, CandidateFacts], rates: ExchangeRateSet | None, now: datetime) -> list[int]:
    """The same for those whose projections do not say what was just gathered. Nobody is waited for, and nobody has to
    wait, where all do."""
    stale = [row.candidate_id for row, _ in _differing(_rows(facts, rates, now))]
    return refresh(stale, now) if stale else []


def write(facts: dict[int, CandidateFacts], rates: ExchangeRateSet | None, now: datetime) -> list[int]:
    """Store facts that were just gathered; the caller holds the lock. Gives those that are found otherwise. A row of a
    newer revision is left alone: the late writer is wrong."""
    differing = _differing(_rows(facts, rates, now))
    rows = [row for row, _ in differing]
    note_words(Subject.CANDIDATE, (row.words for row in rows))
    CandidateProjection.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["candidate"], update_fields=_COLUMNS
    )
    return [row.candidate_id for row, stored in differing if _is_news(row, stored, _SEARCHED)]


def _rows(facts: dict[int, CandidateFacts], rates: ExchangeRateSet | None, now: datetime) -> list[CandidateProjection]:
    return [_row(stated, rates, now) for stated in stated_people(facts)]


def _row(stated: StatedPerson, rates: ExchangeRateSet | None, now: datetime) -> CandidateProjection:
    return CandidateProjection(
        candidate_id=stated.person.pk,
        rate_set=rates,
        headline=stated.headline,
        titles=stated.titles,
        refreshed_at=now,
        **columns_of(stated.person.facts),
        **search_columns_of(stated.person),
    )


def _differing(rows: list[CandidateProjection]) -> list[tuple[CandidateProjection, CandidateProjection | None]]:
    """Those that say something else than what is stored, and nothing older, each with that; in order, so that two
    writers of many do not wait for each other in a circle."""
    stored = CandidateProjection.objects.in_bulk([row.candidate_id for row in rows])
    pairs = ((row, stored.get(row.candidate_id)) for row in sorted(rows, key=lambda row: row.candidate_id))
    return [(row, known) for row, known in pairs if _is_news(row, known, _COMPARED)]


def _is_news(row: CandidateProjection, stored: CandidateProjection | None, columns: Collection[str]) -> bool:
    if stored is None:
        return True
    if stored.revision > row.revision:
        return False
    if row.hourly_rate is not None and row.rate_set_id != stored.rate_set_id:
        return True
    return any(getattr(row, name) != getattr(stored, name) for name in columns)
