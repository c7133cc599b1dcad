"""Applications: where each candidate stands with each opportunity."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin, ReadOnlyInline
from accounts.admin.rendering import NOTHING, badge, link, state_column, table
from accounts.admin.steps import CAREFUL, Step, StepForm, choice, line, text
from marketplace.actions.applications import move_application, reconsider_application, reject_application
from marketplace.admin.contacts import FoundByContact
from marketplace.admin.wording import changes_in_words, verdict_in_words
from marketplace.core.workflow import APPLICATION
from marketplace.models import Application, Offer


class RejectForm(StepForm):
    reason = choice(Application.Rejection.choices, help_text="the candidate reads this")
    note = text(required=False, max_length=2000, help_text="internal; the candidate never sees it")


class StageForm(StepForm):
    stage = line(max_length=40, help_text="a step of the opportunity's pipeline")


class OffersInline(ReadOnlyInline):
    model = Offer
    fields = ("reference", "kind", "state", "pay_amount", "pay_currency", "pay_period", "expires_at")


@admin.register(Application)
class ApplicationAdmin(FoundByContact, ReadOnlyAdmin):
    list_display = (
        "reference", "candidate_link", "opportunity_link", "status_label", "stage", "source", "outcome", "created_at",
    )  # fmt: skip
    list_select_related = ("candidate", "opportunity")
    list_filter = (
        "status",
        "stage",
        "source",
        "rejection_reason",
        ("candidate", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("opportunity__posting_organisation", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = (
        "reference__istartswith", "candidate__name", "=candidate__user__email",
        "opportunity__reference__istartswith", "opportunity__title",
    )  # fmt: skip
    date_hierarchy = "created_at"
    status_label = state_column("status")
    inlines = (OffersInline,)
    fieldsets = (
        (None, {"fields": ("reference", "candidate", "opportunity", "revision", "status_badge", "stage")}),
        (
            "Why",
            {"fields": ("source", "invitation", "verdict_text", "changes_text", "answers_table", "preference_rank")},
        ),
        ("Rejection", {"fields": ("rejection_reason", "rejection_note")}),
        ("History", {"fields": ("created_at", "public_id", "history")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    steps = (
        Step(
            name="move_stage",
            title="Move to a stage",
            call=move_application,
            subject="application_id",
            shown=lambda application: application.status == "active",
            form=StageForm,
            icon="arrow_forward",
        ),
        Step(
            name="reject",
            title="Reject",
            call=reject_application,
            subject="application_id",
            machine=APPLICATION,
            move="reject",
            form=RejectForm,
            icon="block",
            variant=CAREFUL,
        ),
        Step(
            name="reconsider",
            title="Reconsider",
            call=reconsider_application,
            subject="application_id",
            machine=APPLICATION,
            move="reconsider",
            icon="undo",
            bulk=True,
        ),
    )

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, application: Application) -> str:
        return link(application.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, application: Application) -> str:
        return link(application.opportunity)

    @display(description="Eligibility")
    def outcome(self, application: Application) -> str:
        verdict = application.verdict
        return badge(str(verdict["outcome"])) if isinstance(verdict, dict) and "outcome" in verdict else NOTHING

    @display(description="Status")
    def status_badge(self, application: Application) -> str:
        return badge(application.status)

    @display(description="Eligibility when applying")
    def verdict_text(self, application: Application) -> str:
        return verdict_in_words(
            application.verdict, let_in=(application.opportunity_id, application.candidate_id, application.created_at)
        )

    @display(description="Changed after a refusal")
    def changes_text(self, application: Application) -> str:
        return changes_in_words(application)

    @display(description="Answers")
    def answers_table(self, application: Application) -> str:
        return table(["Question", "Answer"], sorted((application.answers or {}).items()))
