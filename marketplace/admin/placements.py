"""Placements: people at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin, ReadOnlyInline
from accounts.admin.rendering import badge, link, state_column
from accounts.admin.steps import CAREFUL, ReasonForm, Step
from marketplace.actions.placements import (
    cancel_placement,
    complete_placement,
    end_placement,
    pause_placement,
    report_no_show,
    resume_placement,
    start_placement,
)
from marketplace.admin.contacts import FoundByContact
from marketplace.core.workflow import PLACEMENT
from marketplace.models import Placement, PlacementTerms


def step(move: str, title: str, call: Callable[..., Any], **kwargs: Any) -> Step:
    return Step(
        name=move,
        title=title,
        call=call,
        subject="placement_id",
        machine=PLACEMENT,
        move=move,
        **kwargs,
    )


class TermsInline(ReadOnlyInline):
    model = PlacementTerms
    fields = ("from_on", "weekly_hours", "pay_amount", "pay_currency", "pay_period")


@admin.register(Placement)
class PlacementAdmin(FoundByContact, ReadOnlyAdmin):
    list_display = (
        "reference", "candidate_link", "opportunity_link", "state_label", "weekly_hours", "starts_on", "ends_on",
        "ended_at",
    )  # fmt: skip
    list_select_related = ("candidate", "opportunity")
    list_filter = (
        "state",
        ("candidate", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("starts_on", RangeDateFilter),
        ("ended_at", RangeDateTimeFilter),
    )
    search_fields = (
        "reference__istartswith", "offer__reference__istartswith", "candidate__name",
        "=candidate__user__email", "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    date_hierarchy = "starts_on"
    state_label = state_column()
    inlines = (TermsInline,)
    fieldsets = (
        (None, {"fields": ("reference", "candidate", "opportunity", "offer", "seat", "state_badge")}),
        ("Terms", {"fields": ("weekly_hours", "starts_on", "ends_on")}),
        ("End", {"fields": ("ended_at", "end_reason", "ended_by")}),
        ("History", {"fields": ("created_at", "public_id", "history")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    steps = (
        step("start", "Start", start_placement, icon="play_arrow", bulk=True),
        step("pause", "Pause", pause_placement, icon="pause"),
        step("resume", "Resume", resume_placement, icon="play_arrow"),
        step("complete", "Complete", complete_placement, icon="check", bulk=True),
        step("end", "End early", end_placement, icon="logout", form=ReasonForm, variant=CAREFUL),
        step("cancel", "Cancel", cancel_placement, icon="block", form=ReasonForm, variant=CAREFUL),
        step("report_no_show", "Did not turn up", report_no_show, icon="person_off", form=ReasonForm, variant=CAREFUL),
    )

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, placement: Placement) -> str:
        return link(placement.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, placement: Placement) -> str:
        return link(placement.opportunity)

    @display(description="State")
    def state_badge(self, placement: Placement) -> str:
        return badge(placement.state)
