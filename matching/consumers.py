"""What deciding does when something has happened: the consumers `rescoring`, `copies`, `waitlist`, `allocation`,
`backfill`, `waves`, `alerts` and `exposures`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Q
from django.utils import timezone

from accounts.models import Event
from accounts.subscriptions import consumes, consumes_many
from marketplace.core.workflow import APPLICATION, INVITATION, OFFER, OPPORTUNITY, PLACEMENT
from marketplace.models import Application, Opportunity, Placement
from matching.actions import alerts, allocation, backfill, copies, decisions, marks, mass
from matching.core.attributes import Subject
from matching.models import Rescore
from matching.queries.affected import EVERYTHING as EVERY_SCORE
from matching.queries.affected import OTHER_MODELS, Scope, set_before

EVERYTHING = frozenset({"RatesPublished", "TaxonomyRevised", "TaxonomyImported"})  # what all facts and terms rest on
# What has opportunities scored by another model than before.
MODELS = frozenset({"ModelPromoted", "ModelRestored", "ModelRetired", "SegmentChanged", "SegmentMoved"})
AT_LARGE = EVERYTHING | MODELS
# What a revision of the taxonomy may change of a skill or an occupation that scores depend on.
LINKS = frozenset({"merged_into", "broader_links"})
NAMES = frozenset({"name", "labels", "kind", "skills"})
# Moves that change what may be scored, and for whom; what else is told is told by name.
MOVES = frozenset(move.event for machine in (OPPORTUNITY, APPLICATION, PLACEMENT) for move in machine.moves.values())
# What comes of asking a person tells on them; what is asked, or taken back, does not.
ANSWERED = frozenset(
    move.event for machine in (INVITATION, OFFER) for move in machine.moves.values() if move.action != "withdraw"
)
SCORED = (
    (MOVES - {"OpportunitySubmitted", "OpportunityReturned"})
    | AT_LARGE
    | {"OpportunityUpdated", "EligibilityRuleSet", "EligibilityWaived", "EligibilityWaiverRevoked", "SeatsChanged"}
    | {"CandidateRegistered", "CandidateUpdated", "VettingRecorded", "VettingWithdrawn"}
    | {"ApplicationSubmitted", "PlacementCreated", "PlacementTermsChanged"}
    | ANSWERED
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

# A pause, or the end, is over: what came free meanwhile can be offered.
TAKING_OFFERS_AGAIN = frozenset({"OpportunityResumed", "OpportunityReopened"})

# None of these leaves an offer waiting: after the last of a wave's, the next one may come.
OFFER_OVER = frozenset(move.event for move in OFFER.moves.values())

# What of allocations is logged.
PLANS = frozenset({"AllocationPlanned", "AllocationPartCommitted", "AllocationCommitted"})


@consumes_many(SCORED)
def mark(events: Sequence[Event]) -> None:
    """Mark whatever events have made stale: candidates first, then opportunities, then what rules decide. What changes
    the scores of all, or of many, is a work of its own."""
    since = min(event.at for event in events)
    about = _by_aggregate(events, AT_LARGE | {"EligibilityRuleSet"})
    placed = Placement.objects.filter(pk__in=about["placement"])  # takes hours, or gives them back
    applied = Application.objects.filter(pk__in=about["application"])  # who applies is kept, however low they rank
    concerned = (rows.values_list("candidate_id", flat=True) for rows in (placed, applied))
    answering = {event.payload["candidate"] for event in events if event.name in ANSWERED}
    marks.mark_candidates(about["candidate"].union(answering, *concerned), since)
    marks.mark_opportunities(about["opportunity"], since)
    for event in sorted(events, key=lambda event: event.aggregate_id):
        if event.name == "EligibilityRuleSet":  # changes verdicts, and nothing else of any score
            marks.mark_changed_rule(event.aggregate_id, event.payload["revision"], event.at)
    for cause, scope in scopes_of(events):
        mass.start(cause=cause, scopes=[scope], since=since, now=timezone.now())


def scopes_of(events: Sequence[Event]) -> Iterator[tuple[Rescore.Cause, Scope]]:
    """What events of mass changes leave to be scored, cause by cause; nothing where they change no score."""
    about = _by_name(events)
    if about.keys() & MODELS:
        yield Rescore.Cause.MODEL, OTHER_MODELS
    if about["RatesPublished"]:
        first = min(event.aggregate_id for event in about["RatesPublished"])
        yield Rescore.Cause.RATES, {"kind": "rates", "from": set_before(first, timezone.now())}
    if about["TaxonomyImported"]:
        yield Rescore.Cause.TAXONOMY, EVERY_SCORE
    elif about["TaxonomyRevised"]:
        yield from _scopes_of_revisions(about["TaxonomyRevised"])


def _scopes_of_revisions(events: Sequence[Event]) -> Iterator[tuple[Rescore.Cause, Scope]]:
    """A revision by hand tells what it changed of a skill or an occupation. Merges and links affect those who hold or
    ask for the skills; names may stand in anybody's texts."""
    changed = {name for event in events for name in event.payload.get("changed", ()) or NAMES}
    if changed & NAMES:
        yield Rescore.Cause.TAXONOMY, EVERY_SCORE
    elif changed & LINKS:
        touched = {pk for event in events for pk in event.payload.get("skills", ())}
        yield Rescore.Cause.TAXONOMY, {"kind": "skills", "ids": sorted(touched)}


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


