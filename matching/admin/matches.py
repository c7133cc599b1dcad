"""Matches, what was shown of them, and how fresh they are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.events import subject_link
from accounts.admin.rendering import NOTHING, as_json, link, sentences, state_column, table
from marketplace.admin.wording import verdict_in_words
from marketplace.queries.skills import skill_names
from matching.actions.models import serving_now
from matching.admin.wording import contributions_by_head, score_text
from matching.core.rules import Disclosure
from matching.models import CandidateProjection, Decision, Departure, Mark, Match, PairMark, UnscoredPair
from matching.queries.scorable import basics_at
from matching.queries.whatif import pair_of

SUGGESTED = 5  # changes that would raise a rank


class PairAdmin(ReadOnlyAdmin):
    """Rows about one candidate and one opportunity."""

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, pair: Any) -> str:
        return link(pair.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, pair: Any) -> str:
        return link(pair.opportunity)


@admin.register(Match)
class MatchAdmin(PairAdmin):
    list_display = (
        "opportunity_link", "candidate_link", "fit_score", "interest_score", "acceptance_score", "outcome_label",
        "model", "computed_at",
    )  # fmt: skip
    list_select_related = ("opportunity", "candidate", "model")
    list_filter = (
        "outcome",
        "model",
        ("opportunity", AutocompleteSelectFilter),
        ("candidate", AutocompleteSelectFilter),
        ("computed_at", RangeDateTimeFilter),
    )
    search_fields = ("opportunity__reference__istartswith", "opportunity__title", "candidate__name")
    ordering = ("-id",)
    fields = (
        "opportunity", "candidate", "model", "fit_score", "interest_score", "acceptance_score", "verdict_text",
        "contributions_shown", "suggestions", "revision", "candidate_revision", "rate_set", "tie_break", "computed_at",
        "public_id",
    )  # fmt: skip
    outcome_label = state_column("outcome", "Eligibility")

    @display(description="Fit", ordering="fit")
    def fit_score(self, match: Match) -> str:
        return score_text(match.fit)

    @display(description="Interest", ordering="interest")
    def interest_score(self, match: Match) -> str:
        return score_text(match.interest)

    @display(description="Acceptance", ordering="acceptance")
    def acceptance_score(self, match: Match) -> str:
        return score_text(match.acceptance)

    @display(description="Eligibility")
    def verdict_text(self, match: Match) -> str:
        return verdict_in_words(match.verdict)

    @display(description="What would raise the rank most")
    def suggestions(self, match: Match) -> str:
        """Each by itself, as the opportunity asks for it."""
        basics = basics_at(timezone.now(), serving_now())
        pair = pair_of(match.candidate, match.opportunity, basics, Disclosure.STAFF)
        return sentences((one.sentence for one in pair.suggestions(SUGGESTED)) if pair else ())

    @display(description="What adds up to the scores")
    def contributions_shown(self, match: Match) -> str:
        return contributions_by_head(match.contributions)


@admin.register(Decision)
class DecisionAdmin(PairAdmin):
    list_display = ("surface", "rank", "opportunity_link", "candidate_link", "viewer", "capacity", "model", "at")
    list_select_related = ("opportunity", "candidate", "viewer", "model", "feature_set")
    list_filter = (
        "surface",
        "capacity",
        "model",
        ("opportunity", AutocompleteSelectFilter),
        ("candidate", AutocompleteSelectFilter),
        ("at", RangeDateTimeFilter),
    )
    search_fields = (
        "=viewer__email", "opportunity__reference__istartswith", "opportunity__title", "candidate__name",
    )  # fmt: skip
    ordering = ("-id",)
    fields = (
        "surface", "rank", "opportunity", "candidate", "viewer", "capacity", "model", "propensity", "features_table",
        "at",
    )  # fmt: skip

    @display(description="Features as they were")
    def features_table(self, decision: Decision) -> str:
        return table(["Feature", "Thousandths"], decision.values().items())


@admin.register(Mark)
class MarkAdmin(ReadOnlyAdmin):
    list_display = ("subject", "subject_type", "generation", "since")
    list_filter = ("subject_type", ("since", RangeDateTimeFilter))
    search_fields = ("=subject_id",)
    ordering = ("since", "id")
    fields = ("subject", "generation", "since")

    @display(description="To be scored")
    def subject(self, mark: Mark) -> str:
        return subject_link(mark.subject_type, mark.subject_id)


@admin.register(PairMark)
class PairMarkAdmin(ReadOnlyAdmin):
    list_display = ("opportunity", "candidate", "generation", "since")
    list_select_related = ("opportunity", "candidate")
    list_filter = (("since", RangeDateTimeFilter),)
    search_fields = ("opportunity__reference__istartswith", "candidate__name")
    ordering = ("since", "id")
    fields = ("opportunity", "candidate", "generation", "since")


@admin.register(UnscoredPair)
class UnscoredPairAdmin(PairAdmin):
    list_display = ("opportunity_link", "candidate_link", "model", "reason", "at")
    list_select_related = ("opportunity", "candidate", "model")
    list_filter = ("model", ("opportunity", AutocompleteSelectFilter), ("at", RangeDateTimeFilter))
    search_fields = ("opportunity__reference__istartswith", "candidate__name")
    ordering = ("-id",)
    fields = ("opportunity", "candidate", "model", "reason", "at")


@admin.register(Departure)
class DepartureAdmin(ReadOnlyAdmin):
    list_display = ("candidate_id", "changed_xid")
    search_fields = ("=candidate_id",)
    ordering = ("-changed_xid", "candidate_id")
    fields = ("candidate_id", "changed_xid")


@admin.register(CandidateProjection)
class CandidateProjectionAdmin(ReadOnlyAdmin):
    list_display = (
        "candidate_link", "revision", "is_current", "country", "free_hours", "hourly_rate", "discoverable",
        "open_to_offers", "present", "refreshed_at",
    )  # fmt: skip
    list_select_related = ("candidate",)
    list_filter = ("present", "discoverable", "open_to_offers", "country", ("refreshed_at", RangeDateTimeFilter))
    search_fields = ("candidate__name", "=candidate__user__email", "headline")
    ordering = ("-candidate_id",)
    fields = (
        "candidate", "revision", "is_current", "headline", "titles", "country", "region", "latitude", "longitude",
        "timezone", "utc_offset_minutes", "work_starts_minute", "work_ends_minute", "work_starts_utc", "work_minutes",
        "languages_json", "authorisations_json", "vetting_json", "years_experience", "weekly_hours", "free_hours",
        "hourly_rate", "commitments", "available_from", "skills_table", "groups", "discoverable", "open_to_offers",
        "present", "rate_set", "refreshed_at",
    )  # fmt: skip

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, projection: CandidateProjection) -> str:
        return link(projection.candidate)

    @display(description="Up to date", boolean=True)
    def is_current(self, projection: CandidateProjection) -> bool:
        return projection.revision == projection.candidate.revision

    @display(description="Languages")
    def languages_json(self, projection: CandidateProjection) -> str:
        return as_json(projection.languages)

    @display(description="May work in")
    def authorisations_json(self, projection: CandidateProjection) -> str:
        return as_json(projection.work_authorisations)

    @display(description="Checks")
    def vetting_json(self, projection: CandidateProjection) -> str:
        return as_json(projection.vetting)

    @display(description="Skills")
    def skills_table(self, projection: CandidateProjection) -> str:
        facts = projection.skills if isinstance(projection.skills, dict) else {}
        names = skill_names(int(pk) for pk in facts)
        return table(
            ["Skill", "Level", "Years", "Last used"],
            (
                (
                    names.get(int(pk), pk),
                    fact.get("level"),
                    fact.get("years") or NOTHING,
                    fact.get("last_used") or NOTHING,
                )
                for pk, fact in facts.items()
            ),
        )
