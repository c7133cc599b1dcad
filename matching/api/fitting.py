"""Pages of lists by fit."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from accounts.api.connections import Key, Order
from accounts.api.context import Context
from marketplace.models import Candidate, Opportunity
from matching.actions.decisions import Ranked
from matching.actions.models import serving_now
from matching.api.exposure import exposing
from matching.api.searching import FoundPage, SnippetType, shown_rows, tell
from matching.core.search.search import FACETS, Search
from matching.models import Decision
from matching.queries.scorable import basics_at
from matching.retrieval.fitting import Fit, opportunities_by_fit, people_by_fit
from matching.retrieval.searching import Finding
from matching.retrieval.source import Hit

KEYS = (Key("unlikely"), Key("unfit"), Key("tie"), Key("pk"))
Show = Callable[[Any], list[SnippetType]]


def fitting_opportunities(
    context: Context,
    search: Search,
    candidate: Candidate,
    *,
    first: int,
    after: str | None,
    show: Show,
) -> FoundPage:
    """Raises InvalidInput for a cursor of another list."""
    order = Order(f"opportunities that candidate {candidate.pk} fits", KEYS)
    start = _start(order, after)
    basics = basics_at(context.now, serving_now())
    finding, fits = opportunities_by_fit(search, candidate, basics)
    found = _page(context, finding, fits, order, start, first, show)

    def ranked() -> list[Ranked]:
        served = basics.serving.of([row.pk for row in found.rows], on=basics.on)
        return [Ranked(row.pk, candidate.pk, served[row.pk].model.pk) for row in found.rows if row.pk in served]

    found.on_read = exposing(context, Decision.Surface.OPPORTUNITIES, ranked, lambda: 1 + _begin(fits, start))
    return found


def fitting_people(
    context: Context,
    search: Search,
    opportunity: Opportunity,
    *,
    first: int,
    after: str | None,
    show: Show,
) -> FoundPage:
    """Raises InvalidInput for a cursor of another list."""
    order = Order(f"people who fit opportunity {opportunity.pk}", KEYS)
    start = _start(order, after)
    basics = basics_at(context.now, serving_now())
    finding, fits = people_by_fit(search, opportunity, basics)
    found = _page(context, finding, fits, order, start, first, show)

    def ranked() -> list[Ranked]:
        served = basics.serving.of([opportunity.pk], on=basics.on)
        return [Ranked(opportunity.pk, row.pk, one.model.pk) for one in served.values() for row in found.rows]

    found.on_read = exposing(context, Decision.Surface.CANDIDATES, ranked, lambda: 1 + _begin(fits, start))
    return found


def _start(order: Order, after: str | None) -> Fit | None:
    return Fit(*order.values(after)) if after is not None else None


def _begin(fits: list[Fit], start: Fit | None) -> int:
    """How many stand before the page."""
    return bisect_right(fits, start) if start is not None else 0


def _page(
    context: Context,
    finding: Finding,
    fits: list[Fit],
    order: Order,
    start: Fit | None,
    first: int,
    show: Show,
) -> FoundPage:
    begin = _begin(fits, start)
    end = begin + first
    shown, places = shown_rows(context.actor, finding.search, [Hit(fit.pk, fit) for fit in fits[begin:end]])
    tell(context, finding)
    faceted = FACETS[finding.search.about]
    return FoundPage(finding, shown, places, order, len(fits) > end, start is not None, show, faceted)
