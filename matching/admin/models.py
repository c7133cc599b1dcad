"""Scoring models: added, compared, put into service, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin.console import AddOnlyAdmin, SavedByActionAdmin, refusal_text
from accounts.admin.rendering import NOTHING, badge, link, sentences, state_column
from accounts.admin.steps import CAREFUL, Step, actor_of
from accounts.errors import DomainError
from matching.actions.models import (
    add_model,
    earlier_model,
    keep_model_file,
    promote_model,
    retire_model,
    shadow_model,
    take_back,
    try_model_file,
)
from matching.admin.comparing import compare_models
from matching.admin.training import report_of
from matching.admin.wording import model_table
from matching.core.scoring import LOG_ODDS, MOST_BYTES
from matching.core.workflow import MODEL, ModelState
from matching.models import ScoringModel

ONNX = ".onnx"


class ScoringModelForm(ModelForm):
    """The definition as a file or as text; the action checks it, and says where it is wrong."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget(),
        help_text="its JSON (version, heads with integer weights), or FILE.onnx, which is tried before it is kept",
    )
    version = forms.CharField(
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget(),
        help_text="of an ONNX file; the file's name, if nothing is said",
    )
    manifest = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="of an ONNX file: JSON that says what its metadata does not",
    )
    definition = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
        help_text="or the same, typed here",
    )

    class Meta:
        model = ScoringModel
        fields = ("segment",)

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or {}
        if bool(given.get("file")) == bool(given.get("definition")):
            self.add_error("file", "Give the definition once: as a file, or as text.")
        elif not is_onnx(given) and (given.get("version") or given.get("manifest")):
            self.add_error("version", "A linear model's JSON has its version, and needs no manifest.")
        return given


def is_onnx(given: Mapping[str, Any]) -> bool:
    file = given.get("file")
    return file is not None and file.name.lower().endswith(ONNX)


def version_of(given: Mapping[str, Any]) -> str:
    """Of an ONNX file: what was typed, or the file's name."""
    return given["version"] or given["file"].name[: -len(ONNX)]


def is_live_after_another(model: ScoringModel) -> bool:
    return model.state == ModelState.LIVE and earlier_model(model.segment) is not None


@admin.register(ScoringModel)
class ScoringModelAdmin(AddOnlyAdmin, SavedByActionAdmin):
    form = ScoringModelForm
    custom_urls = (("<path:object_id>/compare/", "matching_scoringmodel_compare", compare_models),)
    list_display = ("version", "kind", "segment_link", "state_label", "created_at")
    list_select_related = ("segment",)
    list_filter = ("state", "kind", "segment", ("created_at", RangeDateTimeFilter))
    search_fields = ("version", "segment__name")
    autocomplete_fields = ("segment",)
    add_fieldsets = ((None, {"fields": ("segment", "file", "version", "manifest", "definition")}),)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "version",
                    "kind",
                    "segment_link",
                    "state_badge",
                    "calibration",
                    "earlier_version",
                    "comparison",
                    "failures",
                )
            },
        ),
        ("Weights", {"fields": ("weights",)}),
        ("Training", {"classes": ("tab",), "fields": ("training_report",)}),
        ("Record", {"fields": ("created_at", "public_id", "history")}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )
    state_label = state_column()
    steps = (
        Step(
            name="shadow",
            title="Shadow",
            call=shadow_model,
            subject="model_id",
            machine=MODEL,
            move="shadow",
            icon="visibility_off",
            description="It scores what it would serve, beside the live one: logged and compared, never shown.",
        ),
        Step(
            name="promote",
            title="Promote to live",
            call=promote_model,
            subject="model_id",
            machine=MODEL,
            move="promote",
            icon="rocket_launch",
            description="It retires the live one of its segment; the opportunities that it serves are scored again.",
        ),
        Step(
            name="take_back",
            title="Roll back",
            call=take_back,
            subject="model_id",
            shown=is_live_after_another,
            icon="undo",
            variant=CAREFUL,
            description="Puts the model back that was live before this one; what it serves is scored again.",
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
            description="Out of service. What a live one served is left to the next segment that has a live model.",
        ),
    )

    @display(description="Segment", ordering="segment__position")
    def segment_link(self, model: ScoringModel) -> str:
        return link(model.segment)

    @display(description="State")
    def state_badge(self, model: ScoringModel) -> str:
        return badge(model.state)

    @display(description="Calibration")
    def calibration(self, model: ScoringModel) -> str:
        return str(model.definition.get("calibration", LOG_ODDS))

    @display(description="Would roll back to")
    def earlier_version(self, model: ScoringModel) -> str:
        earlier = earlier_model(model.segment) if model.state == ModelState.LIVE else None
        return link(earlier, earlier.version) if earlier else NOTHING

    @display(description="Comparison")
    def comparison(self, model: ScoringModel) -> str:
        address = reverse("admin:matching_scoringmodel_compare", args=[model.pk])
        return format_html('<a href="{}" class="text-link">Compare with another</a>', address)

    @display(description="Failures in the shadow")
    def failures(self, model: ScoringModel) -> str:
        rows = model.shadow_failures.order_by("-day")[:5]
        return sentences(f"{one.day}: {one.times} times, the last one {one.error}" for one in rows)

    @display(description="Weights")
    def weights(self, model: ScoringModel) -> str:
        return model_table(model.definition)

    @display(description="What it learned from, and how well it does")
    def training_report(self, model: ScoringModel) -> str:
        return "It was not trained here." if model.training is None else report_of(model.training)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST" and object_id is None and self.has_add_permission(request):
            self._try_file(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _try_file(self, request: HttpRequest) -> None:
        """The console saves a form within a transaction. That a file takes seconds to try should hold none open, so it
        is tried before; what came of it waits at the request."""
        form = self.get_form(request)(request.POST, request.FILES)
        if not form.is_valid() or not is_onnx(form.cleaned_data):
            return
        given = form.cleaned_data
        try:
            request.tried = try_model_file(  # type: ignore[attr-defined]
                actor=actor_of(request),
                version=version_of(given),
                content=given["file"].read((settings.ONNX_FILE_MEGABYTES << 20) + 1),
                manifest=given["manifest"] or None,
            )
        except DomainError as error:
            request.refusal = refusal_text(error)  # type: ignore[attr-defined]

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> ScoringModel:
        given = form.cleaned_data
        if is_onnx(given):
            return keep_model_file(
                actor=actor_of(request),
                version=version_of(given),
                checked=request.tried,  # type: ignore[attr-defined]
                segment_id=given["segment"].public_id,
                now=timezone.now(),
            )
        return add_model(
            actor=actor_of(request),
            definition=given["file"].read(MOST_BYTES + 1) if given["file"] else given["definition"],
            segment_id=given["segment"].public_id,
            now=timezone.now(),
        )
