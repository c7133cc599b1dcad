"""What deciding does when something has happened: the consumers `rescoring` and `allocation`."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Event
from accounts.subscriptions import consumes
from marketplace.core.workflow import APPLICATION, OPPORTUNITY, PLACEMENT
from marketplace.models import Application, Placement
from matching.actions import allocation, marks

EVERYTHING = frozenset({"RatesPublished", "TaxonomyRevised", "TaxonomyImported"})  # what all facts and terms rest on
MODELS = frozenset({"ModelPromoted", "ModelRetired"})
# Moves that change what may be scored, and for whom; what else is told is told by name.
MOVES = frozenset(move.event for machine in (OPPORTUNITY, APPLICATION, PLACEMENT) for move in machine.moves.values())
SCORED = (
    (MOVES - {"OpportunitySubmitted", "OpportunityReturned"})
    | EVERYTHING
    | MODELS
    | {"OpportunityUpdated", "EligibilityRuleSet", "EligibilityWaived", "EligibilityWaiverRevoked", "SeatsChanged"}
    | {"CandidateRegistered", "CandidateUpdated", "VettingRecorded", "VettingWithdrawn"}
    | {"ApplicationSubmitted", "PlacementCreated", "PlacementTermsChanged"}
)


@consumes(SCORED)
def mark(event: Event) -> None:
    """Mark whatever an event has made stale."""
    if event.name in EVERYTHING:
        marks.mark_all(event.at)
    elif event.name in MODELS:
        marks.mark_open_opportunities(event.at)
    elif event.name == "EligibilityRuleSet":  # changes verdicts, and nothing else of any score
        marks.mark_changed_rule(event.aggregate_id, event.payload["revision"], event.at)
    elif event.aggregate_type == "opportunity":
        marks.mark_opportunities([event.aggregate_id], event.at)
    elif event.aggregate_type == "candidate":
        marks.mark_candidates([event.aggregate_id], event.at)
    elif event.aggregate_type == "placement":  # takes hours, or gives them back
        _mark_candidate_of(Placement, event)
    elif event.aggregate_type == "application":  # who applies is kept, however low they rank
        _mark_candidate_of(Application, event)


@consumes(["AllocationQueued"])
def solve(event: Event) -> None:
    """Solve the run that was queued. A delivery is carried out once, so a run is too."""
    allocation.solve_run(event.aggregate_id, timezone.now())


def _mark_candidate_of(model: type[Application] | type[Placement], event: Event) -> None:
    candidate_ids = model._default_manager.filter(pk=event.aggregate_id).values_list("candidate_id", flat=True)
    marks.mark_candidates(candidate_ids, event.at)
