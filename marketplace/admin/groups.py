"""An organisation's own lists of people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from accounts.actions.events import append
from accounts.admin.console import EditableInline, RecordedAdmin
from accounts.admin.rendering import count_of, link
from accounts.admin.steps import actor_of
from accounts.core.actor import ActorKind
from marketplace.models import Candidate, CandidateGroup, CandidateGroupMembership


class CandidatesInline(EditableInline):
    model = CandidateGroupMembership
    fields = ("candidate", "added_by", "added_at")
    readonly_fields = ("added_by", "added_at")
    autocomplete_fields = ("candidate",)
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandidateGroupMembership]:
        return super().get_queryset(request).select_related("candidate", "group", "added_by").order_by("id")


@admin.register(CandidateGroup)
class CandidateGroupAdmin(RecordedAdmin):
    """Rules may ask for a group, so whoever enters or leaves one has changed as a candidate."""

    created_event = "CandidateGroupCreated"
    updated_event = "CandidateGroupUpdated"
    list_display = ("name", "kind", "organisation_link", "candidates_count")
    list_select_related = ("organisation",)
    list_filter = ("kind", ("organisation", AutocompleteSelectFilter))
    search_fields = ("name", "organisation__name")
    ordering = ("organisation__name", "name")
    autocomplete_fields = ("organisation",)
    readonly_fields = ("public_id",)
    fields = ("organisation", "kind", "name", "public_id")
    inlines = (CandidatesInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandidateGroup]:
        return (
            super()
            .get_queryset(request)
            .annotate(candidates_n=count_of(CandidateGroupMembership.objects.all(), "group"))
        )

    @display(description="Organisation", ordering="organisation__name")
    def organisation_link(self, group: CandidateGroup) -> str:
        return link(group.organisation)

    @display(description="Candidates", ordering="candidates_n")
    def candidates_count(self, group: Any) -> int:
        return group.candidates_n

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        for inner in formset.forms:
            if inner.instance.pk is None:
                inner.instance.added_by = request.user
        before = _members(form.instance)
        super().save_formset(request, form, formset, change)
        request.regrouped = before ^ _members(form.instance)  # type: ignore[attr-defined]

    def record(self, request: HttpRequest, row: Model, changed: list[str], change: bool) -> None:
        super().record(request, row, changed, change)
        touched: set[int] = getattr(request, "regrouped", set())
        if "organisation" in changed:
            touched = touched | _members(row)
        for candidate in Candidate.objects.select_for_update(no_key=True).filter(pk__in=touched).order_by("pk"):
            Candidate.objects.filter(pk=candidate.pk).update(revision=F("revision") + 1)
            append(
                candidate,
                "CandidateUpdated",
                actor=actor_of(request),
                by=ActorKind.STAFF,
                now=timezone.now(),
                payload={"changed": ["groups"]},
            )


def _members(group: Model) -> set[int]:
    return set(CandidateGroupMembership.objects.filter(group_id=group.pk).values_list("candidate_id", flat=True))
