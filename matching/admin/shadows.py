"""What models in the shadow would have done: the staff's alone."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import link, table
from marketplace.models import Candidate
from matching.admin.wording import score_text
from matching.models import ShadowFailure, ShadowMark, ShadowRanking

BEYOND = "beyond"


@admin.register(ShadowRanking)
class ShadowRankingAdmin(ReadOnlyAdmin):
    list_display = ("opportunity", "model", "live_model", "day", "people", "in_common")
    list_select_related = ("opportunity", "model", "live_model")
    list_filter = (
        ("model", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("day", RangeDateFilter),
    )
    search_fields = ("opportunity__reference__istartswith", "opportunity__title", "model__version")
    ordering = ("-day", "-id")
    fields = ("opportunity", "model", "live_model", "day", "at", "in_common", "ranking")

    @display(description="People")
    def people(self, row: ShadowRanking) -> int:
        return len(row.candidates)

    @display(description="Among the first of both")
    def in_common(self, row: ShadowRanking) -> str:
        ranked = list(zip(row.ranks, row.live_ranks, strict=True))
        most = max(sum(1 for rank, _ in ranked if rank), sum(1 for _, rank in ranked if rank))
        return f"{sum(1 for rank, live in ranked if rank and live)} of {most}"

    @display(description="Ranking")
    def ranking(self, row: ShadowRanking) -> str:
        people = Candidate.objects.in_bulk(row.candidates)
        rows = [
            (rank or BEYOND, live_rank or BEYOND, link(people.get(pk)), score_text(fit), score_text(live_fit))
            for pk, rank, live_rank, fit, live_fit in zip(
                row.candidates, row.ranks, row.live_ranks, row.fits, row.live_fits, strict=True
            )
        ]
        return table(["Rank", "Live rank", "Candidate", "Fit", "Live fit"], rows)


@admin.register(ShadowMark)
class ShadowMarkAdmin(ReadOnlyAdmin):
    list_display = ("opportunity", "since")
    list_select_related = ("opportunity",)
    search_fields = ("opportunity__reference__istartswith",)
    ordering = ("since", "opportunity")
    fields = ("opportunity", "since")


@admin.register(ShadowFailure)
class ShadowFailureAdmin(ReadOnlyAdmin):
    list_display = ("model", "day", "times", "error", "at")
    list_select_related = ("model",)
    list_filter = (("model", AutocompleteSelectFilter), ("day", RangeDateFilter))
    search_fields = ("model__version", "error")
    ordering = ("-at", "-id")
    fields = ("model", "day", "times", "error", "at")
