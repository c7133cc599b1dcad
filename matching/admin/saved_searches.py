"""Searches that candidates keep, and the mails about them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin, ReadOnlyInline
from accounts.admin.rendering import NOTHING, as_json, count_of, link, state_column
from accounts.admin.steps import Step
from matching.actions.digests import retry_digest
from matching.models import Digest, FoundOpportunity, SavedSearch


class FoundInline(ReadOnlyInline):
    model = FoundOpportunity
    verbose_name_plural = "found"
    fields = ("opportunity", "found_at", "waits", "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FoundOpportunity]:
        return super().get_queryset(request).select_related("opportunity", "digest")


class DigestsInline(ReadOnlyInline):
    model = Digest
    fields = ("state", "frequency", "attempts", "due_at", "sent_at", "last_error")


@admin.register(SavedSearch)
class SavedSearchAdmin(ReadOnlyAdmin):
    list_display = ("name", "candidate_link", "frequency", "found_n", "due_at", "unsubscribed_at", "created_at")
    list_select_related = ("candidate",)
    list_filter = (
        "frequency",
        ("candidate", AutocompleteSelectFilter),
        ("unsubscribed_at", admin.EmptyFieldListFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "candidate__name", "=candidate__user__email")
    fields = (
        "candidate", "name", "asks_for", "frequency", "due_at", "unsubscribed_at", "created_at", "asked_at",
        "public_id", "event_log",
    )  # fmt: skip
    inlines = (FoundInline, DigestsInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedSearch]:
        return super().get_queryset(request).annotate(found_n=count_of(FoundOpportunity.objects.all(), "search"))

    @display(description="Candidate", ordering="candidate")
    def candidate_link(self, search: SavedSearch) -> str:
        return link(search.candidate)

    @display(description="Found", ordering="found_n")
    def found_n(self, search: SavedSearch) -> int:
        return search.found_n  # type: ignore[attr-defined]

    @display(description="Asks for")
    def asks_for(self, search: SavedSearch) -> str:
        return as_json(search.query)


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    list_display = ("search_link", "frequency", "state_label", "attempts", "due_at", "sent_at", "error")
    list_select_related = ("search",)
    list_filter = ("state", "frequency", ("due_at", RangeDateTimeFilter))
    search_fields = ("search__name", "=search__candidate__user__email", "last_error")
    fields = (
        "search", "frequency", "state", "attempts", "due_at", "last_error", "created_at", "sent_at", "public_id",
    )  # fmt: skip
    inlines = (FoundInline,)
    state_label = state_column()
    steps = (
        Step(
            name="retry",
            title="Try again",
            call=retry_digest,
            subject="digest_id",
            shown=lambda digest: digest.state == Digest.State.FAILED,
            icon="replay",
            description="It goes back in line and starts counting its attempts anew.",
            bulk=True,
        ),
    )

    @display(description="Search", ordering="search")
    def search_link(self, digest: Digest) -> str:
        return link(digest.search)

    @display(description="Last error")
    def error(self, digest: Digest) -> str:
        return digest.last_error[:80] or NOTHING
