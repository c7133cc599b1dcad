"""What becomes of seats that come free, and those that did."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin, SavedByActionAdmin
from accounts.admin.rendering import NOTHING, link
from accounts.admin.steps import actor_of
from matching.actions.backfill import set_backfill
from matching.models import BackfillRule, Vacancy
from matching.queries.backfill import rule_of


@admin.register(BackfillRule)
class BackfillRuleAdmin(SavedByActionAdmin):
    list_display = ("about", "policy", "set_by", "set_at")
    list_select_related = ("organisation", "opportunity", "set_by")
    list_filter = ("policy", ("organisation", AutocompleteSelectFilter))
    search_fields = ("organisation__name", "opportunity__reference__istartswith", "opportunity__title")
    autocomplete_fields = ("organisation", "opportunity")
    add_fieldsets = ((None, {
        "description": "Of one opportunity, or of all of an organisation's that say nothing else.",
        "fields": ("organisation", "opportunity", "policy"),
    }),)  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: BackfillRule | None = None) -> Any:
        return self.add_fieldsets if obj is None else ((None, {"fields": ("about", "policy", "set_by", "set_at")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: BackfillRule | None = None) -> tuple[str, ...]:
        return ("about", "set_by", "set_at") if obj else ()

    @display(description="About")
    def about(self, rule: BackfillRule) -> str:
        return link(rule.opportunity or rule.organisation)

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> BackfillRule:
        given = form.cleaned_data
        opportunity = form.instance.opportunity if change else given["opportunity"]
        organisation = form.instance.organisation if change else given["organisation"]
        subject = set_backfill(
            actor=actor_of(request),
            opportunity_id=opportunity.public_id if opportunity else None,
            organisation_id=organisation.public_id if organisation else None,
            policy=given["policy"],
            now=timezone.now(),
        )
        rule = rule_of(subject)
        assert rule is not None  # it was set just now
        return rule


@admin.register(Vacancy)
class VacancyAdmin(ReadOnlyAdmin):
    list_display = ("opportunity_link", "seat", "since", "closed_at", "run_link")
    list_select_related = ("opportunity", "seat", "run")
    list_filter = (
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("since", RangeDateTimeFilter),
    )
    search_fields = ("opportunity__reference__istartswith", "opportunity__title")
    fields = ("opportunity", "seat", "since", "closed_at", "run", "public_id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("run__snapshot", "run__solution")

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, vacancy: Vacancy) -> str:
        return link(vacancy.opportunity)

    @display(description="Looked for by", ordering="run")
    def run_link(self, vacancy: Vacancy) -> str:
        return link(vacancy.run, str(vacancy.run.public_id)[:8]) if vacancy.run else NOTHING
