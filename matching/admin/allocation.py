"""Allocation runs: planned, looked at, settled by hand, committed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, ReadOnlyAdmin, ReadOnlyInline, SavedByActionAdmin
from accounts.admin.rendering import NOTHING, badge, link, link_to_list, sentences, state_column
from accounts.admin.steps import CAREFUL, Step, actor_of
from matching.actions.allocation import (
    commit_allocation,
    commit_proposal,
    discard_allocation,
    exclude_proposal,
    pin_proposal,
    plan_allocation,
    verify_run,
)
from matching.admin.planning import PlanForm, policy_shown
from matching.admin.previewing import alternatives_in_words, pareto_drawn, proof_in_words
from matching.admin.wording import contributions_by_head, diagnosis_in_words, figures, score_text
from matching.core.waves import waves_from_data
from matching.core.workflow import PROPOSAL, RUN, RunState
from matching.models import AllocationProgress, AllocationRun, Proposal
from matching.queries.commits import reports_of


class ProposalsInline(ReadOnlyInline):
    model = Proposal
    fields = ("candidate", "opportunity", "state", "value", "reason", "offer")
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).select_related("candidate", "opportunity", "offer", "run")


@admin.register(AllocationRun)
class AllocationRunAdmin(AddOnlyAdmin, SavedByActionAdmin):
    form = PlanForm
    list_display = (
        "run_name", "scope", "state_label", "seats", "proposed", "sent", "dropped", "gap", "created_by", "created_at",
    )  # fmt: skip
    list_select_related = ("organisation", "created_by")
    list_filter = (
        "state",
        ("organisation", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("=public_id", "organisation__name", "=created_by__email")
    date_hierarchy = "created_at"
    autocomplete_fields = ("organisation", "opportunities")
    inlines = (ProposalsInline,)
    add_fieldsets = (
        ("Scope", {
            "description": "Nothing chosen: all open opportunities of the whole market.",
            "fields": ("organisation", "opportunities"),
        }),
        ("Policy", {"fields": (
            ("quality", "fill", "speed"), ("min_fit_ppm", "offers_at_once", "urgent_days"), ("mechanism", "proposing"),
            ("most_per_organisation", "seconds", "offers_expire_hours"), "limits", "shares",
        )}),
        ("Offers", {"fields": ("overbooking_ppm", ("favourites_hours", "top_hours", "rest_hours"))}),
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("run_name", "scope", "opportunities", "state_badge", "policy_shown", "model")}),
        ("Outcome", {"fields": (
            "progress_told", "totals", "proof", "pareto_plot", "commit_report", "diagnosis_text", "proposals_link",
            "error",
        )}),
        ("Record", {"fields": (
            "cause", "offers_expire_hours", "overbooking_ppm", "waves_told", "commits_itself", "previous",
            "snapshot_digest", "created_by", "created_at", "planned_at",
            "finished_at", "history",
        )}),
        ("Events", {"classes": ("tab",), "fields": ("event_log",)}),
    )  # fmt: skip
    state_label = state_column()
    steps = (
        Step(
            name="commit",
            title="Commit",
            call=commit_allocation,
            subject="run_id",
            machine=RUN,
            move="commit",
            icon="send",
            description="Sends an offer for every proposal that still holds; the others are dropped, with the reason.",
        ),
        Step(
            name="discard",
            title="Discard",
            call=discard_allocation,
            subject="run_id",
            machine=RUN,
            move="discard",
            icon="delete",
            variant=CAREFUL,
            bulk=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AllocationRun]:
        """Without the snapshot and the solution: they are as large as the market."""
        return super().get_queryset(request).defer("snapshot", "solution")

    def get_inlines(self, request: HttpRequest, obj: AllocationRun | None) -> tuple[type[ReadOnlyInline], ...]:
        return self.inlines if obj else ()

    @display(description="Run", ordering="id")
    def run_name(self, run: AllocationRun) -> str:
        return str(run.public_id)[:8]

    @display(description="Scope", ordering="organisation__name")
    def scope(self, run: AllocationRun) -> str:
        return link(run.organisation) if run.organisation else "the whole market"

    @display(description="State")
    def state_badge(self, run: AllocationRun) -> str:
        return badge(run.state)

    @display(description="Policy")
    def policy_shown(self, run: AllocationRun) -> str:
        return policy_shown(run)

    @display(description="Waves")
    def waves_told(self, run: AllocationRun) -> str:
        told = (f"{one.who.value}, {one.hours} h" for one in waves_from_data(run.waves))
        return sentences(f"→ {line}" if at == run.wave else line for at, line in enumerate(told))

    @display(description="Being solved")
    def progress_told(self, run: AllocationRun) -> str:
        """How far a worker has come: it tells beside the transaction that solves the run."""
        if run.state not in (RunState.QUEUED, RunState.SOLVING):
            return NOTHING
        told = AllocationProgress.objects.filter(run=run).exclude(stage="").first()
        if told is None:
            return "It waits for a worker."
        of = f" of {told.total:,}" if told.total is not None else ""
        return f"{told.stage}: {told.done:,}{of}"

    @display(description="Totals")
    def totals(self, run: AllocationRun) -> str:
        names = ("seats", "proposed", "sent", "dropped", "value", "bound", "gap")
        return figures((name, f"{getattr(run, name):,}") for name in names)

    @display(description="Proof")
    def proof(self, run: AllocationRun) -> str:
        return proof_in_words(run, verify_run(run)) if run.solution is not None else NOTHING

    @display(description="Fill against quality")
    def pareto_plot(self, run: AllocationRun) -> str:
        return pareto_drawn(run.pareto) if run.pareto else NOTHING

    @display(description="What commits dropped")
    def commit_report(self, run: AllocationRun) -> str:
        report = reports_of([run])[run.pk]
        if not report.causes:
            return NOTHING
        return sentences(f"{one.proposals} × {one.message}" for one in report.causes)

    @display(description="Why seats stay empty")
    def diagnosis_text(self, run: AllocationRun) -> str:
        return NOTHING if run.diagnosis is None else diagnosis_in_words(run.diagnosis)

    @display(description="Proposals")
    def proposals_link(self, run: AllocationRun) -> str:
        return link_to_list(Proposal, "Pin, exclude and search them in their list", run__id__exact=run.pk)

    def save_by_action(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> AllocationRun:
        given = form.cleaned_data
        return plan_allocation(
            actor=actor_of(request),
            organisation_id=given["organisation"].public_id if given["organisation"] else None,
            opportunity_ids=[opportunity.public_id for opportunity in given["opportunities"]],
            policy=form.policy(),  # type: ignore[attr-defined]
            offers_expire_hours=given["offers_expire_hours"],
            overbooking_ppm=given["overbooking_ppm"],
            waves=form.waves(),  # type: ignore[attr-defined]
            now=timezone.now(),
        )


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = (
        "candidate_link", "opportunity_link", "state_label", "fit_score", "acceptance_score", "value", "reason",
        "run_link",
    )  # fmt: skip
    list_select_related = ("candidate", "opportunity", "run")
    list_filter = (
        "state",
        ("run", AutocompleteSelectFilter),
        ("opportunity", AutocompleteSelectFilter),
        ("candidate", AutocompleteSelectFilter),
    )
    search_fields = ("candidate__name", "opportunity__reference__istartswith", "opportunity__title", "reason")
    fields = (
        "run", "candidate", "opportunity", "application", "state_badge", "value", "fit_score", "acceptance_score",
        "contributions_shown", "alternative", "code", "reason", "settled_at", "offer", "public_id", "history",
    )  # fmt: skip
    state_label = state_column()
    steps = (
        Step(
            name="pin",
            title="Pin",
            call=pin_proposal,
            subject="proposal_id",
            machine=PROPOSAL,
            move="pin",
            icon="keep",
            description="The next plan keeps it.",
            bulk=True,
        ),
        Step(
            name="exclude",
            title="Exclude",
            call=exclude_proposal,
            subject="proposal_id",
            machine=PROPOSAL,
            move="exclude",
            icon="do_not_disturb_on",
            description="It is not sent, and the next plan avoids it.",
            bulk=True,
        ),
        Step(
            name="commit",
            title="Commit",
            call=commit_proposal,
            subject="proposal_id",
            machine=PROPOSAL,
            move="send",
            shown=lambda proposal: proposal.run.state == RunState.PLANNED,
            icon="send",
            description="Sends its offer if it still holds; otherwise drops it, with the reason. The rest can wait.",
            bulk=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).defer("run__snapshot", "run__solution")

    @display(description="Candidate", ordering="candidate__name")
    def candidate_link(self, proposal: Proposal) -> str:
        return link(proposal.candidate)

    @display(description="Opportunity", ordering="opportunity")
    def opportunity_link(self, proposal: Proposal) -> str:
        return link(proposal.opportunity)

    @display(description="Run", ordering="run")
    def run_link(self, proposal: Proposal) -> str:
        return link(proposal.run, str(proposal.run.public_id)[:8])

    @display(description="State")
    def state_badge(self, proposal: Proposal) -> str:
        return badge(proposal.state)

    @display(description="Fit", ordering="fit")
    def fit_score(self, proposal: Proposal) -> str:
        return score_text(proposal.fit)

    @display(description="Acceptance", ordering="acceptance")
    def acceptance_score(self, proposal: Proposal) -> str:
        return score_text(proposal.acceptance)

    @display(description="What it won against")
    def alternative(self, proposal: Proposal) -> str:
        return alternatives_in_words(proposal)

    @display(description="What adds up to the scores")
    def contributions_shown(self, proposal: Proposal) -> str:
        return contributions_by_head(proposal.contributions)
