"""What is searched, as staff look into it: copies of opportunities, and the marks of what is still to be copied."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.events import subject_link
from accounts.admin.rendering import NOTHING, link
from accounts.models import Organisation
from marketplace.queries.skills import skill_names
from matching.core.search.search import UNPAID
from matching.models import CopyMark, OpportunityProjection


@admin.register(CopyMark)
class CopyMarkAdmin(ReadOnlyAdmin):
    list_display = ("subject", "subject_type", "stage", "urgent", "generation", "since")
    list_filter = ("stage", "subject_type", "urgent", ("since", RangeDateTimeFilter))
    search_fields = ("=subject_id",)
    ordering = ("-urgent", "since", "id")
    fields = ("subject", "stage", "urgent", "generation", "since")

    @display(description="To be copied")
    def subject(self, mark: CopyMark) -> str:
        return subject_link(mark.subject_type, mark.subject_id)


@admin.register(OpportunityProjection)
class OpportunityProjectionAdmin(ReadOnlyAdmin):
    list_display = ("opportunity_link", "state", "visibility", "listed_at", "commitment", "yearly_pay", "refreshed_at")
    list_select_related = ("opportunity",)
    list_filter = ("state", "visibility", "commitment", "arrangement", ("refreshed_at", RangeDateTimeFilter))
    search_fields = ("opportunity__reference__istartswith", "title")
    ordering = ("-opportunity_id",)
    fields = (
        "opportunity", "state", "visibility", "organisation_names", "title", "listed_at", "closes_at", "commitment",
        "arrangement", "weekly_hours", "years_experience", "starts_on", "ends_on", "published_on", "closes_on",
        "places", "excluded_places", "skill_list", "yearly_pay", "head", "words", "refreshed_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpportunityProjection]:
        """Lists go without the words of whole descriptions."""
        match = request.resolver_match
        rows = super().get_queryset(request)
        return rows if match is not None and match.kwargs.get("object_id") else rows.defer("words")

    @display(description="Opportunity", ordering="title")
    def opportunity_link(self, projection: OpportunityProjection) -> str:
        return link(projection.opportunity)

    @display(description="Organisations")
    def organisation_names(self, projection: OpportunityProjection) -> str:
        names = Organisation.objects.filter(pk__in=projection.organisations).values_list("name", flat=True)
        return ", ".join(names) or NOTHING

    @display(description="Skills")
    def skill_list(self, projection: OpportunityProjection) -> str:
        names = skill_names(projection.skill_ids)
        return ", ".join(sorted(names.get(pk, str(pk)) for pk in projection.skill_ids)) or NOTHING

    @display(description="Pays at most, EUR a year", ordering="most_pay")
    def yearly_pay(self, projection: OpportunityProjection) -> str:
        return NOTHING if projection.most_pay == UNPAID else f"{projection.most_pay / 100:,.0f}"
