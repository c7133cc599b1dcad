"""Seats. How many there are is said on the opportunity's page; who holds one, by offers and placements."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import NOTHING, link, state_column
from marketplace.models import Offer, Placement, Seat


@admin.register(Seat)
class SeatAdmin(ReadOnlyAdmin):
    list_display = ("opportunity_link", "number", "state_label", "holder", "replaces_number", "opened_at", "filled_at")
    list_select_related = ("opportunity", "placement__candidate", "replaces")
    list_filter = (
        "state",
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("filled_at", RangeDateTimeFilter),
    )
    search_fields = ("opportunity__reference__istartswith", "opportunity__title")
    ordering = ("-opportunity", "number")
    fields = ("opportunity", "number", "state", "holder", "replaces", "opened_at", "filled_at", "public_id", "history")
    state_label = state_column()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        return super().get_queryset(request).prefetch_related("offers__candidate")

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, seat: Seat) -> str:
        return link(seat.opportunity)

    @display(description="Held by")
    def holder(self, seat: Seat) -> str:
        placement: Placement | None = getattr(seat, "placement", None)
        if placement is not None:
            return link(placement, f"{placement.reference} {placement.candidate.name}")
        offers: list[Offer] = list(seat.offers.all())
        return link(offers[0], f"{offers[0].reference} {offers[0].candidate.name}") if offers else NOTHING

    @display(description="Replaces")
    def replaces_number(self, seat: Seat) -> str:
        return f"seat {seat.replaces.number}" if seat.replaces else NOTHING
