"""Segments: which opportunities are scored by models of their own, in order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from accounts.admin.console import SavedByActionAdmin
from accounts.admin.documents import DocumentField
from accounts.admin.rendering import NOTHING, count_of, link
from accounts.admin.steps import CAREFUL, Step, actor_of
from marketplace.queries.naming import names_of
from marketplace.queries.skills import skill_names
from matching.actions.models import change_segment, create_segment, earlier_model, move_earlier, move_later, roll_back
from matching.admin.training import TRAIN
from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from matching.core.rules import skill_ids, text
from matching.core.workflow import ModelState
from matching.models import ScoringModel, Segment
from matching.queries.serving import predicate_of

_EXAMPLE = {"all": [{"attribute": "arrangement", "op": "eq", "value": "remote"}]}


class SegmentForm(ModelForm):
    rule = DocumentField(
        label="Predicate",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text="Which opportunities it takes, in the grammar of rules. They may be asked for: "
        f"{', '.join(OPPORTUNITY_ATTRIBUTES)}.",
    )
    place = forms.IntegerField(
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="counted from 1; empty: the last before the one that takes all",
    )

    class Meta:
        model = Segment
        fields = ("name", "rule", "place")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial["rule"] = _EXAMPLE  # to be written over


def has_predicate(segment: Segment) -> bool:
    return segment.rule is not None


@admin.register(Segment)
class SegmentAdmin(SavedByActionAdmin):
    form = SegmentForm
    list_display = ("position", "name", "predicate", "live_version", "models_count")
    list_display_links = ("position", "name")
    search_fields = ("name",)
    add_fieldsets = ((None, {"fields": ("name", "rule", "place")}),)
    readonly_fields = (
        "position", "predicate_in_words", "live_version", "earlier_version", "public_id", "event_log",
    )  # fmt: skip
    steps = (
        TRAIN,
        Step(
            name="move_earlier",
            title="Move up",
            call=move_earlier,
            subject="segment_id",
            shown=has_predicate,
            icon="arrow_upward",
            description="What this one and the one before it both take is scored by this one's model then, and again.",
        ),
        Step(
            name="move_later",
            title="Move down",
            call=move_later,
            subject="segment_id",
            shown=has_predicate,
            icon="arrow_downward",
            description="What this one and the one after it both take is scored by that one's model then, and again.",
        ),
        Step(
            name="roll_back",
            title="Roll back",
            call=roll_back,
            subject="segment_id",
            shown=lambda segment: earlier_model(segment) is not None,
            icon="undo",
            variant=CAREFUL,
            description="Puts the model back that was live before. The opportunities that it serves are scored again.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows = super().get_queryset(request).annotate(models_n=count_of(ScoringModel.objects.all(), "segment"))
        return rows.prefetch_related("models")

    def get_fieldsets(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        stated = ("name", "rule") if has_predicate(obj) else ("name",)
        return (
            (None, {"fields": [*stated, *self.readonly_fields[:-1]]}),
            ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and not has_predicate(obj):
            form.base_fields.pop("rule", None)
        return form

    @display(description="Takes")
    def predicate(self, segment: Segment) -> str:
        """In a list skills go by their ids: their names would be asked for row by row."""
        return text(predicate_of(segment.rule)) if segment.rule is not None else "all that is left"

    @display(description="Takes")
    def predicate_in_words(self, segment: Segment) -> str:
        rule = predicate_of(segment.rule)
        names = names_of(skill_names(skill_ids(rule)))
        return text(rule, names) if segment.rule is not None else "all that is left"

    @display(description="Models", ordering="models_n")
    def models_count(self, segment: Any) -> int:
        return segment.models_n

    @display(description="Live")
    def live_version(self, segment: Segment) -> str:
        live = next((model for model in segment.models.all() if model.state == ModelState.LIVE), None)
        return link(live, live.version) if live else "none: left to the next segment"

    @display(description="Would roll back to")
    def earlier_version(self, segment: Segment) -> str:
        earlier = earlier_model(segment)
        return link(earlier, earlier.version) if earlier else NOTHING

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> Segment:
        given, actor, now = form.cleaned_data, actor_of(request), timezone.now()
        if not change:
            return create_segment(
                actor=actor, name=given["name"], rule=given["rule"], place=given.get("place"), now=now
            )
        return change_segment(
            actor=actor, segment_id=form.instance.public_id, name=given["name"], rule=given.get("rule"), now=now
        )
