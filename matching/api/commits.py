"""What became of the proposals of a run when they were committed."""

from typing import Any

import strawberry

from accounts.api.refusals import RefusalCode


@strawberry.type(name="DroppedProposals", description="Proposals that commits dropped for one cause.")
class DroppedType:
    message: str = strawberry.field(description="The cause, for people, as the first of them was told.")
    proposals: int = strawberry.field(description="How many.")

    @strawberry.field(description="The cause, for programs.")
    def code(root: strawberry.Parent[Any]) -> RefusalCode:
        return RefusalCode(root.code)


@strawberry.type(name="CommitReport", description="What became of a run's proposals when they were committed.")
class CommitReportType:
    sent: int = strawberry.field(description="Became offers.")
    dropped: int = strawberry.field(description="No longer held when they were checked against the truth.")
    open: int = strawberry.field(description="Wait to be committed: while the run is PLANNED they still can be.")
    causes: list[DroppedType] = strawberry.field(description="Why commits dropped proposals, the most frequent first.")


def code_of(proposal: Any) -> Any:
    """Null where no commit dropped it."""
    return RefusalCode(proposal.code) if proposal.code else None
