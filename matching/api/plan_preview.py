"""What staff look at before they commit a plan: other weights, the pairs that block it, what each proposal won
against, and why seats stay empty."""

from dataclasses import dataclass
from typing import Any

import strawberry

from accounts.api.peers import batched, together
from accounts.api.scalars import BigInt
from accounts.api.types import OrganisationType
from accounts.models import Organisation
from marketplace.api.candidates import CandidateType, pseudonym
from marketplace.api.opportunities import OpportunityType
from marketplace.models import Candidate, Opportunity
from matching.api.enums import CauseEnum
from matching.core.allocation.alternatives import told_alternatives
from matching.models import AllocationRun, Proposal

MILLION = 1_000_000


@strawberry.type(name="ParetoPoint", description="What a plan with other weights of quality and fill would bring.")
class ParetoPointType:
    quality: int = strawberry.field(description="The weight of how well people suit, in thousandths.")
    fill: int = strawberry.field(description="The weight of how many seats are filled.")
    speed: int = strawberry.field(description="The weight of how soon they start.")
    chosen: bool = strawberry.field(description="Whether these are the weights that the run was planned with.")
    seats: int = strawberry.field(description="Seats that would be offered.")
    placements: float = strawberry.field(description="How many of these offers are expected to be accepted.")
    fit: float = strawberry.field(description="How well those who accept would suit, on average, from 0 to 1.")
    promptness: float = strawberry.field(description="How soon they would start, from 0 to 1: half for in 30 days.")


@strawberry.type(name="ParetoCurve", description="Fill against quality, around the weights that were chosen.")
class ParetoCurveType:
    points: list[ParetoPointType] = strawberry.field(description="From all fill to all quality.")

    @strawberry.field(description="That of the plan itself.")
    def chosen(root: strawberry.Parent[Any]) -> ParetoPointType | None:
        return next((one for one in root.points if one.chosen), None)


def pareto_of(run: AllocationRun) -> ParetoCurveType | None:
    if run.pareto is None:
        return None
    return ParetoCurveType(
        points=[
            ParetoPointType(
                **one["policy"],
                chosen=one["chosen"],
                seats=one["seats"],
                placements=one["placements_ppm"] / MILLION,
                fit=one["fit_ppm"] / MILLION,
                promptness=one["prompt_ppm"] / MILLION,
            )
            for one in run.pareto
        ]
    )


@strawberry.type(
    name="BlockingPair",
    description="A person and an opportunity who would both rather have each other than what the plan gives them.",
)
class BlockingPairType:
    opportunity: OpportunityType = strawberry.field(description="Which opportunity.")
    candidate: CandidateType = strawberry.field(description="Which candidate.")


@strawberry.type(name="BlockingPairs", description="The pairs that block a plan: none where it is stable.")
class BlockingPairsType:
    count: int = strawberry.field(description="How many there are.")
    pairs: list[BlockingPairType] = strawberry.field(description="The first of them.")


def blocking_of(run: AllocationRun, first: int) -> BlockingPairsType | None:
    def load(rows: list[AllocationRun]) -> dict[int, BlockingPairsType]:
        listed = {row.pk: row.blocking["pairs"][:first] for row in rows if row.blocking}
        opportunities = _opportunities({key for pairs in listed.values() for key, _ in pairs})
        candidates = _candidates({key for pairs in listed.values() for _, key in pairs})
        return {
            row.pk: BlockingPairsType(
                count=row.blocking["count"],
                pairs=[
                    BlockingPairType(opportunity=opportunities[key], candidate=candidates[who])  # type: ignore[arg-type]
                    for key, who in listed[row.pk]
                    if key in opportunities and who in candidates
                ],
            )
            for row in rows
            if row.blocking
        }

    found: BlockingPairsType | None = batched(run, ("blocking", first), load, None)
    return found


@strawberry.type(name="ProposalAlternative", description="A pair that lost against a proposal.")
class AlternativeType:
    opportunity: OpportunityType = strawberry.field(description="Which opportunity.")
    candidate: CandidateType = strawberry.field(description="Which candidate.")
    less: BigInt = strawberry.field(description="So much less it is worth than the proposal; negative: more.")
    loss: BigInt = strawberry.field(description="What the total value would lose by it at least.")
    placed_at: OpportunityType | None = strawberry.field(
        description="Where the plan gives the person a seat; null: nowhere, or it is this proposal's own person."
    )


@strawberry.type(name="BestAlternative", description="What a proposal won against, and why it won.")
class BestAlternativeType:
    runner_up: AlternativeType | None = strawberry.field(description="Who would come next for the seat.")
    elsewhere: AlternativeType | None = strawberry.field(description="Where else the person would go.")
    sentence: str = strawberry.field(description="Both, for people; those whose name is not open go by a pseudonym.")


def best_alternative_of(proposal: Proposal) -> BestAlternativeType | None:
    """Null for what is pinned, excluded or from before alternatives were kept."""
    found: BestAlternativeType | None = batched(proposal, "alternatives", _alternatives, None)
    return found


