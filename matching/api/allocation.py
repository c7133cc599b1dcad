"""Allocation runs: what they propose, what proves them, and why seats stay empty."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any

import strawberry
from django.db.models import QuerySet

from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, Visible, nested_page
from accounts.api.context import Info
from accounts.api.fields import given, one
from accounts.api.nodes import Node, node_type, row_type
from accounts.api.peers import batched, related, related_list
from accounts.api.refusals import RefusalCode
from accounts.api.scalars import JSON, BigInt
from accounts.api.types import OrganisationType, TransitionType, UserType, history_of
from accounts.core.actor import Actor
from marketplace.api.applications import ApplicationType
from marketplace.api.candidates import CandidateType
from marketplace.api.offers import OfferType
from marketplace.api.opportunities import OpportunityType
from matching.access import access_proposal, access_run
from matching.api.commits import CommitReportType, code_of
from matching.api.enums import ProposalStateEnum, RunCauseEnum, RunStateEnum, SolvingStageEnum
from matching.api.evidence import CertificateType, SeatPriceType, certificates, prices, proofs
from matching.api.matches import MILLION, ScoreType, scored
from matching.api.plan_preview import (
    BestAlternativeType,
    BlockingPairsType,
    EmptySeatsType,
    ParetoCurveType,
    best_alternative_of,
    blocking_of,
    diagnoses,
    pareto_of,
)
from matching.api.run_policy import PolicyType, policy_of
from matching.api.waves import WaveType, next_waves, shown_waves
from matching.core.scoring import probability_ppm
from matching.core.workflow import RunState
from matching.models import AllocationProgress, AllocationRun, Proposal
from matching.queries.commits import reports_of

BEST_FIRST = Order("proposals", (Key("value", descending=True), Key("id")))
HEAVY = ("snapshot", "solution")  # megabytes each: loaded only where they are asked for


@node_type(
    Proposal,
    name="Proposal",
    description="A pair that a run proposes to offer to.",
    access=access_proposal,
)
class ProposalType(Node):
    opportunity = one("opportunity", OpportunityType, "Which opportunity.")
    candidate = one("candidate", CandidateType, "Which candidate.")
    application = one("application", ApplicationType, "The application, where there is one.", optional=True)
    state: ProposalStateEnum = strawberry.field(description="Where it stands.")
    value: BigInt = strawberry.field(description="What it is worth, as the solver saw it.")
    reason = given("reason", str, "Why it was dropped.")
    settled_at: datetime | None = strawberry.field(description="When a commit sent or dropped it.")
    offer = one("offer", OfferType, "The offer it became.", optional=True)

    @strawberry.field(description="Why a commit dropped it, for programs.")
    def code(root: strawberry.Parent[Any]) -> RefusalCode | None:
        return code_of(root)

    @strawberry.field(description="How well they suit, with the addends.")
    def fit(root: strawberry.Parent[Any], info: Info) -> ScoreType:
        return scored(info.context, root, root.fit, root.contributions)

    @strawberry.field(description="What it won against, and why; null for what staff settled.")
    def best_alternative(root: strawberry.Parent[Any]) -> BestAlternativeType | None:
        return best_alternative_of(root)

    @strawberry.field(description="The probability that they accept, from 0 to 1.")
    def acceptance(root: strawberry.Parent[Any]) -> float:
        return probability_ppm(root.acceptance) / MILLION


@row_type(
    AllocationProgress,
    name="AllocationProgress",
    description="How far a worker has come with solving a run. It shows nothing of what it found before all is done.",
)
class AllocationProgressType:
    stage: SolvingStageEnum = strawberry.field(description="What it does now.")
    done: BigInt = strawberry.field(
        description="Steps of this stage that are done: opportunities gathered; while solving, edges looked at."
    )
    total: BigInt | None = strawberry.field(description="Of how many; null where nobody can know.")
    value: BigInt | None = strawberry.field(description="While solving, what the best found so far is worth.")
    bound: BigInt | None = strawberry.field(description="While solving, what is known so far not to be exceeded.")
    started_at: datetime = strawberry.field(description="When this attempt began. After a crash there is another.")
    updated_at: datetime = strawberry.field(description="When it was last heard of.")


def _model_versions(rows: list[AllocationRun]) -> dict[int, list[str]]:
    """As the snapshots name them; those of earlier runs name one alone."""
    stored = AllocationRun.objects.filter(pk__in=[row.pk for row in rows], snapshot__isnull=False)
    named = stored.values_list("pk", "snapshot__models", "snapshot__model")
    return {pk: sorted(models) if models else [model] if model else [] for pk, models, model in named}


@cache
def _proposals(states: tuple[str, ...] | None) -> Visible:
    def proposals(_: Actor) -> QuerySet[Proposal]:  # whoever sees a run
        return Proposal.objects.all() if states is None else Proposal.objects.filter(state__in=states)

    return proposals


@node_type(
    AllocationRun,
    name="AllocationRun",
    description="One attempt at filling the open seats of many opportunities at once.",
    access=access_run,
)
class AllocationRunType(Node):
    state: RunStateEnum = strawberry.field(
        description="Where it stands. QUEUED until it is solved, which is one transaction; `progress` tells more."
    )
    organisation = one("organisation", OrganisationType, "Whose seats; null: the whole market's.", optional=True)
    seats: int = strawberry.field(description="Open seats to fill.")
    proposed: int = strawberry.field(description="Proposals made.")
    sent: int = strawberry.field(description="Offers sent.")
    dropped: int = strawberry.field(description="Proposals that did not survive the recheck.")
    value: BigInt = strawberry.field(description="What the proposals are worth together.")
    bound: BigInt = strawberry.field(description="What no assignment could exceed.")
    gap: BigInt = strawberry.field(description="Bound less value: 0 is the best there is.")
    error = given("error", str, "Why it failed.")
    cause: RunCauseEnum = strawberry.field(description="Why there is this run.")
    most_seats: int | None = strawberry.field(
        description="Of each opportunity it fills at most so many; null: all that are open."
    )
    commits_itself: bool = strawberry.field(description="Whether its offers go out as soon as it is planned.")
    overbooking_ppm: int | None = strawberry.field(
        description=(
            "Its offers are open calls: as many as keep the chance of more acceptances than seats, in millionths, at"
            " most there. Null: each offer holds a seat."
        )
    )
    wave: int = strawberry.field(description="Which of its waves this is, from 0.")
    offers_expire_hours: int = strawberry.field(description="How long the offers of a commit wait for an answer.")
    created_by = one("created_by", UserType, "Who planned it.", optional=True)
    created_at: datetime = strawberry.field(description="When it was queued.")
    planned_at: datetime | None = strawberry.field(description="When it was solved.")
    finished_at: datetime | None = strawberry.field(description="When it was committed, discarded, expired or failed.")

    @strawberry.field(
        description="How far a worker has come with solving it. Null while it waits for one, and when that is over."
    )
    def progress(root: strawberry.Parent[Any]) -> AllocationProgressType | None:
        if root.state not in (RunState.QUEUED, RunState.SOLVING):
            return None
        told = related(root, "progress")
        return told if told is not None and told.stage else None

    @strawberry.field(description="What it keeps to.")
    def policy(root: strawberry.Parent[Any], info: Info) -> PolicyType:
        return policy_of(root, info.context.actor)

    @strawberry.field(
        description="The version of the model that scored; null before it is solved, and where several did."
    )
    def model_version(root: strawberry.Parent[Any]) -> str | None:
        model = related(root, "model")
        return model.version if model else None

    @strawberry.field(description="The versions of the models that scored, in alphabetical order; none before then.")
    def model_versions(root: strawberry.Parent[Any]) -> list[str]:
        return batched(root, "model versions", _model_versions, [])

    @strawberry.field(description="The opportunities it was narrowed to; none: all open ones in its scope.")
    def opportunities(root: strawberry.Parent[Any]) -> list[OpportunityType]:
        return sorted(related_list(root, "opportunities"), key=lambda row: row.pk)

    @strawberry.field(description="What it proposes, the most valuable first.")
    def proposals(
        root: strawberry.Parent[Any],
        info: Info,
        states: Annotated[
            list[ProposalStateEnum] | None, strawberry.argument(description="Only those in these states; all if null.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[ProposalType]:
        wanted = None if states is None else tuple(sorted({one.value for one in states}))
        key, rows, actor = ("proposals", wanted), _proposals(wanted), info.context.actor
        return nested_page(root, key, rows, actor, by="run", first=first, after=after, order=BEST_FIRST)

    @strawberry.field(description="Who is asked one after the other; none: all at once.")
    def waves(root: strawberry.Parent[Any]) -> list[WaveType]:
        return shown_waves(root)

    @strawberry.field(description="When the next wave comes at the latest, if seats are still open then.")
    def next_wave_at(root: strawberry.Parent[Any]) -> datetime | None:
        return batched(root, "next wave", next_waves, None)

    @strawberry.field(description="What became of its proposals when they were committed.")
    def report(root: strawberry.Parent[Any]) -> CommitReportType:
        return batched(root, "report", reports_of, None)

    @strawberry.field(description="The proof, checked now; null before it is solved.")
    def certificate(root: strawberry.Parent[Any]) -> CertificateType | None:
        return batched(root, "certificate", certificates, None)

    @strawberry.field(description="Whether the proof holds, checked now; null before it is solved.")
    def verified(root: strawberry.Parent[Any]) -> bool | None:
        found = batched(root, "certificate", certificates, None)
        return None if found is None else found.valid

    @strawberry.field(
        description="All that is needed to check the proof without us: problem and solution as JSON, candidates as mere"
        " numbers, opportunities by number as ids. `docs/allocation.md` says how. Null before it is solved."
    )
    def proof(root: strawberry.Parent[Any]) -> JSON | None:
        return batched(root, "proof", proofs, None)

    @strawberry.field(description="What other weights would bring; null before it is solved.")
    def pareto(root: strawberry.Parent[Any]) -> ParetoCurveType | None:
        return pareto_of(root)

    @strawberry.field(
        description="Pairs that would rather have each other. Null before it is solved, and where it is not defined:"
        " where people may take several seats, or limits or reserved shares restrict them."
    )
    def blocking_pairs(
        root: strawberry.Parent[Any],
        first: Annotated[int, strawberry.argument(description="How many to show, 50 at most.")] = 20,
    ) -> BlockingPairsType | None:
        return blocking_of(root, min(max(first, 0), 50))

    @strawberry.field(description="What one more seat of each opportunity would add, the dearest first.")
    def prices(root: strawberry.Parent[Any]) -> list[SeatPriceType]:
        return batched(root, "prices", prices, [])

    @strawberry.field(description="Why seats stay empty.")
    def diagnosis(root: strawberry.Parent[Any]) -> list[EmptySeatsType]:
        return batched(root, "diagnosis", diagnoses, [])

    @strawberry.field(description="Every change of its state, oldest first.")
    def history(root: strawberry.Parent[Any]) -> list[TransitionType]:
        return history_of(root)  # type: ignore[return-value]
