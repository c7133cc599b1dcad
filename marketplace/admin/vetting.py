"""Vetting: checks of candidates that staff record, and refusals for ineligibility."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, ReadOnlyAdmin, SavedByActionAdmin
from accounts.admin.rendering import link
from accounts.admin.steps import CAREFUL, Step, actor_of
from marketplace.actions.vetting import record_vetting, withdraw_vetting
from marketplace.admin.contacts import FoundByContact
from marketplace.admin.wording import verdict_in_words
from marketplace.models import EligibilityRefusal, VettingResult


class ResultForm(ModelForm):
    def _get_validation_exclusions(self) -> set[str]:
        """A second result of a check is no mistake, which the constraint would say: it takes the place of the first."""
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | {"kind"}


@admin.register(VettingResult)
class VettingResultAdmin(FoundByContact, AddOnlyAdmin, SavedByActionAdmin):
    """The last result of each check. Recording another takes its place; the facts' history keeps both."""

    list_display = ("candidate_link", "kind", "passed", "until", "recorded_by", "recorded_at")
    list_select_related = ("candidate", "recorded_by")
    list_filter = ("kind", "passed", ("candidate", AutocompleteSelectFilter), ("recorded_at", RangeDateTimeFilter))
    search_fields = ("candidate__name", "=candidate__user__email")
    ordering = ("-id",)
    date_hierarchy = "recorded_at"
    form = ResultForm
    autocomplete_fields = ("candidate",)
    add_fieldsets = ((None, {"fields": ("candidate", "kind", "passed", "until")}),)
    fields = ("candidate", "kind", "passed", "until", "recorded_by", "recorded_at", "public_id")
    steps = (
        Step(
            name="withdraw",
            title="Withdraw",
            call=withdraw_vetting,
            subject="vetting_id",
            description="The result was recorded by mistake: whether the check is passed is unknown again.",
            icon="undo",
            variant=CAREFUL,
        ),
    )

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, result: VettingResult) -> str:
        return link(result.candidate)

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> VettingResult:
        given = form.cleaned_data
        return record_vetting(
            actor=actor_of(request),
            candidate_id=given["candidate"].public_id,
            kind=given["kind"],
            passed=given["passed"],
            until=given["until"],
            now=timezone.now(),
        )


@admin.register(EligibilityRefusal)
class EligibilityRefusalAdmin(FoundByContact, ReadOnlyAdmin):
    list_display = ("candidate_link", "opportunity_link", "surface", "candidate_revision", "at")
    list_select_related = ("candidate", "opportunity")
    list_filter = (
        "surface",
        ("candidate", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("at", RangeDateTimeFilter),
    )
    search_fields = (
        "candidate__name", "=candidate__user__email", "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    ordering = ("-id",)
    date_hierarchy = "at"
    fields = ("candidate", "opportunity", "revision", "candidate_revision", "surface", "verdict_text", "at")

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, refusal: EligibilityRefusal) -> str:
        return link(refusal.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, refusal: EligibilityRefusal) -> str:
        return link(refusal.opportunity)

    @display(description="Eligibility")
    def verdict_text(self, refusal: EligibilityRefusal) -> str:
        return verdict_in_words(refusal.verdict)
