"""Trainings, and what they report, with calibration drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import NOTHING, badge, link, state_column, table
from accounts.admin.steps import DayField, Step, StepForm, line, whole_number
from matching.actions.training import ask_training
from matching.actions.training.training import LEAST_EXAMPLES, TEST_SHARE
from matching.core.scoring import HEADS
from matching.models import TrainingRun

SIZE, MARGIN = 260, 34  # pixels
COLOURS = {"trained": "#9333ea", "live": "#d97706", "base rate": "#6b7280"}


class TrainingForm(StepForm):
    """What a training is asked with; what is left empty is as usual."""

    version = line(required=False, max_length=60, help_text="of the new model; empty: named by the day and the weights")
    since = DayField(required=False, label="From", help_text="learn from what was shown since then")
    until = DayField(required=False, label="To", help_text="and before then; empty: until now")
    test_percent = whole_number(
        min_value=5, max_value=50, initial=TEST_SHARE // 10, help_text="of the examples, the latest, kept to test by"
    )
    least = whole_number(
        min_value=100, max_value=1_000_000, initial=LEAST_EXAMPLES, label="Examples a head needs",
        help_text="with fewer it keeps the live model's weights",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since is not None and until is not None and since >= until:
            raise forms.ValidationError("The first day must be before the last.")
        return given

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        changed: dict[str, Any] = {name: _midnight(given.pop(name)) for name in ("since", "until")}
        changed["test_share"] = 10 * given.pop("test_percent")
        return given | changed


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), tzinfo=UTC)


TRAIN = Step(
    name="train",
    title="Train a model",
    call=ask_training,
    subject="segment_id",
    form=TrainingForm,
    icon="model_training",
    description=(
        "The worker fits a model to what became of the people that this segment's models showed, measures it on what"
        " came later, and keeps it as a draft. Nothing that is live changes."
    ),
)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("segment_link", "state_label", "progress", "model_link", "created_by", "created_at", "finished_at")
    list_display_links = ("created_at",)
    list_select_related = ("segment", "model", "created_by")
    list_filter = ("state", "segment", ("created_at", RangeDateTimeFilter))
    search_fields = ("version", "segment__name", "model__version")
    fields = (
        "segment", "state_badge", "progress", "error", "model_link", "version", "since", "until", "test_share", "least",
        "created_by", "created_at", "finished_at", "public_id", "history", "event_log",
    )  # fmt: skip
    state_label = state_column()

    @display(description="Segment", ordering="segment__position")
    def segment_link(self, run: TrainingRun) -> str:
        return link(run.segment)

    @display(description="State")
    def state_badge(self, run: TrainingRun) -> str:
        return badge(run.state)

    @display(description="Model")
    def model_link(self, run: TrainingRun) -> str:
        return link(run.model, run.model.version) if run.model else NOTHING


def report_of(training: Any) -> str:
    """What a training found, head by head."""
    if not isinstance(training, Mapping):
        return NOTHING
    asked = format_html(
        '<p class="mb-4">From what was shown between {} and {}; the latest {} % are the test; beside {}.</p>',
        training["since"][:10],
        training["until"][:10],
        f"{training['test_share'] * 100:g}",
        training["live"],
    )
    heads = ((head, _head(training["heads"][head])) for head in HEADS if head in training["heads"])
    return asked + format_html_join(
        "", '<div class="mb-8"><h3 class="font-semibold mb-2">{}</h3>{}</div>',
        ((head.capitalize(), told) for head, told in heads),
    )  # fmt: skip


def _head(report: Mapping[str, Any]) -> SafeString:
    counted = ", ".join(
        f"{report[part]['examples']:,} {name} ({report[part]['positives']:,} yes)"
        for part, name in (("fitted", "to fit by"), ("calibrated", "to calibrate by"), ("test", "to test by"))
    )
    parts: list[Any] = [format_html("<p>{}</p>", f"Examples: {counted}.")]
    if not report["trained"]:
        parts.append(format_html("<p>{}</p>", f"Keeps the live model's weights: {report['problem']}."))
    if report["pinned"]:
        named = ", ".join(name.replace("_", " ") for name in report["pinned"])
        parts.append(format_html("<p>{}</p>", f"Held at 0, where the data would have it negative: {named}."))
    figures = report["figures"]
    if figures:
        parts.append(_figures(figures["models"]))
        if report["trained"]:
            verdict = f"By log loss, against the live model: {figures['verdict']}."
            parts.append(format_html('<p class="mb-2">{}</p>', verdict))
        drawn = calibration_plot({name: one["bins"] for name, one in figures["models"].items() if name != "base rate"})
        looked = _looked(report["examination"]) if report["trained"] else ""
        parts.append(format_html('<div class="flex flex-wrap gap-8">{}{}</div>', drawn, looked))
    return format_html_join("", "{}", ((part,) for part in parts))


def _figures(models: Mapping[str, Any]) -> str:
    return table(
        ["On the test", "AUC", "Log loss", "Brier", "Calibration error"],
        (
            (name, _value(one["auc"]), _value(one["log_loss"]), _value(one["brier"]), _number(one["calibration_error"]))
            for name, one in models.items()
        ),
    )


def _value(figure: Mapping[str, Any] | None) -> str:
    """With its interval of 95 %."""
    if figure is None or figure["value"] is None:
        return NOTHING
    return f"{_number(figure['value'])} ({_number(figure['low'])} … {_number(figure['high'])})"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"


def _looked(examination: Iterable[Mapping[str, Any]]) -> str:
    rows = [(f"from rank {one['from_rank']}", f"{one['chance'] * 100:.0f} %") for one in examination]
    return format_html("<div>{}</div>", table(["How far down people look", "Chance"], rows)) if rows else ""


def calibration_plot(models: Mapping[str, list[Mapping[str, Any]]]) -> SafeString:
    """Predicted against observed: a point for each bin, the larger the more were in it. On the line is right."""
    bins = [one for points in models.values() for one in points]
    most = max([0.01, *(max(one["predicted"], one["observed"]) for one in bins)])
    largest = max([1, *(one["count"] for one in bins)])
    end = SIZE - MARGIN

    def place(value: float) -> float:
        return round(MARGIN + (end - MARGIN) * value / most, 1)

    shapes: list[SafeString] = [
        format_html(
            '<rect x="{0}" y="{0}" width="{1}" height="{1}" fill="none" stroke="currentColor" stroke-opacity="0.3"/>'
            '<line x1="{0}" y1="{2}" x2="{2}" y2="{0}" stroke="currentColor" stroke-opacity="0.4"'
            ' stroke-dasharray="4 3"/>',
            MARGIN, end - MARGIN, end,
        )
    ]  # fmt: skip
    for name, points in models.items():
        colour = COLOURS.get(name, "currentColor")
        places = [(place(one["predicted"]), SIZE - place(one["observed"]), one) for one in points]
        path = " ".join(f"{x},{y}" for x, y, _ in places)
        shapes.append(format_html('<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>', path, colour))
        shapes += [
            format_html(
                '<circle cx="{}" cy="{}" r="{}" fill="{}" fill-opacity="0.75"><title>{}</title></circle>',
                x, y, round(2 + 4 * one["count"] / largest, 1), colour,
                f"{name}: {one['predicted']:.3f} predicted, {one['observed']:.3f} observed, of {one['count']:,}",
            )
            for x, y, one in places
        ]  # fmt: skip
    shapes += [
        format_html(
            '<text x="{}" y="{}" font-size="11" fill="{}">● {}</text>',
            MARGIN + 8, MARGIN + 16 + 14 * at, COLOURS.get(name, "currentColor"), name,
        )
        for at, name in enumerate(models)
    ]  # fmt: skip
    axis = '<text x="{}" y="{}" font-size="11" fill="currentColor" text-anchor="{}">{}</text>'
    shapes += [
        format_html(axis, MARGIN, SIZE - 18, "middle", "0"),
        format_html(axis, end, SIZE - 18, "middle", f"{most:.2f}"),
        format_html(axis, SIZE // 2, SIZE - 6, "middle", "predicted chance of a yes"),
        format_html(axis, MARGIN - 4, MARGIN + 4, "end", f"{most:.2f}"),
        format_html(
            '<text x="12" y="{}" font-size="11" fill="currentColor" text-anchor="middle"'
            ' transform="rotate(-90 12 {})">observed</text>',
            SIZE // 2, SIZE // 2,
        ),
    ]  # fmt: skip
    return format_html(
        '<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>',
        f"Calibration of {', '.join(models)}",
        *[SIZE] * 4,
        format_html_join("", "{}", ((shape,) for shape in shapes)),
    )
