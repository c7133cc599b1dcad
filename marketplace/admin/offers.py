"""Offers, and the lines of those who wait for a seat."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import badge, link, state_column
from accounts.admin.steps import CAREFUL, MomentField, Step, StepForm, line
from marketplace.actions.offers import prolong_offer, withdraw_offer
from marketplace.admin.contacts import FoundByContact
from marketplace.core.workflow import OFFER
from marketplace.models import Offer, WaitlistEntry


class WithdrawForm(StepForm):
    reason = line(required=False, max_length=200)


class ProlongForm(StepForm):
    expires_at = MomentField(label="Expires at (UTC)")


@admin.register(Offer)
class OfferAdmin(FoundByContact, ReadOnlyAdmin):
    list_display = (
        "reference", "candidate_link", "opportunity_link", "kind", "state_label", "pay", "weekly_hours",
        "expires_at", "created_at", "answered_at",
    )  # fmt: skip
    list_select_related = ("candidate", "opportunity")
    list_filter = (
        "state",
        "kind",
        ("candidate", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("expires_at", RangeDateTimeFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = (
        "reference__istartswith", "application__reference__istartswith", "candidate__name",
        "=candidate__user__email", "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    date_hierarchy = "created_at"
    state_label = state_column()
    fieldsets = (
        (None, {"fields": ("reference", "candidate", "opportunity", "application", "revision", "state_badge")}),
        ("Terms", {"fields": ("kind", "seat", "pay", "weekly_hours", "starts_on", "ends_on", "message")}),
        ("Answer", {"fields": ("expires_at", "answered_at", "decline_reason")}),
        ("History", {"fields": ("sent_by", "created_at", "public_id", "history")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    steps = (
        Step(
            name="prolong",
            title="Prolong",
            call=prolong_offer,
            subject="offer_id",
            shown=lambda offer: offer.state == "sent",
            form=ProlongForm,
            icon="more_time",
        ),
        Step(
            name="withdraw",
            title="Withdraw",
            call=withdraw_offer,
            subject="offer_id",
            machine=OFFER,
            move="withdraw",
            form=WithdrawForm,
            icon="block",
            variant=CAREFUL,
            bulk=True,
        ),
    )

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, offer: Offer) -> str:
        return link(offer.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, offer: Offer) -> str:
        return link(offer.opportunity)

    @display(description="State")
    def state_badge(self, offer: Offer) -> str:
        return badge(offer.state)

    @display(description="Pay", ordering="pay_amount")
    def pay(self, offer: Offer) -> str:
        return f"{offer.pay_amount.normalize():f} {offer.pay_currency} / {offer.pay_period}"


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(FoundByContact, ReadOnlyAdmin):
    list_display = ("opportunity_link", "candidate_link", "priority", "since")
    list_select_related = ("opportunity", "candidate")
    list_filter = (
        "priority",
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
    )
    search_fields = (
        "candidate__name", "=candidate__user__email", "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    fields = ("opportunity", "candidate", "application", "priority", "since", "public_id")

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, entry: WaitlistEntry) -> str:
        return link(entry.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, entry: WaitlistEntry) -> str:
        return link(entry.opportunity)
