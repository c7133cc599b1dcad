"""The opportunity's page with a panel that counts, while a rule is edited, whom it would accept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.admin.steps import actor_of
from accounts.errors import DomainError
from marketplace.admin.opportunities import OpportunityAdmin
from marketplace.models import Opportunity
from matching.core.suppression import Told
from matching.queries.preview import Preview, preview

UNPROCESSABLE = 422


@require_POST
def preview_rule(request: HttpRequest, object_id: str, model_admin: OpportunityAdmin) -> JsonResponse:
    """Counts of the rule in the body, `{"rule": …}`, which is written as it is stored; or what is wrong with it."""
    opportunity = model_admin.get_object(request, object_id)
    if opportunity is None:
        raise Http404
    if not model_admin.has_act_permission(request, opportunity):
        raise PermissionDenied
    try:
        rule = json.loads(request.body)["rule"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return JsonResponse({"message": "This is no JSON.", "faults": []}, status=UNPROCESSABLE)
    try:
        found = preview(rule, actor=actor_of(request), now=timezone.now(), opportunity_id=opportunity.public_id)
    except DomainError as refusal:
        faults = refusal.data.get("faults", [])
        return JsonResponse({"message": refusal.message, "faults": faults}, status=UNPROCESSABLE)
    return JsonResponse(as_json(found))


def as_json(found: Preview) -> dict[str, Any]:
    """Every count as its number and its label."""
    return {
        "sentence": found.sentence,
        "eligible": _count(found.eligible),
        "unknown": _count(found.unknown),
        "ineligible": _count(found.ineligible),
        "criteria": [_counted(asdict(one), one) for one in found.per_criterion],
        "relaxations": [_counted(asdict(one), one) for one in found.relaxations],
    }


def _counted(plain: dict[str, Any], row: Any) -> dict[str, Any]:
    return {name: _count(told) if isinstance(told := getattr(row, name), Told) else told for name in plain}


def _count(told: Told) -> dict[str, Any]:
    return {"value": told.value, "label": told.label}


class PreviewingOpportunityAdmin(OpportunityAdmin):
    change_form_outer_before_template = "console/preview.html"
    custom_urls = (("<path:object_id>/preview/", "marketplace_opportunity_preview", preview_rule),)


admin.site.unregister(Opportunity)
admin.site.register(Opportunity, PreviewingOpportunityAdmin)
