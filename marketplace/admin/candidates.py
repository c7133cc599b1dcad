"""Candidates and what is known of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin.console import EditableInline, ReadOnlyInline
from accounts.admin.rendering import NOTHING, count_of, link_to_list
from accounts.admin.steps import CAREFUL, DayField, Step, StepForm, actor_of, choice
from accounts.core.audit import AuditKind
from accounts.models import AuditEntry
from marketplace.actions.persons import erase_candidate, export_candidate
from marketplace.actions.vetting import record_vetting
from marketplace.admin.contacts import FoundByContact
from marketplace.admin.duplicates import suspicions_of
from marketplace.admin.personal_reads import ReadsLogged
from marketplace.models import (
    Application,
    Candidate,
    CandidateLanguage,
    CandidateSkill,
    Placement,
    VettingResult,
    WorkAuthorisation,
    WorkExperience,
)
from marketplace.models.candidate import Commitment
from matching.core.attributes import VETTING_CHECKS


class SkillsInline(EditableInline):
    model = CandidateSkill
    fields = ("skill", "level", "years", "last_used_on", "source")
    autocomplete_fields = ("skill",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandidateSkill]:
        return super().get_queryset(request).select_related("skill", "candidate").order_by("-level", "id")


class LanguagesInline(EditableInline):
    model = CandidateLanguage
    fields = ("language", "level")


class AuthorisationsInline(EditableInline):
    model = WorkAuthorisation
    fields = ("country", "expires_on")


class VettingForm(StepForm):
    kind = choice([(kind, kind.replace("_", " ")) for kind in VETTING_CHECKS])
    passed = choice([("passed", "passed"), ("failed", "failed")], label="Result")
    until = DayField(required=False, help_text="the last day that a pass is good for; empty: without an end")

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        return {**given, "passed": given["passed"] == "passed"}


class VettingInline(ReadOnlyInline):
    """Recorded and withdrawn by actions, on pages of their own."""

    model = VettingResult
    fields = ("kind", "passed", "until", "recorded_by", "recorded_at")
    ordering = ("kind",)
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[VettingResult]:
        return super().get_queryset(request).select_related("candidate", "recorded_by")


class ExperiencesInline(EditableInline):
    model = WorkExperience
    fields = ("title", "employer", "occupation", "starts_on", "ends_on")
    autocomplete_fields = ("occupation",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkExperience]:
        return super().get_queryset(request).select_related("occupation", "candidate")


@admin.register(Candidate)
class CandidateAdmin(FoundByContact, ReadsLogged):
    """Changes count up the revision and are told like those made through the API, so that scores follow."""

    created_event = "CandidateRegistered"
    updated_event = "CandidateUpdated"
    list_display = (
        "name", "headline", "country", "weekly_hours", "rate", "discoverable", "open_to_offers", "is_suspended",
        "applications_count", "placements_count", "created_at",
    )  # fmt: skip
    list_select_related = ("user",)
    list_filter = (
        "discoverable",
        "open_to_offers",
        ("suspended_at", admin.EmptyFieldListFilter),
        ("merged_into", admin.EmptyFieldListFilter),
        ("user", admin.EmptyFieldListFilter),
        "country",
        ("years_experience", RangeNumericFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "=user__email", "headline", "=public_id")
    whose = "pk"
    date_hierarchy = "created_at"
    autocomplete_fields = ("user", "merged_into", "blocked_organisations")
    readonly_fields = (
        "public_id", "revision", "created_at", "event_log", "standing", "suspicions", "readers", "everything_held",
    )  # fmt: skip
    inlines = (SkillsInline, LanguagesInline, AuthorisationsInline, VettingInline, ExperiencesInline)
    steps = (
        Step(
            name="record_vetting",
            title="Record a check",
            call=record_vetting,
            subject="candidate_id",
            description="Another result of the same check takes the place of the last.",
            form=VettingForm,
            icon="fact_check",
        ),
        Step(
            name="erase",
            title="Erase this person",
            call=erase_candidate,
            subject="candidate_id",
            description="For good: the login, the profile, and all that was written by or about them. What others rest"
            " on stays under a pseudonym; open applications, offers and invitations come to their end.",
            icon="person_remove",
            variant=CAREFUL,
        ),
    )
    fieldsets = (
        (None, {"fields": ("name", "headline", "user", "standing", "suspicions", "readers")}),
        ("Contacts and résumé", {
            "classes": ("collapse",),
            "description": "Personal. Recruiters see it only once the candidate applied to them or accepted.",
            "fields": ("email", "phone", "linkedin", "resume_text"),
        }),
        ("Place", {"fields": (("country", "region"), ("latitude", "longitude"), "timezone",
                              ("work_starts_minute", "work_ends_minute"))}),
        ("Work wanted", {"fields": (("years_experience", "weekly_hours"), "commitments", "available_from",
                                    ("rate_amount", "rate_currency", "rate_period"))}),
        ("Who may find them", {"fields": ("discoverable", "open_to_offers", "blocked_organisations")}),
        ("Record", {"fields": ("suspended_at", "merged_into", "revision", "public_id", "created_at",
                               "everything_held")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )  # fmt: skip

    def get_urls(self) -> list[Any]:
        export = path("<int:pk>/export/", self.admin_site.admin_view(self.export), name="marketplace_candidate_export")
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All that is held on the person, as a file."""
        candidate = self.get_object(request, str(pk))
        if candidate is None or not self.has_act_permission(request):
            raise Http404
        told = export_candidate(actor=actor_of(request), candidate_id=candidate.public_id, now=timezone.now())
        headers = {
            "Content-Disposition": f'attachment; filename="{candidate.public_id}.json"',
            "Cache-Control": "no-store",
        }
        return JsonResponse(told, headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 2})

    @display(description="All that is held")
    def everything_held(self, candidate: Candidate) -> str:
        if not candidate.pk:
            return NOTHING
        return format_html(
            '<a href="{}">Export as JSON</a>', reverse("admin:marketplace_candidate_export", args=[candidate.pk])
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Candidate]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                applications_n=count_of(Application.objects.all(), "candidate"),
                placements_n=count_of(Placement.objects.live(), "candidate"),
            )
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "commitments":
            return forms.MultipleChoiceField(
                choices=Commitment.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget()
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def record(self, request: HttpRequest, row: Model, changed: list[str], change: bool) -> None:
        if change:
            Candidate.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
        super().record(request, row, changed, change)

    @display(description="Rate")
    def rate(self, candidate: Candidate) -> str:
        if candidate.rate_amount is None:
            return NOTHING
        return f"{candidate.rate_amount.normalize():f} {candidate.rate_currency} / {candidate.rate_period}"

    @display(description="Suspended", boolean=True, ordering="suspended_at")
    def is_suspended(self, candidate: Candidate) -> bool:
        return candidate.suspended_at is not None

    @display(description="Applications", ordering="applications_n")
    def applications_count(self, candidate: Any) -> str:
        return link_to_list(Application, str(candidate.applications_n), candidate__id__exact=candidate.pk)

    @display(description="At work", ordering="placements_n")
    def placements_count(self, candidate: Any) -> str:
        return link_to_list(Placement, str(candidate.placements_n), candidate__id__exact=candidate.pk)

    @display(description="In the market")
    def standing(self, candidate: Candidate) -> str:
        if not candidate.pk:
            return NOTHING
        return link_to_list(Application, "applications", candidate__id__exact=candidate.pk) + link_to_list(
            Placement, " · placements", candidate__id__exact=candidate.pk
        )

    @display(description="Suspected duplicates")
    def suspicions(self, candidate: Candidate) -> str:
        return suspicions_of(candidate)

    @display(description="Who read their data")
    def readers(self, candidate: Candidate) -> str:
        if not candidate.pk:
            return NOTHING
        return link_to_list(
            AuditEntry, "entries of the audit log",
            kind__exact=AuditKind.PERSONAL_DATA_READ.value, subject_type__exact="candidate", q=candidate.pk,
        )  # fmt: skip
