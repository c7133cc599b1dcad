"""The terms of opportunities at one moment, and exceptions from their rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, ReadOnlyAdmin, SavedByActionAdmin
from accounts.admin.rendering import as_json, link
from accounts.admin.steps import CAREFUL, Step, actor_of
from marketplace.actions.waivers import revoke_waiver, waive_eligibility
from marketplace.admin.contacts import FoundByContact
from marketplace.admin.wording import rule_in_words
from marketplace.models import EligibilityWaiver, OpportunityRevision


@admin.register(OpportunityRevision)
class OpportunityRevisionAdmin(ReadOnlyAdmin):
    list_display = ("opportunity_link", "number", "has_rule", "created_by", "created_at")
    list_select_related = ("opportunity", "created_by")
    list_filter = (
        ("rule", admin.EmptyFieldListFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("opportunity__reference__istartswith", "opportunity__title")
    ordering = ("-id",)
    date_hierarchy = "created_at"
    fields = ("opportunity", "number", "rule_text", "rule_json", "terms_json", "created_by", "created_at", "public_id")

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, revision: OpportunityRevision) -> str:
        return link(revision.opportunity)

    @display(description="Has a rule", boolean=True)
    def has_rule(self, revision: OpportunityRevision) -> bool:
        return bool(revision.rule)

    @display(description="Who may be placed")
    def rule_text(self, revision: OpportunityRevision) -> str:
        return rule_in_words(revision.rule)

    @display(description="Rule as stored")
    def rule_json(self, revision: OpportunityRevision) -> str:
        return as_json(revision.rule)

    @display(description="Terms as stored")
    def terms_json(self, revision: OpportunityRevision) -> str:
        return as_json(revision.terms)


@admin.register(EligibilityWaiver)
class EligibilityWaiverAdmin(FoundByContact, AddOnlyAdmin, SavedByActionAdmin):
    list_display = ("candidate_link", "opportunity_link", "reason", "granted_by", "until", "revoked_at", "created_at")
    list_select_related = ("candidate", "opportunity", "granted_by")
    list_filter = (
        ("opportunity", AutocompleteSelectFilter),
        ("candidate", AutocompleteSelectFilter),
        ("revoked_at", admin.EmptyFieldListFilter),
        ("until", RangeDateTimeFilter),
    )
    search_fields = (
        "candidate__name", "=candidate__user__email", "opportunity__reference__istartswith", "opportunity__title",
        "reason",
    )  # fmt: skip
    ordering = ("-id",)
    date_hierarchy = "created_at"
    autocomplete_fields = ("opportunity", "candidate")
    add_fieldsets = ((None, {"fields": ("opportunity", "candidate", "reason", "until")}),)
    fields = ("opportunity", "candidate", "reason", "granted_by", "until", "revoked_at", "created_at", "public_id")
    steps = (
        Step(
            name="revoke",
            title="Revoke",
            call=revoke_waiver,
            subject="waiver_id",
            shown=lambda waiver: waiver.revoked_at is None,
            icon="block",
            variant=CAREFUL,
            bulk=True,
        ),
    )

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, waiver: EligibilityWaiver) -> str:
        return link(waiver.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, waiver: EligibilityWaiver) -> str:
        return link(waiver.opportunity)

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> EligibilityWaiver:
        given = form.cleaned_data
        return waive_eligibility(
            actor=actor_of(request),
            opportunity_id=given["opportunity"].public_id,
            candidate_id=given["candidate"].public_id,
            reason=given["reason"],
            until=given["until"],
            now=timezone.now(),
        )
