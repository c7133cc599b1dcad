"""Which saved searches find an opportunity now, and whether what they found is still to be told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from marketplace.models import Opportunity, OpportunityRevision
from marketplace.queries.rates import current_rate_set
from matching.core.search.saved import SavedQuery
from matching.core.search.search import found
from matching.models import SavedSearch
from matching.queries.openings import opening_under, openings_of
from matching.queries.saved_searches import SAVED_SEARCHES, search_of
from matching.queries.wanted import Pair, eligible, wanted


def searches_finding(opportunity: Opportunity, *, now: datetime, changed_at: datetime | None = None) -> list[int]:
    """Inner ids of the searches whose owners are to be told of an opportunity that anybody may find now. With
    `changed_at`, only of those that did not find it as it was until then: it was there already when they were saved.
    A constant number of statements."""
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    before = _revision_until(opportunity, changed_at) if changed_at is not None else None
    openings = [openings_of([opportunity.pk], rate_set=rates)[opportunity.pk]]
    openings += [opening_under(before, rate_set=rates)] if before is not None else []
    present, *past = SAVED_SEARCHES.finding(openings, on=on, rate_set=rates)
    known = past[0] if past else frozenset()
    rows = SavedSearch.objects.followed().filter(pk__in=present).order_by()
    asked = [
        (pk, Pair(candidate_id, opportunity.pk), bool(eligible_only))
        for pk, candidate_id, eligible_only in rows.values_list("pk", "candidate_id", "query__eligibleOnly")
        if eligible_only or pk not in known
    ]
    told = wanted({pair for _, pair, _ in asked}, [opportunity])
    judged = {pair for _, pair, eligible_only in asked if eligible_only and pair in told}
    accepted = eligible(judged, {opportunity.pk: opportunity.current_revision}, now=now)
    accepted_before = eligible(accepted, {opportunity.pk: before}, now=now) if before is not None else frozenset()

    def is_news(pk: int, pair: Pair, eligible_only: bool) -> bool:
        if not eligible_only:
            return pair in told
        return pair in accepted and not (pk in known and pair in accepted_before)

    return sorted(pk for pk, pair, eligible_only in asked if is_news(pk, pair, eligible_only))


def _revision_until(opportunity: Opportunity, moment: datetime) -> OpportunityRevision | None:
    earlier = opportunity.revisions.filter(created_at__lt=moment).order_by("-number").first()
    if earlier is not None:
        earlier.opportunity = opportunity
    return earlier


def still_found(search: SavedSearch, opportunity_ids: Collection[int], *, now: datetime) -> list[Opportunity]:
    """Those of the opportunities (inner ids) that its owner is still to be told of: that anybody may find now, and the
    search does. Raises UnreadableQuery. A constant number of statements."""
    query = SavedQuery.from_json(search.query)
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    rows = Opportunity.objects.public().open_at(now).filter(pk__in=opportunity_ids).defer("description")
    opportunities = list(rows.select_related("posting_organisation", "current_revision").prefetch_related("pay_bands"))
    openings = openings_of([one.pk for one in opportunities], rate_set=rates)
    asked = search_of(query, rate_set=rates, on=on)
    pairs = {
        Pair(search.candidate_id, one.pk)
        for one in opportunities
        if one.pk in openings and found(asked, openings[one.pk]) is not None
    }
    told = wanted(pairs, opportunities)
    if query.eligible_only:
        told = eligible(told, {one.pk: one.current_revision for one in opportunities}, now=now)
    return [one for one in opportunities if Pair(search.candidate_id, one.pk) in told]
