"""What deciding does when something has happened: the consumers `rescoring`, `copies`, `allocation`, `alerts` and
`exposures`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q
from django.utils import timezone

from accounts.models import Event
from accounts.subscriptions import consumes, consumes_many
from marketplace.core.workflow import APPLICATION, OPPORTUNITY, PLACEMENT
from marketplace.models import Application, Opportunity, Placement
from matching.actions import alerts, allocation, copies, decisions, marks
from matching.core.attributes import Subject
from matching.queries.serving import scored_by_another

EVERYTHING = frozenset({"RatesPublished", "TaxonomyRevised", "TaxonomyImported"})  # what all facts and terms rest on
# What has opportunities scored by another model than before.
MODELS = frozenset({"ModelPromoted", "ModelRestored", "ModelRetired", "SegmentChanged", "SegmentMoved"})
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

# What changes how an opportunity or a person is found. Rules do not: eligibility is judged when it is asked for.
COPIED = (
    frozenset(move.event for move in OPPORTUNITY.moves.values())
    | EVERYTHING
    | {"OpportunityDrafted", "OpportunityUpdated", "OrganisationUpdated"}
    | {"CandidateRegistered", "CandidateUpdated", "VettingRecorded", "VettingWithdrawn"}
    | frozenset(move.event for move in PLACEMENT.moves.values())
    | {"PlacementCreated", "PlacementTermsChanged"}
)

# After these, saved searches may find an opportunity: for the first time at all, or because it is otherwise now.
OPENED = frozenset({"OpportunityPublished", "OpportunityResumed", "OpportunityReopened"})
CHANGED = frozenset({"OpportunityUpdated", "EligibilityRuleSet"})
SHOWN_BY = frozenset({"visibility", "opens_at"})  # fields whose change opens it, too


@consumes_many(SCORED)
def mark(events: Sequence[Event]) -> None:
    """Mark whatever events have made stale: candidates first, then opportunities, then what rules decide."""
    since, names = min(event.at for event in events), {event.name for event in events}
    if names & EVERYTHING:
        marks.mark_all(since)
        return
    about = _by_aggregate(events, MODELS | {"EligibilityRuleSet"})
    placed = Placement.objects.filter(pk__in=about["placement"])  # takes hours, or gives them back
    applied = Application.objects.filter(pk__in=about["application"])  # who applies is kept, however low they rank
    concerned = (rows.values_list("candidate_id", flat=True) for rows in (placed, applied))
    marks.mark_candidates(about["candidate"].union(*concerned), since)
    marks.mark_opportunities(about["opportunity"], since)
    if names & MODELS:
        marks.mark_opportunities(scored_by_another(on=timezone.now().date()), since)
    for event in sorted(events, key=lambda event: event.aggregate_id):
        if event.name == "EligibilityRuleSet":  # changes verdicts, and nothing else of any score
            marks.mark_changed_rule(event.aggregate_id, event.payload["revision"], event.at)


@consumes_many(COPIED)
def copy(events: Sequence[Event]) -> None:
    """Mark whatever copies events have made stale: candidates first, then opportunities."""
    since = min(event.at for event in events)
    about = _by_aggregate(events, EVERYTHING)
    if any(event.name in EVERYTHING for event in events):
        for subject in Subject:
            copies.renew_all(subject, since)
    copies.mark(Subject.CANDIDATE, about["candidate"], since)
    placed = Placement.objects.filter(pk__in=about["placement"])  # takes hours, or gives them back
    copies.renew(Subject.CANDIDATE, placed.values_list("candidate_id", flat=True), since)
    copies.mark(Subject.OPPORTUNITY, about["opportunity"], since)
    renamed = about["organisation"]  # they may be called otherwise now
    theirs = Opportunity.objects.filter(Q(posting_organisation__in=renamed) | Q(hiring_organisation__in=renamed))
    copies.renew(Subject.OPPORTUNITY, theirs.values_list("pk", flat=True), since)


@consumes(["AllocationQueued"])
def solve(event: Event) -> None:
    """Solve the run that was queued. A delivery is carried out once, so a run is too."""
    allocation.solve_run(event.aggregate_id, timezone.now())


@consumes(OPENED | CHANGED)
def alert(event: Event) -> None:
    """Have saved searches find what is new to them."""
    is_opened = event.name in OPENED or not SHOWN_BY.isdisjoint(event.payload.get("changed", ()))
    alerts.alert(event.aggregate_id, timezone.now(), changed_at=None if is_opened else event.at)


@consumes(["OfferSent"])
def expose(event: Event) -> None:
    """Log that an offer was shown to its candidate, with the features of that moment."""
    decisions.log_offer(event.aggregate_id, timezone.now())


def _by_aggregate(events: Sequence[Event], others: frozenset[str]) -> Mapping[str, set[int]]:
    """Inner ids of what the events tell of, by its kind; without those of these names."""
    found: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.name not in others:
            found[event.aggregate_type].add(event.aggregate_id)
    return found
