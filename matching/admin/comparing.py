"""A page that holds a model against another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from accounts.admin.rendering import table
from matching.admin.plots import ONE, OTHER, curves, histogram, shares
from matching.core.evaluation.comparing import Comparison, Foresight
from matching.core.scoring import InvalidModel
from matching.models import ScoringModel
from matching.queries.comparing import OUTCOMES_SINCE, compare, held_against, statements_of

MOST_OTHERS = 200


class Plot(NamedTuple):
    title: str
    drawing: SafeString
    note: str


@require_GET
def compare_models(request: HttpRequest, object_id: str, model_admin: ModelAdmin) -> HttpResponse:
    """The model against the one that `other` (inner id) names, or the one that it would replace."""
    model = model_admin.get_object(request, object_id)
    if model is None:
        raise Http404
    if not model_admin.has_view_permission(request, model):
        raise PermissionDenied
    others = ScoringModel.objects.exclude(pk=model.pk).select_related("segment").order_by("-pk")
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": f"Compare {model.version}",
        "model": model,
        "others": others[:MOST_OTHERS],
        "back": reverse("admin:matching_scoringmodel_change", args=[model.pk]),
        "days": OUTCOMES_SINCE.days,
        "opts": model_admin.opts,
    }
    other = _chosen(others, request.GET.get("other", ""), model)
    if other is not None:
        context |= {"other": other, **_compared(model, other)}
    return TemplateResponse(request, "console/compare.html", context)


def _chosen(others: QuerySet[ScoringModel], asked: str, model: ScoringModel) -> ScoringModel | None:
    """Raises Http404 for one that there is not."""
    if not asked:
        return held_against(model)
    found = others.filter(pk=int(asked)).first() if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    if found is None:
        raise Http404
    return found


def _compared(model: ScoringModel, other: ScoringModel) -> dict[str, Any]:
    try:
        found = compare(model, other, now=timezone.now())
    except InvalidModel as error:  # a definition of long ago
        return {"problem": f"These cannot be compared: {error}."}
    return {
        "found": found,
        "plots": list(plots_of(found)),
        "figures": table(["", f"{model.version} against {other.version}"], list(statements_of(found))),
    }


def plots_of(found: Comparison) -> Iterator[Plot]:
    overlap = found.agreement.overlap
    if overlap:
        bars = [(f"{at.k}", at.share, at.interval) for at in overlap]
        yield Plot(
            "Overlap by depth",
            shares("Overlap by depth", bars, label="the first k"),
            "Of the first k of the one, how many are among the first k of the other; mean over opportunities that have "
            "so many, with a 95 % interval.",
        )
    for head, one in found.agreement.heads.items():
        if one.drift is not None:
            title = f"Drift of {head}"
            drawn = one.drift.histogram
            yield Plot(
                title,
                histogram(title, drawn.edges, drawn.counts, label="log-odds"),
                f"Score by {found.one} less score by {found.other}, pair by pair.",
            )
    for head, outcome in found.outcomes.items():
        title = f"Calibration of {head}"
        lines = [
            (found.one, ONE, _points(outcome.one)),
            (found.other, OTHER, _points(outcome.other)),
        ]
        yield Plot(
            title,
            curves(title, lines, label="predicted"),
            f"What came of {outcome.examples:,} who were shown, by what was predicted. On the dashed line it is as "
            "predicted.",
        )


def _points(of: Foresight) -> list[tuple[float, float, int]]:
    return [(one.predicted, one.observed, one.count) for one in of.calibration]
