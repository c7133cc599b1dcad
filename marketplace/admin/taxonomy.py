"""Skills and occupations, and the numbered states of their list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from accounts.actions.events import append
from accounts.admin.console import EditableInline, ReadOnlyAdmin, ReadOnlyInline, RecordedAdmin
from accounts.admin.rendering import count_of, link
from accounts.admin.steps import actor_of
from accounts.core.actor import ActorKind
from marketplace.core.folding import fold
from marketplace.models import (
    CandidateSkill,
    Occupation,
    OccupationLabel,
    OccupationSkill,
    OccupationSource,
    OpportunitySkill,
    Skill,
    SkillBroader,
    SkillLabel,
    SkillSource,
    TaxonomyRevision,
)


class TaxonomyAdmin(RecordedAdmin):
    """Every change by hand is a new state of the taxonomy, and says so: verdicts name the state they resolved in."""

    list_per_page = 100

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        obj.folded = fold(obj.name)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        for inner in formset.forms:
            if hasattr(inner.instance, "folded"):
                inner.instance.folded = fold(inner.instance.label)
        super().save_formset(request, form, formset, change)

    def record(self, request: HttpRequest, row: Any, changed: list[str], change: bool) -> None:
        now = timezone.now()
        last = TaxonomyRevision.objects.aggregate(last=Max("number"))["last"] or 0
        noun = row._meta.verbose_name
        summary = f"{noun} {row.pk} {'changed: ' + ', '.join(changed) if change else 'added'} by staff"
        revision = TaxonomyRevision.objects.create(number=last + 1, summary=summary[:200], at=now)
        payload = {noun: row.pk, "changed": changed, "skills": sorted(getattr(request, "touched_skills", ()))}
        append(revision, "TaxonomyRevised", actor=actor_of(request), by=ActorKind.STAFF, now=now, payload=payload)


class SkillLabelInline(EditableInline):
    model = SkillLabel
    fields = ("label",)


class SkillSourceInline(ReadOnlyInline):
    model = SkillSource
    fields = ("scheme", "uri")


class SkillBroaderInline(EditableInline):
    model = SkillBroader
    fk_name = "skill"
    fields = ("broader",)
    autocomplete_fields = ("broader",)
    verbose_name_plural = "broader skills"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkillBroader]:
        return super().get_queryset(request).select_related("skill", "broader")


@admin.register(Skill)
class SkillAdmin(TaxonomyAdmin):
    list_display = ("name", "kind", "merged_link", "labels_count", "candidates_count", "opportunities_count")
    list_select_related = ("merged_into",)
    list_filter = ("kind", ("merged_into", admin.EmptyFieldListFilter), "sources__scheme")
    search_fields = ("name", "labels__label", "=sources__uri")
    autocomplete_fields = ("merged_into",)
    readonly_fields = ("public_id", "folded")
    inlines = (SkillLabelInline, SkillBroaderInline, SkillSourceInline)
    fields = ("name", "kind", "description", "merged_into", "folded", "public_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                labels_n=count_of(SkillLabel.objects.all(), "skill"),
                candidates_n=count_of(CandidateSkill.objects.all(), "skill"),
                opportunities_n=count_of(OpportunitySkill.objects.all(), "skill"),
            )
        )

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseInlineFormSet], change: bool
    ) -> None:
        formsets = list(formsets)
        request.touched_skills = _touched(form, formsets)  # type: ignore[attr-defined]
        super().save_related(request, form, formsets, change)

    @display(description="Merged into", ordering="merged_into__name")
    def merged_link(self, skill: Skill) -> str:
        return link(skill.merged_into)

    @display(description="Labels")
    def labels_count(self, skill: Any) -> int:
        return skill.labels_n

    @display(description="Candidates")
    def candidates_count(self, skill: Any) -> int:
        return skill.candidates_n

    @display(description="Opportunities")
    def opportunities_count(self, skill: Any) -> int:
        return skill.opportunities_n


def _touched(form: ModelForm, formsets: Iterable[BaseInlineFormSet]) -> set[int]:
    """The skill, what it is or was merged into, and both ends of every link of it that comes, goes or changes."""
    touched = {form.instance.pk, form.instance.merged_into_id, form.initial.get("merged_into")}
    for formset in formsets:
        if formset.model is SkillBroader:
            for link in formset.forms:
                if link.has_changed():
                    touched |= {link.instance.broader_id, link.initial.get("broader")}
    return touched - {None}


class OccupationLabelInline(EditableInline):
    model = OccupationLabel
    fields = ("label",)


class OccupationSourceInline(ReadOnlyInline):
    model = OccupationSource
    fields = ("scheme", "uri")


class OccupationSkillInline(EditableInline):
    model = OccupationSkill
    fields = ("skill", "essential")
    autocomplete_fields = ("skill",)
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[OccupationSkill]:
        return super().get_queryset(request).select_related("skill", "occupation").order_by("-essential", "id")


@admin.register(Occupation)
class OccupationAdmin(TaxonomyAdmin):
    list_display = ("name", "isco_code", "labels_count", "skills_count")
    list_filter = ("sources__scheme",)
    search_fields = ("name", "labels__label", "isco_code", "=sources__uri")
    readonly_fields = ("public_id", "folded")
    inlines = (OccupationLabelInline, OccupationSkillInline, OccupationSourceInline)
    fields = ("name", "isco_code", "description", "folded", "public_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Occupation]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                labels_n=count_of(OccupationLabel.objects.all(), "occupation"),
                skills_n=count_of(OccupationSkill.objects.all(), "occupation"),
            )
        )

    @display(description="Labels")
    def labels_count(self, occupation: Any) -> int:
        return occupation.labels_n

    @display(description="Skills")
    def skills_count(self, occupation: Any) -> int:
        return occupation.skills_n


@admin.register(TaxonomyRevision)
class TaxonomyRevisionAdmin(ReadOnlyAdmin):
    list_display = ("number", "summary", "at")
    search_fields = ("summary",)
    date_hierarchy = "at"
    fields = ("number", "summary", "at", "event_log")
