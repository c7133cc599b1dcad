"""Waivers that were in force when a verdict was given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from marketplace.models import EligibilityWaiver

Waived = tuple[int, int, datetime]
"""Inner ids of an opportunity and a candidate, and the moment of a verdict between them."""


def waivers_at(at: datetime) -> QuerySet[EligibilityWaiver]:
    """Those in force at a moment, taken back since or not."""
    given = EligibilityWaiver.objects.filter(created_at__lte=at, until__gt=at)
    return given.filter(Q(revoked_at=None) | Q(revoked_at__gt=at))


def waivers_of(verdicts: Iterable[Waived]) -> dict[Waived, EligibilityWaiver]:
    """The waiver by which each verdict let somebody in, with who gave it. One query."""
    wanted = set(verdicts)
    if not wanted:
        return {}
    rows = EligibilityWaiver.objects.filter(
        opportunity__in={opportunity_id for opportunity_id, _, _ in wanted},
        candidate__in={candidate_id for _, candidate_id, _ in wanted},
    )
    found: dict[tuple[int, int], list[EligibilityWaiver]] = {}
    for waiver in rows.select_related("granted_by").order_by("created_at", "pk"):
        found.setdefault((waiver.opportunity_id, waiver.candidate_id), []).append(waiver)
    return {
        verdict: waiver
        for verdict in wanted
        for waiver in found.get(verdict[:2], ())
        if _is_in_force(waiver, verdict[2])
    }


def _is_in_force(waiver: EligibilityWaiver, at: datetime) -> bool:
    ended_at = min(waiver.until, waiver.revoked_at or waiver.until)
    return waiver.created_at <= at < ended_at
