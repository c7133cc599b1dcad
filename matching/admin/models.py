"""Scoring models and the segments they serve."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, ReadOnlyAdmin, RecordedAdmin
from accounts.admin.rendering import as_json, badge, count_of, link, state_column
from accounts.admin.steps import CAREFUL, Step
from matching.actions.models import promote_model, retire_model
from matching.admin.wording import definition_table
from matching.core.scoring import InvalidModel, LinearModel
from matching.core.workflow import MODEL
from matching.models import ScoringModel, Segment


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ("position", "name", "is_everything", "models_count")
    list_display_links = ("position", "name")
    search_fields = ("name",)
    fields = ("name", "position", "rule_json", "public_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return super().get_queryset(request).annotate(models_n=count_of(ScoringModel.objects.all(), "segment"))

    @display(description="Models", ordering="models_n")
    def models_count(self, segment: Any) -> int:
        return segment.models_n

    @display(description="Matches all", boolean=True)
    def is_everything(self, segment: Segment) -> bool:
        return not segment.rule

    @display(description="Predicate")
    def rule_json(self, segment: Segment) -> str:
        return as_json(segment.rule) if segment.rule else "Matches all opportunities"


class ScoringModelForm(ModelForm):
    """A model is data; whatever is not exactly one is refused before it is kept for ever."""

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or {}
        definition = given.get("definition")
        if given.get("kind") != ScoringModel.Kind.LINEAR:
            self.add_error("kind", "Only linear models can be entered here.")
        elif definition is not None:
            try:
                model = LinearModel.from_json(definition)
            except InvalidModel as error:
                self.add_error("definition", str(error))
            else:
                if model.version != given.get("version"):
                    self.add_error("definition", f"It names the version {model.version}.")
        return given


@admin.register(ScoringModel)
class ScoringModelAdmin(AddOnlyAdmin, RecordedAdmin):
    form = ScoringModelForm
    created_event = "ModelDrafted"
    updated_event = "ModelDrafted"
    list_display = ("version", "kind", "segment_link", "state_label", "created_at")
    list_select_related = ("segment",)
    list_filter = ("state", "kind", "segment", ("created_at", RangeDateTimeFilter))
    search_fields = ("version", "segment__name")
    autocomplete_fields = ("segment",)
    add_fieldsets = ((None, {"fields": ("segment", "version", "kind", "definition")}),)
    fields = (
        "version", "kind", "segment", "state_badge", "weights", "created_at", "public_id", "history", "event_log",
    )  # fmt: skip
    state_label = state_column()
    steps = (
        Step(
            name="promote",
            title="Promote to live",
            call=promote_model,
            subject="model_id",
            machine=MODEL,
            move="promote",
            icon="rocket_launch",
            description="It retires the live one of its segment; every open opportunity is scored again.",
        ),
        Step(
            name="retire",
            title="Retire",
            call=retire_model,
            subject="model_id",
            machine=MODEL,
            move="retire",
            icon="archive",
            variant=CAREFUL,
        ),
    )

    @display(description="Segment", ordering="segment__position")
    def segment_link(self, model: ScoringModel) -> str:
        return link(model.segment)

    @display(description="State")
    def state_badge(self, model: ScoringModel) -> str:
        return badge(model.state)

    @display(description="Weights")
    def weights(self, model: ScoringModel) -> str:
        return definition_table(model.definition)