@consumes({"SeatOpened", "SeatReleased"} | TAKING_OFFERS_AGAIN)
def serve_the_waiting(event: Event) -> None:
    """Offer an open seat to those who wait for one; one that came free, beyond them, to others, as the policy is."""
    if event.aggregate_type == "seat":
        is_freed = event.name == "SeatReleased" or backfill.is_replacement(event.aggregate_id)
        freed = event.aggregate_id if is_freed else None
        backfill.serve_the_waiting(event.payload["opportunity"], freed, timezone.now())
    else:
        backfill.serve_the_waiting(event.aggregate_id, None, timezone.now())


@consumes({"VacancyOpened", "AllocationPlanned"} | TAKING_OFFERS_AGAIN)
def follow_up(event: Event) -> None:
    """Look for somebody for the seats that came free, and commit the runs that nobody else is to commit."""
    if event.name == "AllocationPlanned":
        backfill.follow_plan(event.aggregate_id, timezone.now())
    else:
        backfill.fill_vacancies(event.payload.get("opportunity", event.aggregate_id), timezone.now())


@consumes_many(OFFER_OVER)
def next_wave(events: Sequence[Event]) -> None:
    """Send the wave after one that has ended. Of many at once: a crowd that accepts costs one look."""
    allocation.waves_answered({event.aggregate_id for event in events}, timezone.now())


@consumes(OPENED | CHANGED)
def alert(event: Event) -> None:
    """Have saved searches find what is new to them."""
    is_opened = event.name in OPENED or not SHOWN_BY.isdisjoint(event.payload.get("changed", ()))
    alerts.alert(event.aggregate_id, timezone.now(), changed_at=None if is_opened else event.at)


@consumes({"OfferSent"} | PLANS)
def expose(event: Event) -> None:
    """Log that an offer was shown to its candidate, or what an allocation proposed and what of it was committed, with
    the features of that moment."""
    if event.name in PLANS:
        decisions.log_plan(event, timezone.now())
    else:
        decisions.log_offer(event.aggregate_id, timezone.now())


def _by_name(events: Sequence[Event]) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.name].append(event)
    return found


def _by_aggregate(events: Sequence[Event], others: frozenset[str]) -> Mapping[str, set[int]]:
    """Inner ids of what the events tell of, by its kind; without those of these names."""
    found: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.name not in others:
            found[event.aggregate_type].add(event.aggregate_id)
    return found