def _alternatives(rows: list[Proposal]) -> dict[int, BestAlternativeType]:
    options = [one for row in rows for one in (row.alternatives or {}).values() if one]
    opportunities = _opportunities(
        {key for one in options for key in (one["opportunity"], one["at"]) if key is not None}
    )
    candidates = _candidates({one["candidate"] for one in options})
    titles = {pk: one.title for pk, one in opportunities.items()}
    names = {pk: pseudonym(one) for pk, one in candidates.items()}

    def shown(one: dict[str, Any] | None) -> AlternativeType | None:
        if one is None or one["opportunity"] not in opportunities or one["candidate"] not in candidates:
            return None
        return AlternativeType(
            opportunity=opportunities[one["opportunity"]],  # type: ignore[arg-type]
            candidate=candidates[one["candidate"]],  # type: ignore[arg-type]
            less=one["less"],
            loss=one["loss"],
            placed_at=opportunities.get(one["at"]),  # type: ignore[arg-type]
        )

    return {
        row.pk: BestAlternativeType(
            runner_up=shown(row.alternatives["runner_up"]),
            elsewhere=shown(row.alternatives["elsewhere"]),
            sentence=told_alternatives(row.alternatives).sentence(titles, names),
        )
        for row in rows
        if row.alternatives
    }


@strawberry.type(name="BindingCriterion", description="The criterion of a rule whose loosening would gain most.")
class BindingCriterionType:
    path: str = strawberry.field(description="Its place in the rule.")
    sentence: str = strawberry.field(description="The criterion, for people.")
    gain: int = strawberry.field(description="How many more would be eligible without it.")


@strawberry.type(name="Loosening", description="What one thing that gives way would bring.")
class LooseningType:
    of: CauseEnum = strawberry.field(description="What gives way; COMPETITION stands for more people.")
    by: BigInt = strawberry.field(
        description="By how much: hundredths of a euro an hour, hours a week, millionths of fit, seats or people."
    )
    people: int = strawberry.field(description="How many more could take these seats.")
    value: BigInt | None = strawberry.field(description="What the first of them would add to the total value at most.")
    sentence: str = strawberry.field(description="The same, for people.")


@strawberry.type(name="EmptySeats", description="Seats of one opportunity that stay empty for one cause.")
class EmptySeatsType:
    opportunity: OpportunityType = strawberry.field(description="Of which opportunity.")
    empty: int = strawberry.field(description="How many.")
    cause: CauseEnum = strawberry.field(description="Why.")
    sentence: str = strawberry.field(description="Why, for people.")
    competing: list[OpportunityType] = strawberry.field(
        description="The opportunities, this one among them, that compete for too few people, or are under the limit."
    )
    seats: int = strawberry.field(description="The open seats of those, or what the limit allows.")
    candidates: int = strawberry.field(description="The people who could take them.")
    loss: BigInt | None = strawberry.field(
        description=(
            "What filling the first one would take from the total value; null also where a stable plan is not the best."
        )
    )
    minimal: bool = strawberry.field(
        description="Whether no smaller set of opportunities that holds this one explains its empty seats, proven."
    )
    limited: OrganisationType | None = strawberry.field(description="Whose limit is used up, where that is the cause.")

    @strawberry.field(description="The criterion that keeps most people out, where that is the cause.")
    def criterion(root: strawberry.Parent[Any]) -> BindingCriterionType | None:
        return BindingCriterionType(**root.stored["criterion"]) if root.stored.get("criterion") else None

    @strawberry.field(description="What would have to give way to fill them, and what that brings.")
    def loosened(root: strawberry.Parent[Any]) -> list[LooseningType]:
        return [LooseningType(**one) for one in root.stored.get("loosened", ())]


@dataclass(frozen=True)
class Diagnosed:
    """A stored cause with the rows that it speaks of."""

    stored: dict[str, Any]
    opportunities: dict[int, Opportunity]
    organisations: dict[int, Organisation]

    @property
    def opportunity(self) -> Opportunity:
        return self.opportunities[self.stored["opportunity"]]

    @property
    def competing(self) -> list[Opportunity]:
        return [self.opportunities[key] for key in self.stored["opportunities"] if key in self.opportunities]

    @property
    def limited(self) -> Organisation | None:
        return self.organisations.get(self.stored.get("limit") or 0)

    @property
    def minimal(self) -> bool:
        return bool(self.stored.get("minimal", False))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.stored[name]
        except KeyError:
            raise AttributeError(name) from None


def diagnoses(rows: list[AllocationRun]) -> dict[int, list[Diagnosed]]:
    stored = [one for row in rows for one in row.diagnosis or ()]
    found = _opportunities({key for one in stored for key in (one["opportunity"], *one["opportunities"])})
    limited = {one["limit"] for one in stored if one.get("limit")}
    hiring = {one.pk: one for one in together(Organisation.objects.filter(pk__in=limited))} if limited else {}
    return {
        row.pk: [Diagnosed(one, found, hiring) for one in row.diagnosis or () if one["opportunity"] in found]
        for row in rows
    }


def _opportunities(keys: set[int]) -> dict[int, Opportunity]:
    return {one.pk: one for one in together(Opportunity.objects.filter(pk__in=keys))}


def _candidates(keys: set[int]) -> dict[int, Candidate]:
    return {one.pk: one for one in together(Candidate.objects.filter(pk__in=keys))}
