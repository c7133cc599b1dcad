"""Re-scoring at large, as staff follow, pause and resume it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, SavedByActionAdmin
from accounts.admin.rendering import NOTHING, badge, link, moment, sentences, state_column, table
from accounts.admin.steps import CAREFUL, Step, actor_of
from matching.actions import mass
from matching.core.workflow import RESCORE
from matching.models import Rescore
from matching.queries.affected import EVERYTHING
from matching.queries.rescores import progress_of, with_stages


class StartForm(ModelForm):
    """Nothing to fill in: what staff ask for by hand is everything."""

    sure = forms.BooleanField(
        label="Score everything anew",
        help_text="All people are copied, and all open opportunities scored against them.",
    )


@admin.register(Rescore)
class RescoreAdmin(AddOnlyAdmin, SavedByActionAdmin):
    form = StartForm
    list_display = ("name", "state_label", "bar", "speed", "ends", "since", "created_at", "ended_at")
    list_filter = ("state", "cause", ("created_at", RangeDateTimeFilter))
    search_fields = ("=id", "=public_id")
    add_fieldsets = ((None, {"fields": ("sure",)}),)
    fieldsets = (
        (None, {"fields": ("name", "state_badge", "about", "bar", "stages", "speed", "ends", "problem")}),
        ("Record", {"fields": (
            "since", "created_at", "planned_at", "heartbeat_at", "ended_at", "superseded_by", "taken_over", "public_id",
            "history",
        )}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )  # fmt: skip
    state_label = state_column()
    steps = (
        Step(
            name="pause",
            title="Pause",
            call=mass.pause,
            subject="rescore_id",
            machine=RESCORE,
            move="pause",
            icon="pause",
            description="Nothing is lost: what is done stays done, and it goes on from there.",
        ),
        Step(
            name="resume",
            title="Resume",
            call=mass.resume,
            subject="rescore_id",
            machine=RESCORE,
            move="resume",
            icon="play_arrow",
        ),
        Step(
            name="cancel",
            title="Cancel",
            call=mass.cancel,
            subject="rescore_id",
            machine=RESCORE,
            move="cancel",
            icon="cancel",
            description="What is left keeps the scores that it has until something else has it scored.",
            variant=CAREFUL,
        ),
    )

    @display(description="Re-scoring", ordering="id")
    def name(self, job: Rescore) -> str:
        return f"{job.pk}: {job.get_cause_display()}"

    @display(description="State")
    def state_badge(self, job: Rescore) -> str:
        return badge(job.state)

    @display(description="About")
    def about(self, job: Rescore) -> str:
        return sentences(_sentence(scope) for scope in job.scopes)

    @display(description="Progress")
    def bar(self, job: Rescore) -> str:
        found = progress_of(job)
        if not found.total and not job.planned_at:
            return NOTHING
        text = f"{found.done:,} of {found.total:,}" + (f", {found.failed:,} failed" if found.failed else "")
        percent = 100 if not found.total else found.percent
        shown = {"title": text, "description": f"{percent} %", "value": percent}
        return mark_safe(render_to_string("unfold/components/progress.html", shown))

    @display(description="Phases")
    def stages(self, job: Rescore) -> str:
        return table(
            ["Phase", "Done", "Of", "Failed", "Chunks left"],
            (
                (
                    stage.phase.label,
                    f"{stage.done:,}",
                    f"{stage.total:,}",
                    f"{stage.failed:,}",
                    f"{stage.chunks_left:,}",
                )
                for stage in progress_of(job).stages
            ),
        )

    @display(description="A second")
    def speed(self, job: Rescore) -> str:
        per_second = progress_of(job).per_second
        return NOTHING if per_second is None else f"{per_second:,.1f}"

    @display(description="Phase ends")
    def ends(self, job: Rescore) -> str:
        return moment(progress_of(job).ends_at)

    @display(description="Last problem")
    def problem(self, job: Rescore) -> str:
        return job.error or NOTHING

    @display(description="Took over")
    def taken_over(self, job: Rescore) -> str:
        return sentences(link(other) for other in job.superseded.order_by("pk"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rescore]:
        return with_stages(super().get_queryset(request).select_related("superseded_by"))

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> Rescore:
        now = timezone.now()
        return mass.start(actor=actor_of(request), cause=Rescore.Cause.ASKED, scopes=[EVERYTHING], since=now, now=now)


def _sentence(scope: dict[str, Any]) -> str:
    match scope:
        case {"kind": "day"}:
            return "all open opportunities, and people whose facts another day changes"
        case {"kind": "models"}:
            return "open opportunities that another model scores now"
        case {"kind": "skills", "ids": ids}:
            return f"people who have, and opportunities that ask for, {len(ids)} skills that were merged or linked"
        case {"kind": "rates"}:
            return "people and opportunities whose pay comes to something else in euros"
    return "everybody and every open opportunity"
