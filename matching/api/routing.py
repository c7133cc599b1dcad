"""Sending somebody at once to where they are worth most."""

from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.api.refusals import Keyed, mutation
from accounts.api.scalars import BigInt
from accounts.core.scopes import Scope
from marketplace.api.candidates import CandidateType
from marketplace.api.offers import OfferType
from marketplace.api.opportunities import OpportunityType
from matching.actions import routing
from matching.api.allocation import AllocationRunType, ProposalType
from matching.api.enums import BackfillPolicyEnum
from matching.models import AllocationRun, Proposal


@strawberry.type(name="RouteOption", description="An opportunity with an open seat that a person could be offered.")
class RouteOptionType:
    opportunity: OpportunityType = strawberry.field(description="Which.")
    value: BigInt = strawberry.field(description="What the pair is worth, under the run's policy.")
    price: BigInt = strawberry.field(
        description="What a seat there is worth to others, by the last run; 0 where it did not know the opportunity."
    )
    margin: BigInt = strawberry.field(description="Value less price.")


@strawberry.type(name="Routing", description="Where a person goes who became available between two runs.")
class RoutingType:
    candidate: CandidateType = strawberry.field(description="Who.")
    chosen: RouteOptionType | None = strawberry.field(
        description="Where to; null where nothing is open to them, or nothing is worth its price."
    )
    options: list[RouteOptionType] = strawberry.field(description="The best of what is open to them, best first.")
    prices_of: AllocationRunType = strawberry.field(description="The run whose prices count.")
    policy: BackfillPolicyEnum | None = strawberry.field(
        description="What the opportunity wants: AUTOMATIC sends the offer, PROPOSE proposes it, the others only tell."
    )
    proposal: ProposalType | None = strawberry.field(description="What was proposed, and what became of it.")
    offer: OfferType | None = strawberry.field(description="The offer, where one was sent.")


@strawberry.input(description="Sends somebody to where they are worth most beyond the price of a seat.")
class RouteCandidateInput(Keyed):
    candidate_id: strawberry.ID = strawberry.field(description="Whom.")
    organisation_id: strawberry.ID | None = strawberry.field(
        default=None, description="To whose opportunities; the whole market's, for staff, if null."
    )


@strawberry.type
class RoutingMutation:
    @mutation(
        RoutingType,
        "Send a newly available candidate at once to where they are worth most beyond the price of a seat, as the last"
        " run has it. The opportunity's backfill policy says whether the offer goes out.",
        scope=Scope.ALLOCATION,
    )
    def route_candidate(*, info: Info, input: RouteCandidateInput) -> Any:
        organisation = input.organisation_id
        routed = routing.route_candidate(
            actor=info.context.actor,
            candidate_id=public_id(input.candidate_id, "Candidate", field="candidateId"),
            organisation_id=public_id(organisation, "Organisation", field="organisationId") if organisation else None,
            now=info.context.now,
        )
        together([one.opportunity for one in routed.options])
        proposal = Proposal.objects.filter(pk=routed.proposal.pk).first() if routed.proposal else None
        return RoutingType(
            candidate=together([routed.candidate])[0],  # type: ignore[arg-type]
            chosen=_option(routed.chosen) if routed.chosen else None,
            options=[_option(one) for one in routed.options],
            prices_of=together([AllocationRun.objects.defer("snapshot", "solution").get(pk=routed.prices_of.pk)])[0],  # type: ignore[arg-type]
            policy=BackfillPolicyEnum(routed.policy.value) if routed.policy else None,
            proposal=together([proposal])[0] if proposal else None,  # type: ignore[arg-type]
            offer=together([routed.offer])[0] if routed.offer else None,  # type: ignore[arg-type]
        )


def _option(one: routing.Option) -> RouteOptionType:
    return RouteOptionType(
        opportunity=one.opportunity,  # type: ignore[arg-type]
        value=one.value,  # type: ignore[arg-type]
        price=one.price,  # type: ignore[arg-type]
        margin=one.margin,  # type: ignore[arg-type]
    )
