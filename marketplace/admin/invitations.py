"""Invitations. A new one is sent the way a recruiter would send it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, SavedByActionAdmin
from accounts.admin.rendering import badge, link, state_column
from accounts.admin.steps import actor_of
from marketplace.actions.invitations import invite_candidate
from marketplace.admin.contacts import FoundByContact
from marketplace.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(FoundByContact, AddOnlyAdmin, SavedByActionAdmin):
    list_display = ("candidate_link", "opportunity_link", "state_label", "invited_by", "expires_at", "created_at")
    list_select_related = ("candidate", "opportunity", "invited_by")
    list_filter = (
        "state",
        ("candidate", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = (
        "candidate__name", "=candidate__user__email",
        "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    date_hierarchy = "created_at"
    autocomplete_fields = ("candidate", "opportunity")
    state_label = state_column()
    add_fieldsets = ((None, {"fields": ("opportunity", "candidate", "message", "expires_at")}),)
    fields = (
        "opportunity", "candidate", "state_badge", "invited_by", "message", "expires_at", "created_at", "public_id",
        "history", "event_log",
    )  # fmt: skip

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, invitation: Invitation) -> str:
        return link(invitation.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, invitation: Invitation) -> str:
        return link(invitation.opportunity)

    @display(description="State")
    def state_badge(self, invitation: Invitation) -> str:
        return badge(invitation.state)

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> Invitation:
        given = form.cleaned_data
        return invite_candidate(
            actor=actor_of(request),
            opportunity_id=given["opportunity"].public_id,
            candidate_id=given["candidate"].public_id,
            message=given["message"],
            expires_at=given["expires_at"],
            now=timezone.now(),
        )
