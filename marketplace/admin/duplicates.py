"""What looks like one posting, or one person, twice: shown to staff, who decide. Nobody else is told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import NOTHING, badge, link, link_to_list, moment, sentences, state_column, table
from accounts.admin.steps import Step
from marketplace.actions import duplicates
from marketplace.core.workflow import SUSPICION, SuspicionState
from marketplace.models import Candidate, Opportunity, SuspectedDuplicate
from marketplace.queries.duplicates import open_suspicions

REASONS = {
    "same_text": "the same text, but for numbers, order and letter case",
    "similar_text": "much the same text",
    "same_title": "the same title",
    "similar_title": "titles of which one says more",
    "other_title": "another title",
    "same_email": "the same e-mail address",
    "same_linkedin": "the same LinkedIn profile",
    "same_phone": "the same telephone number",
    "same_rare_name": "the same name, which few have in that country",
    "same_name": "the same name, which many have in that country",
    "same_employer": "an employer in common",
    "same_region": "the same region",
    "same_country": "the same country",
    "same_job_title": "a job title in common",
    "same_skills": "much the same skills",
    "other_phone": "another telephone number",
    "other_region": "another region",
    "other_country": "another country",
    "other_name": "another name",
    "other_linkedin": "another LinkedIn profile",
}
"""Each reason for people, those that speak against it included."""


def step(move: str, **kwargs: Any) -> Step:
    return Step(
        name=move,
        title=move.capitalize(),
        call=getattr(duplicates, f"{move}_duplicate"),
        subject="duplicate_id",
        machine=SUSPICION,
        move=move,
        bulk=True,
        **kwargs,
    )


@admin.register(SuspectedDuplicate)
class SuspectedDuplicateAdmin(ReadOnlyAdmin):
    list_display = (
        "kind", "low_link", "high_link", "strength_text", "reasons_text", "state_label", "found_at", "decided_by",
    )  # fmt: skip
    list_select_related = ("low_opportunity", "high_opportunity", "low_candidate", "high_candidate", "decided_by")
    list_filter = ("kind", "state", ("strength", RangeNumericFilter), ("found_at", RangeDateTimeFilter))
    search_fields = (
        "low_opportunity__reference__istartswith", "low_opportunity__title", "=low_opportunity__public_id",
        "high_opportunity__reference__istartswith", "high_opportunity__title", "=high_opportunity__public_id",
        "low_candidate__name", "=low_candidate__public_id", "high_candidate__name", "=high_candidate__public_id",
    )  # fmt: skip
    ordering = ("-id",)
    date_hierarchy = "found_at"
    state_label = state_column()
    fieldsets = (
        (None, {"fields": ("kind", "both_sides", "strength_text", "reasons_text", "state_badge", "found_at")}),
        ("Decision", {"fields": ("decided_by", "decided_at", "what_next")}),
        ("History", {"classes": ("tab",), "fields": ("history",)}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )  # fmt: skip
    steps = (
        step("confirm", icon="done_all"),
        step("dismiss", icon="block"),
    )

    @display(description="Older")
    def low_link(self, pair: SuspectedDuplicate) -> str:
        return link(pair.low_opportunity or pair.low_candidate)

    @display(description="Newer")
    def high_link(self, pair: SuspectedDuplicate) -> str:
        return link(pair.high_opportunity or pair.high_candidate)

    @display(description="Strength", ordering="strength")
    def strength_text(self, pair: SuspectedDuplicate) -> str:
        return f"{pair.strength} %"

    @display(description="Reasons")
    def reasons_text(self, pair: SuspectedDuplicate) -> str:
        return sentences(REASONS.get(reason, reason) for reason in pair.reasons)

    @display(description="State")
    def state_badge(self, pair: SuspectedDuplicate) -> str:
        return badge(pair.state)

    @display(description="The two")
    def both_sides(self, pair: SuspectedDuplicate) -> str:
        sides = (pair.low_opportunity or pair.low_candidate, pair.high_opportunity or pair.high_candidate)
        return table(
            ["", "Since", "State"], [(link(side), moment(side.created_at), _state(side)) for side in sides if side]
        )

    @display(description="What next")
    def what_next(self, pair: SuspectedDuplicate) -> str:
        if pair.state != SuspicionState.CONFIRMED:
            return NOTHING
        if pair.kind == SuspectedDuplicate.Kind.OPPORTUNITY:
            return "Nothing was closed: close or suspend one of the two on its own page."
        return "Nothing was merged: name one under “Merged into” on the other's page."


def _state(side: Opportunity | Candidate) -> str:
    if isinstance(side, Opportunity):
        return badge(side.state)
    if side.merged_into_id is not None:
        return "merged into another"
    return "suspended" if side.suspended_at else NOTHING


def suspicions_of(row: Opportunity | Candidate) -> str:
    """How many suspicions about a row wait for a decision, leading to them."""
    waiting = open_suspicions(row).count() if row.pk else 0
    if not waiting:
        return NOTHING
    return link_to_list(SuspectedDuplicate, f"{waiting} to decide", q=row.public_id, state__exact=SuspicionState.OPEN)
