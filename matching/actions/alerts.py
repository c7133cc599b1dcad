"""Having saved searches find what is newly open to everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import cache

from django.db import transaction

from accounts.actions.timers import set_timer
from marketplace.models import Opportunity
from matching.core.search.digests import Frequency, next_digest_at
from matching.models import FoundOpportunity, SavedSearch
from matching.queries.findings import searches_finding

OPENING = "alert_opening"


def alert(opportunity_id: int, now: datetime, *, changed_at: datetime | None = None) -> int:
    """Note for each saved search that finds an opportunity (inner id) that it does; for how many it is news.

    Nobody is told of what not everybody may find at this moment. What opens later is looked at again then. With
    `changed_at`, searches that found it as it was until then are left alone.
    """
    rows = Opportunity.objects.public().select_related("posting_organisation", "current_revision")
    opportunity = rows.filter(pk=opportunity_id).first()
    if opportunity is None or (opportunity.closes_at is not None and opportunity.closes_at <= now):
        return 0
    if opportunity.opens_at is not None and opportunity.opens_at > now:
        set_timer(OPENING, opportunity.pk, opportunity.opens_at)
        return 0
    return _note(opportunity, searches_finding(opportunity, now=now, changed_at=changed_at), now)


def _note(opportunity: Opportunity, search_ids: Collection[int], now: datetime) -> int:
    """What a search has found once, it does not find again. The searches are locked, in order: whoever stops the mails
    of one does so before or after."""
    due_at = cache(next_digest_at)
    with transaction.atomic():
        known = FoundOpportunity.objects.filter(opportunity=opportunity, search__in=search_ids)
        news = set(search_ids) - set(known.values_list("search_id", flat=True))
        rows = SavedSearch.objects.filter(pk__in=news).select_related("candidate").order_by("pk")
        locked = list(
            rows.select_for_update(of=("self",), no_key=True).only("frequency", "due_at", "candidate__timezone")
        )
        FoundOpportunity.objects.bulk_create(
            [
                FoundOpportunity(
                    search=search, opportunity=opportunity, found_at=now, waits=search.frequency != Frequency.NONE
                )
                for search in locked
            ],
            ignore_conflicts=True,
        )
        due: dict[datetime, list[int]] = defaultdict(list)
        for search in locked:
            at = due_at(Frequency(search.frequency), now, search.candidate.timezone)
            if at is not None and search.due_at is None:
                due[at].append(search.pk)
        for at, pks in due.items():
            SavedSearch.objects.filter(pk__in=pks).update(due_at=at)
    return len(locked)
