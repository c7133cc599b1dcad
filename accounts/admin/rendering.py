"""How rows are shown: coloured states, links, tables, histories. All of it escaped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.admin.utils import quote
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from unfold.decorators import display

from accounts.models import Event, Transition

NOTHING = "–"

# Colours say what a state asks of staff: green goes well, orange waits, red went wrong, grey is over.
COLOURS = {
    **dict.fromkeys(["published", "accepted", "hired", "filled", "active", "completed"], "success"),
    **dict.fromkeys(["committed", "live", "done", "trained", "eligible"], "success"),
    **dict.fromkeys(["sent", "held", "onboarding", "planned", "shadow", "open", "proposed", "pinned"], "info"),
    **dict.fromkeys(["running", "training"], "info"),
    **dict.fromkeys(["in_review", "paused", "queued", "solving", "committing", "pending", "unknown"], "warning"),
    **dict.fromkeys(["suspended", "failed", "no_show", "ended_early", "rejected", "ineligible"], "danger"),
    **dict.fromkeys(["draft", "closed", "declined", "expired", "withdrawn", "overtaken", "lapsed", "spent"], "default"),
    **dict.fromkeys(["retired", "cancelled", "discarded", "excluded", "dropped", "confirmed", "dismissed"], "default"),
    **dict.fromkeys(["superseded"], "default"),
}


def state_column(field: str = "state", description: str | None = None) -> Callable[..., Any]:
    """A column of a list that shows a state as a coloured label."""

    @display(description=description or field.replace("_", " ").capitalize(), ordering=field, label=COLOURS)
    def column(self: Any, row: models.Model) -> tuple[str, str]:
        value = str(getattr(row, field))
        return value, value.replace("_", " ")

    return column


def badge(value: str) -> SafeString:
    """The same label outside of a list."""
    return mark_safe(
        render_to_string(
            "unfold/helpers/label.html", {"type": COLOURS.get(value, "default"), "text": value.replace("_", " ")}
        )
    )


def link(row: models.Model | None, text: str | None = None) -> str:
    """The row's name, leading to its page."""
    if row is None:
        return NOTHING
    return link_to(type(row), row.pk, str(row) if text is None else text)


def link_to(model: type[models.Model], pk: Any, text: str) -> str:
    """A link to a row that need not be loaded."""
    try:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(pk)])
    except NoReverseMatch:
        return text
    return format_html('<a href="{}" class="text-link">{}</a>', address, text or NOTHING)


def link_to_list(model: type[models.Model], text: str, **filters: Any) -> str:
    """A link to a model's list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}" class="text-link">{}</a>', f"{address}?{query}" if query else address, text)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = NOTHING) -> str:
    """A small table. Cells are escaped unless they are safe already."""
    rows = list(rows)
    if not rows:
        return empty
    return render_to_string("console/table.html", {"headers": headers, "rows": rows})


def sentences(lines: Iterable[str], *, empty: str = NOTHING) -> str:
    """One line below the other."""
    lines = list(lines)
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines)) if lines else empty


def as_json(value: Any) -> str:
    """JSON for reading, where there are no better words for it."""
    if value in (None, "", {}, []):
        return NOTHING
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    return format_html('<pre class="text-xs whitespace-pre-wrap break-words max-h-96 overflow-auto">{}</pre>', text)


def moment(value: Any) -> str:
    return date_format(localtime(value), "Y-m-d H:i") if value else NOTHING


def history_of(row: models.Model | None) -> str:
    """Every change of the row's state, newest first."""
    if row is None or row.pk is None:
        return NOTHING
    moves = (
        Transition.objects.filter(subject_type=row._meta.model_name, subject_id=row.pk)
        .select_related("actor")
        .order_by("-id")[:100]
    )
    return table(
        ["When", "From", "To", "Action", "By", "Reason"],
        (
            (
                moment(move.at),
                badge(move.from_state),
                badge(move.to_state),
                move.action.replace("_", " "),
                format_html("{} ({})", move.actor, move.actor_kind) if move.actor else move.actor_kind,
                move.reason or NOTHING,
            )
            for move in moves
        ),
        empty="It has not moved since it was made.",
    )


def events_of(row: models.Model | None) -> str:
    """What has happened to the row, newest first."""
    if row is None or row.pk is None:
        return NOTHING
    events = (
        Event.objects.filter(aggregate_type=row._meta.model_name, aggregate_id=row.pk)
        .select_related("actor")
        .order_by("-sequence")[:50]
    )
    return table(
        ["#", "When", "Event", "By", "What"],
        (
            (
                event.sequence,
                moment(event.at),
                link(event, event.name),
                format_html("{} ({})", event.actor, event.actor_kind) if event.actor else event.actor_kind,
                ", ".join(f"{name}: {value}" for name, value in event.payload.items()) or NOTHING,
            )
            for event in events
        ),
    )


def count_of(rows: models.QuerySet[Any], to: str) -> Coalesce:
    """How many of `rows` point here by `to`, as an annotation that joins nothing."""
    counted = rows.filter(**{to: OuterRef("pk")}).order_by().values(to).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=models.IntegerField()), 0)
