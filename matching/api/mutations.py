"""Planning, settling and committing allocations."""

from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.scopes import Scope
from accounts.errors import InvalidInput
from matching.actions import allocation
from matching.api.allocation import AllocationRunType, ProposalType
from matching.api.run_policy import PolicyInput, written_policy
from matching.api.saved_search_mutations import SavedSearchMutation
from matching.api.waves import WaveInput, written_waves

MOST_AT_ONCE = 1000


@strawberry.input(description="Plans an allocation of open seats.")
class PlanAllocationInput(Keyed):
    organisation_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose seats; the whole market's, for staff, if null."
    )
    opportunity_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only of these opportunities; all open ones if null."
    )
    policy: PolicyInput | None = strawberry.field(default=None, description="What it is to keep to.")
    previous_run_id: strawberry.ID | None = strawberry.field(
        default=None, description="The run whose pins and exclusions carry over."
    )
    offers_expire_hours: int = strawberry.field(
        default=72, description="How long offers wait for an answer; with waves, each has its own hours."
    )
    overbooking_ppm: int | None = strawberry.field(
        default=None,
        description=(
            "Makes its offers open calls: as many as keep the chance of more acceptances than seats, in millionths, at"
            " most there. If null, each offer holds a seat."
        ),
    )
    waves: list[WaveInput] | None = strawberry.field(
        default=None,
        description="Who is asked first, and how long they have; what is open then is planned for the next, and sent.",
    )


@strawberry.input(description="Names a proposal.")
class ProposalIdInput(Keyed):
    proposal_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Insists on a proposal.")
class PinProposalInput(ProposalIdInput):
    pass


@strawberry.input(description="Rules a proposal out.")
class ExcludeProposalInput(ProposalIdInput):
    pass


@strawberry.input(description="Sends the offers of a plan.")
class CommitAllocationInput(Keyed):
    run_id: strawberry.ID = strawberry.field(description="Which.")
    proposal_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only of these proposals; of all proposed and pinned ones if null."
    )


@strawberry.input(description="Lays a plan aside.")
class DiscardAllocationInput(Keyed):
    run_id: strawberry.ID = strawberry.field(description="Which.")


def _ids(given: list[strawberry.ID] | None, kind: str, field: str) -> list[Any] | None:
    if given is None:
        return None
    if len(given) > MOST_AT_ONCE:
        raise InvalidInput(field, f"must be at most {MOST_AT_ONCE}")
    return [public_id(one, kind, field=f"{field}[{at}]") for at, one in enumerate(given)]


@strawberry.type
class MatchingMutation(SavedSearchMutation):
    @mutation(
        AllocationRunType,
        "Plan who gets which open seat. A worker solves it; look at the run until it is PLANNED.",
        scope=Scope.ALLOCATION,
    )
    def plan_allocation(*, info: Info, input: PlanAllocationInput) -> Any:
        organisation, previous = input.organisation_id, input.previous_run_id
        with written_policy(input.policy, info.context.actor) as policy:
            return allocation.plan_allocation(
                actor=info.context.actor,
                organisation_id=(
                    public_id(organisation, "Organisation", field="organisationId") if organisation else None
                ),
                opportunity_ids=_ids(input.opportunity_ids, "Opportunity", "opportunityIds") or (),
                policy=policy,
                previous_run_id=public_id(previous, "AllocationRun", field="previousRunId") if previous else None,
                offers_expire_hours=input.offers_expire_hours,
                overbooking_ppm=input.overbooking_ppm,
                waves=written_waves(input.waves),
                now=info.context.now,
            )

    @mutation(ProposalType, "Insist on a proposal: the next plan keeps it.", scope=Scope.ALLOCATION)
    def pin_proposal(*, info: Info, input: PinProposalInput) -> Any:
        return allocation.pin_proposal(
            actor=info.context.actor,
            proposal_id=public_id(input.proposal_id, "Proposal", field="proposalId"),
            now=info.context.now,
        )

    @mutation(
        ProposalType, "Rule a proposal out: it is not committed, and the next plan avoids it.", scope=Scope.ALLOCATION
    )
    def exclude_proposal(*, info: Info, input: ExcludeProposalInput) -> Any:
        return allocation.exclude_proposal(
            actor=info.context.actor,
            proposal_id=public_id(input.proposal_id, "Proposal", field="proposalId"),
            now=info.context.now,
        )

    @mutation(
        AllocationRunType,
        "Send the offers of a plan, all or a part. Each pair is judged anew; what fails is dropped, and the report"
        " says why. After a part the run stays PLANNED for the rest.",
        scope=Scope.ALLOCATION,
    )
    def commit_allocation(*, info: Info, input: CommitAllocationInput) -> Any:
        return allocation.commit_allocation(
            actor=info.context.actor,
            run_id=public_id(input.run_id, "AllocationRun", field="runId"),
            proposal_ids=_ids(input.proposal_ids, "Proposal", "proposalIds"),
            now=info.context.now,
        )

    @mutation(AllocationRunType, "Lay a plan aside.", scope=Scope.ALLOCATION)
    def discard_allocation(*, info: Info, input: DiscardAllocationInput) -> Any:
        return allocation.discard_allocation(
            actor=info.context.actor,
            run_id=public_id(input.run_id, "AllocationRun", field="runId"),
            now=info.context.now,
        )
