"""Pages of lists by fit."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from accounts.api.connections import Key, Order
from accounts.api.context import Context
from marketplace.models import Candidate, Opportunity
from matching.actions.models import serving_now
from matching.api.searching import FoundPage, SnippetType, shown_rows, tell
from matching.core.search.search import FACETS, Search
from matching.queries.scorable import basics_at
from matching.retrieval.fitting import Fit, opportunities_by_fit, people_by_fit
from matching.retrieval.searching import Finding
from matching.retrieval.source import Hit

KEYS = (Key("unfit"), Key("tie"), Key("pk"))
Show = Callable[[Any], list[SnippetType]]


def fitting_opportunities(
    context: Context,
    search: Search,
    candidate: Candidate,
    *,
    first: int,
    after: str | None,
    rows: QuerySet[Any],
    show: Show,
) -> FoundPage:
    """Raises InvalidInput for a cursor of another list."""
    order = Order(f"opportunities that candidate {candidate.pk} fits", KEYS)
    start = _start(order, after)
    finding, fits = opportunities_by_fit(search, candidate, basics_at(context.now, serving_now()))
    return _page(context, finding, fits, order, start, first, rows, show)


def fitting_people(
    context: Context,
    search: Search,
    opportunity: Opportunity,
    *,
    first: int,
    after: str | None,
    rows: QuerySet[Any],
    show: Show,
) -> FoundPage:
    """Raises InvalidInput for a cursor of another list."""
    order = Order(f"people who fit opportunity {opportunity.pk}", KEYS)
    start = _start(order, after)
    finding, fits = people_by_fit(search, opportunity, basics_at(context.now, serving_now()))
    return _page(context, finding, fits, order, start, first, rows, show)


def _start(order: Order, after: str | None) -> Fit | None:
    return Fit(*order.values(after)) if after is not None else None


def _page(
    context: Context,
    finding: Finding,
    fits: list[Fit],
    order: Order,
    start: Fit | None,
    first: int,
    rows: QuerySet[Any],
    show: Show,
) -> FoundPage:
    begin = bisect_right(fits, start) if start is not None else 0
    end = begin + first
    shown, cursors = shown_rows(rows, [Hit(fit.pk, fit) for fit in fits[begin:end]], order)
    tell(context, finding)
    faceted = FACETS[finding.search.about]
    return FoundPage(finding, shown, cursors, len(fits) > end, start is not None, show, faceted)
