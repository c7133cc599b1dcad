"""Opportunities: their terms, which the same actions change as a recruiter's do, and their state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin.console import EditableInline, ReadOnlyInline, SavedByActionAdmin, rows_of
from accounts.admin.documents import DocumentField
from accounts.admin.rendering import NOTHING, badge, count_of, link, link_to_list, state_column
from accounts.admin.steps import CAREFUL, MomentField, Step, StepForm, actor_of, line, text, whole_number
from marketplace.actions import opportunities
from marketplace.actions.revisions import set_eligibility_rule
from marketplace.actions.terms import LocationInput, OpportunityFields, PayBandInput, QuestionInput, SkillTermInput
from marketplace.admin.duplicates import suspicions_of
from marketplace.admin.wording import rule_in_words
from marketplace.core.money import Money
from marketplace.core.workflow import OPPORTUNITY
from marketplace.models import (
    Application,
    EligibilityWaiver,
    Opportunity,
    OpportunityLocation,
    OpportunityMember,
    OpportunityRevision,
    OpportunitySkill,
    PayBand,
    Placement,
    ScreeningQuestion,
    Seat,
)


class ReopenForm(StepForm):
    closes_at = MomentField(required=False, label="Closes at (UTC)")


class SuspendForm(StepForm):
    reason = line(required=False, max_length=200)


class SeatsForm(StepForm):
    seats = whole_number(min_value=0, max_value=100_000, help_text="in all: open, held and filled")


class RuleForm(StepForm):
    rule = DocumentField(required=False, widget=text().widget, help_text="empty: open to all")


def step(move: str, **kwargs: Any) -> Step:
    return Step(
        name=move,
        title=move.capitalize(),
        call=getattr(opportunities, f"{move}_opportunity"),
        subject="opportunity_id",
        machine=OPPORTUNITY,
        move=move,
        **kwargs,
    )


class PayBandForm(ModelForm):
    place_codes = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="ISO 3166 codes with commas between: DE, US-CA; empty: everywhere else",
    )

    class Meta:
        model = PayBand
        fields = ("minimum", "maximum", "currency", "period")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["place_codes"] = place_codes(self.instance)

    def clean_place_codes(self) -> list[str]:
        return [place.strip().upper() for place in self.cleaned_data["place_codes"].split(",") if place.strip()]


def place_codes(band: PayBand) -> str:
    return ", ".join(place.place for place in band.places.all() if place.place)


class PayBandsInline(EditableInline):
    model = PayBand
    form = PayBandForm
    fields = ("minimum", "maximum", "currency", "period", "place_codes")

    @display(description="Places")
    def place_codes(self, band: PayBand) -> str:
        """For those who may only look."""
        return place_codes(band) or "everywhere else"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayBand]:
        return super().get_queryset(request).prefetch_related("places")


class LocationsInline(EditableInline):
    model = OpportunityLocation
    fields = ("kind", "country", "region", "city")


class SkillTermsInline(EditableInline):
    model = OpportunitySkill
    fields = ("skill", "required", "weight", "min_level", "min_years")
    autocomplete_fields = ("skill",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpportunitySkill]:
        return super().get_queryset(request).select_related("skill", "opportunity")


class QuestionsInline(EditableInline):
    model = ScreeningQuestion
    fields = ("key", "prompt", "kind", "choices", "required")


class MembersInline(ReadOnlyInline):
    model = OpportunityMember
    fields = ("user", "role", "public_title", "public_link")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpportunityMember]:
        return super().get_queryset(request).select_related("user")


class SeatsInline(ReadOnlyInline):
    model = Seat
    fields = ("number", "state", "replaces", "opened_at", "filled_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        return super().get_queryset(request).select_related("replaces")


class RevisionsInline(ReadOnlyInline):
    model = OpportunityRevision
    fields = ("number", "rule_text", "created_by", "created_at")
    readonly_fields = ("rule_text",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpportunityRevision]:
        return super().get_queryset(request).select_related("created_by")

    @display(description="Rule")
    def rule_text(self, revision: OpportunityRevision) -> str:
        return "its own" if revision.rule else "open to all"


class WaiversInline(ReadOnlyInline):
    model = EligibilityWaiver
    fields = ("candidate", "reason", "granted_by", "until", "revoked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EligibilityWaiver]:
        return super().get_queryset(request).select_related("candidate", "granted_by").order_by("-id")


class OpportunityForm(ModelForm):
    seats = forms.IntegerField(
        min_value=1, max_value=100_000, initial=1, required=False, widget=UnfoldAdminIntegerFieldWidget()
    )


@admin.register(Opportunity)
class OpportunityAdmin(SavedByActionAdmin):
    form = OpportunityForm
    list_display = (
        "reference", "title", "organisation_link", "state_label", "seats_open", "seats_held", "seats_filled",
        "applications_count", "placements_count", "published_at", "closes_at",
    )  # fmt: skip
    list_display_links = ("reference", "title")
    list_select_related = ("posting_organisation",)
    list_filter = (
        "state",
        "commitment",
        "arrangement",
        "visibility",
        ("posting_organisation", AutocompleteSelectFilter),
        ("hiring_organisation", AutocompleteSelectFilter),
        ("occupation", AutocompleteSelectFilter),
        ("published_at", RangeDateTimeFilter),
        ("closes_at", RangeDateTimeFilter),
        ("starts_on", RangeDateFilter),
    )
    search_fields = ("reference__istartswith", "title", "posting_organisation__name", "hiring_organisation__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("posting_organisation", "hiring_organisation", "occupation")
    state_label = state_column()
    TERMS = (
        "title", "description", "hiring_organisation", "occupation", "commitment", "arrangement", "visibility",
        "weekly_hours", "years_experience", "timezone", "starts_on", "ends_on", "opens_at", "closes_at",
        "referral_reward_amount", "referral_reward_currency", "replaces_ended_placements",
    )  # fmt: skip
    RECORD = (
        "reference", "state_badge", "seats_summary", "rule_text", "suspicions", "current_revision", "published_at",
        "closed_at", "created_by", "created_at", "public_id",
    )  # fmt: skip
    readonly_fields = (*RECORD, "pipeline", "history", "event_log")
    _terms = (
        ("Who and what", {"fields": ("title", "description", "hiring_organisation", "occupation", "visibility")}),
        ("Work", {"fields": (("commitment", "arrangement"), ("weekly_hours", "years_experience"), "timezone")}),
        ("Dates", {"fields": (("starts_on", "ends_on"), "opens_at", "closes_at")}),
        ("Rewards and replacement", {
            "fields": (("referral_reward_amount", "referral_reward_currency"), "replaces_ended_placements"),
        }),
    )  # fmt: skip
    fieldsets = (
        ("Where it stands", {"fields": ("posting_organisation", *RECORD)}),
        *_terms,
        ("History", {"classes": ("tab",), "fields": ("history",)}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    add_fieldsets = (("For whom", {"fields": ("posting_organisation", "seats")}), *_terms)
    terms_inlines = (PayBandsInline, LocationsInline, SkillTermsInline, QuestionsInline)
    inlines = (*terms_inlines, MembersInline, SeatsInline, RevisionsInline, WaiversInline)
    steps = (
        step("publish", icon="campaign", bulk=True),
        step("pause", icon="pause", bulk=True),
        step("resume", icon="play_arrow", bulk=True),
        step("close", icon="lock", variant=CAREFUL, bulk=True),
        step("reopen", icon="lock_open", form=ReopenForm),
        step("return", icon="undo", form=SuspendForm),
        step("suspend", icon="gavel", form=SuspendForm, variant=CAREFUL, bulk=True),
        step("reinstate", icon="undo", bulk=True),
        Step(
            name="change_seats",
            title="Change seats",
            call=opportunities.change_seats,
            subject="opportunity_id",
            form=SeatsForm,
            icon="event_seat",
            description="Fewer seats retire open ones first, then held ones, whose offers are withdrawn.",
        ),
        Step(
            name="set_rule",
            title="Set eligibility rule",
            call=set_eligibility_rule,
            subject="opportunity_id",
            form=RuleForm,
            icon="rule",
            description="Applications and offers made so far keep the rule that they were made under.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Opportunity]:
        seats = Seat.objects.all()
        return (
            super()
            .get_queryset(request)
            .annotate(
                open_n=count_of(seats.filter(state="open"), "opportunity"),
                held_n=count_of(seats.filter(state="held"), "opportunity"),
                filled_n=count_of(seats.filter(state="filled"), "opportunity"),
                applications_n=count_of(Application.objects.live(), "opportunity"),
                placements_n=count_of(Placement.objects.live(), "opportunity"),
            )
        )

    def get_inlines(self, request: HttpRequest, obj: Opportunity | None) -> Sequence[Any]:
        return self.inlines if obj else self.terms_inlines

    def get_readonly_fields(self, request: HttpRequest, obj: Opportunity | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "posting_organisation") if obj else self.readonly_fields

    @display(description="Organisation", ordering="posting_organisation__name")
    def organisation_link(self, opportunity: Opportunity) -> str:
        return link(opportunity.posting_organisation)

    @display(description="Open", ordering="open_n")
    def seats_open(self, opportunity: Any) -> int:
        return opportunity.open_n

    @display(description="Held", ordering="held_n")
    def seats_held(self, opportunity: Any) -> int:
        return opportunity.held_n

    @display(description="Filled", ordering="filled_n")
    def seats_filled(self, opportunity: Any) -> int:
        return opportunity.filled_n

    @display(description="Live applications", ordering="applications_n")
    def applications_count(self, opportunity: Any) -> str:
        return link_to_list(Application, str(opportunity.applications_n), opportunity__id__exact=opportunity.pk)

    @display(description="At work", ordering="placements_n")
    def placements_count(self, opportunity: Any) -> str:
        return link_to_list(Placement, str(opportunity.placements_n), opportunity__id__exact=opportunity.pk)

    @display(description="State")
    def state_badge(self, opportunity: Opportunity) -> str:
        return badge(opportunity.state)

    @display(description="Seats")
    def seats_summary(self, opportunity: Any) -> str:
        if opportunity.pk is None:
            return NOTHING
        told = f"{opportunity.open_n} open, {opportunity.held_n} held, {opportunity.filled_n} filled"
        return link_to_list(Seat, told, opportunity__id__exact=opportunity.pk)

    @display(description="Who may be placed")
    def rule_text(self, opportunity: Opportunity) -> str:
        revision = opportunity.current_revision
        return rule_in_words(revision.rule) if revision else "No revision yet"

    @display(description="Suspected duplicates")
    def suspicions(self, opportunity: Opportunity) -> str:
        return suspicions_of(opportunity)

    def save_by_action(
        self, request: HttpRequest, form: ModelForm, formsets: Sequence[BaseInlineFormSet], change: bool
    ) -> Opportunity:
        given = terms_given(form, formsets, change)
        shared: dict[str, Any] = {"actor": actor_of(request), "now": timezone.now()}
        if change:
            if not given:
                return form.instance
            return opportunities.update_opportunity(
                opportunity_id=form.instance.public_id, fields=OpportunityFields(**given), **shared
            )
        given["seats"] = form.cleaned_data.get("seats") or 1
        return opportunities.draft_opportunity(
            organisation_id=form.cleaned_data["posting_organisation"].public_id,
            fields=OpportunityFields(**given),
            **shared,
        )


def terms_given(form: ModelForm, formsets: Sequence[BaseInlineFormSet], change: bool) -> dict[str, Any]:
    """What the form says of the terms, as the actions take it; of an existing opportunity only what was changed."""
    said = form.cleaned_data
    names = [name for name in OpportunityAdmin.TERMS if name in said and (not change or name in form.changed_data)]
    given: dict[str, Any] = {}
    for name in names:
        value = said[name]
        if name in ("hiring_organisation", "occupation"):
            given[f"{name}_id"] = value.public_id if value else None
        elif name in ("referral_reward_amount", "referral_reward_currency"):
            amount, currency = said["referral_reward_amount"], said["referral_reward_currency"]
            given["referral_reward"] = None if amount is None else Money(amount, currency)
        else:
            given[name] = value
    for formset in formsets:
        if formset.has_changed():
            name, make = _ROWS[formset.model]
            given[name] = [make(row) for row in rows_of(formset)]
    return given


def _named(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


_ROWS: dict[type | None, tuple[str, Any]] = {
    PayBand: (
        "pay_bands",
        lambda row: PayBandInput(places=row["place_codes"], **_named(row, "minimum", "maximum", "currency", "period")),
    ),
    OpportunityLocation: (
        "locations",
        lambda row: LocationInput(**_named(row, "kind", "country", "region", "city")),
    ),
    OpportunitySkill: (
        "skills",
        lambda row: SkillTermInput(
            skill_id=row["skill"].public_id, **_named(row, "required", "weight", "min_level", "min_years")
        ),
    ),
    ScreeningQuestion: (
        "questions",
        lambda row: QuestionInput(**_named(row, "key", "prompt", "kind", "choices", "required")),
    ),
}
