"""The console's first page: how the market stands, and whether the machinery keeps up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.admin.rendering import badge, link, moment
from accounts.models import Delivery
from marketplace.models import Application, Candidate, Offer, Opportunity, Placement, Seat, SuspectedDuplicate
from matching.models import AllocationRun, Mark
from matching.queries.marks import oldest_mark

admin.site.index_template = "console/index.html"
admin.site.index_title = "Overview"

STALE_SECONDS = 60
"""A mark older than this says that re-scoring does not keep up."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the overview: what it counts, a word on it, where to look further, and whether to worry."""

    title: str
    value: str
    note: str = ""
    address: str = ""
    worrying: bool = False


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback for the index page."""
    now = timezone.now()
    return {
        **context,
        "market_figures": market_figures(),
        "machinery_figures": machinery_figures(now),
        "open_table": opportunities_with_open_seats()
        if request.user.has_perm("marketplace.view_opportunity")
        else None,
        "runs_table": latest_runs() if request.user.has_perm("matching.view_allocationrun") else None,
    }


def market_figures() -> list[Figure]:
    """Of published opportunities: what is wanted, held and filled."""
    seats = Seat.objects.filter(opportunity__state="published").aggregate(
        open=Count("pk", filter=Q(state="open")),
        held=Count("pk", filter=Q(state="held")),
        filled=Count("pk", filter=Q(state="filled")),
    )
    wanted = seats["open"] + seats["held"] + seats["filled"]
    rate = f"{100 * seats['filled'] / wanted:.0f} %" if wanted else "–"
    published = Opportunity.objects.published().count()
    return [
        Figure("Open seats", _n(seats["open"]), f"{_n(seats['held'])} held", _list(Seat, state="open")),
        Figure("Fill rate", rate, f"{_n(seats['filled'])} of {_n(wanted)} seats wanted"),
        Figure("Published", _n(published), "opportunities", _list(Opportunity, state="published")),
        Figure("Live offers", _n(Offer.objects.live().count()), "waiting for an answer", _list(Offer, state="sent")),
        Figure("Live applications", _n(Application.objects.live().count()), "", _list(Application, status="active")),
        Figure("At work", _n(Placement.objects.live().count()), "placements", _list(Placement)),
        Figure("Candidates", _n(Candidate.objects.discoverable().count()), "discoverable", _list(Candidate)),
        Figure(
            "Suspected duplicates",
            _n(SuspectedDuplicate.objects.open().count()),
            "to confirm or to dismiss",
            _list(SuspectedDuplicate, state="open"),
        ),
    ]


def machinery_figures(now: datetime) -> list[Figure]:
    pending = Delivery.objects.pending().count()
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).count()
    mark = oldest_mark()
    age = max(0.0, (now - mark).total_seconds()) if mark else 0.0
    return [
        Figure("Pending deliveries", _n(pending), "on their way", _list(Delivery, state="pending")),
        Figure("Failed deliveries", _n(failed), "given up", _list(Delivery, state="failed"), worrying=failed > 0),
        Figure(
            "Freshness",
            _seconds(age) if mark else "up to date",
            "age of the oldest mark" if mark else "nothing to score again",
            _list(Mark),
            worrying=age > STALE_SECONDS,
        ),
        worker_figure(),
    ]


def worker_figure() -> Figure:
    beat = cache.get(settings.WORKER_HEARTBEAT_KEY)
    if beat is None:
        return Figure("Worker", "silent", "no heartbeat", worrying=True)
    age = max(0.0, time.time() - float(beat))
    alive = age <= settings.WORKER_HEARTBEAT_MAX_AGE_SECONDS
    return Figure("Worker", "alive" if alive else "silent", f"heard {_seconds(age)} ago", worrying=not alive)


def opportunities_with_open_seats() -> Mapping[str, Any]:
    opportunities = (
        Opportunity.objects.published()
        .select_related("posting_organisation")
        .annotate(open_n=Count("seats", filter=Q(seats__state="open")))
        .filter(open_n__gt=0)
        .order_by("-open_n", "id")[:8]
    )
    return {
        "headers": ["Opportunity", "Organisation", "Open seats"],
        "rows": [[link(one), link(one.posting_organisation), one.open_n] for one in opportunities],
    }


def latest_runs() -> Mapping[str, Any]:
    runs = AllocationRun.objects.select_related("organisation").defer("snapshot", "solution").order_by("-id")[:5]
    return {
        "headers": ["Run", "Scope", "State", "Seats", "Proposed", "Sent"],
        "rows": [
            [
                link(run, moment(run.created_at)),
                link(run.organisation) if run.organisation else "the whole market",
                badge(run.state),
                run.seats,
                run.proposed,
                run.sent,
            ]
            for run in runs
        ],
    }


def _n(number: int) -> str:
    return f"{number:,}"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _list(model: type[models.Model], **filters: str) -> str:
    query = "&".join(f"{name}__exact={value}" for name, value in filters.items())
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{query}" if query else address
