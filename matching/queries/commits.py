"""What became of the proposals of runs: what was sent, what was dropped and why, what can still be committed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from matching.core.workflow import ProposalState
from matching.models import AllocationRun, Proposal


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many proposals commits dropped for one cause, and the sentence of the first of them."""

    code: str
    message: str
    proposals: int


@dataclass(frozen=True, slots=True)
class CommitReport:
    """Proposals by what became of them; `open` ones can be committed while the run is planned."""

    sent: int
    dropped: int
    open: int
    causes: tuple[Dropped, ...]


def reports_of(runs: Collection[AllocationRun]) -> dict[int, CommitReport]:
    """By inner id of the run, the most frequent cause first. Two statements, however many runs."""
    proposals = Proposal.objects.filter(run__in=[run.pk for run in runs]).order_by()
    counted = {
        (run_id, state): number
        for run_id, state, number in proposals.values_list("run_id", "state").annotate(number=Count("pk"))
    }
    told: dict[int, dict[str, list[str]]] = {}
    dropped = proposals.filter(state=ProposalState.DROPPED).exclude(code="").order_by("settled_at", "-value", "id")
    for run_id, code, reason in dropped.values_list("run_id", "code", "reason"):
        told.setdefault(run_id, {}).setdefault(code, []).append(reason)

    def number(run: AllocationRun, *states: ProposalState) -> int:
        return sum(counted.get((run.pk, state), 0) for state in states)

    return {
        run.pk: CommitReport(
            sent=number(run, ProposalState.SENT),
            dropped=number(run, ProposalState.DROPPED),
            open=number(run, ProposalState.PROPOSED, ProposalState.PINNED),
            causes=tuple(
                sorted(
                    (Dropped(code, reasons[0], len(reasons)) for code, reasons in told.get(run.pk, {}).items()),
                    key=lambda one: (-one.proposals, one.code),
                )
            ),
        )
        for run in runs
    }
