"""Placements, from their start to their end."""

from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.scopes import Scope
from marketplace.actions import placements
from marketplace.api.placements import PlacementType


@strawberry.input(description="Names a placement.")
class PlacementIdInput(Keyed):
    placement_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="The person has turned up.")
class StartPlacementInput(PlacementIdInput):
    pass


@strawberry.input(description="Interrupts a placement.")
class PausePlacementInput(PlacementIdInput):
    pass


@strawberry.input(description="Ends an interruption.")
class ResumePlacementInput(PlacementIdInput):
    pass


@strawberry.input(description="The placement ran its course.")
class CompletePlacementInput(PlacementIdInput):
    pass


@strawberry.input(description="Ends a placement before its time.")
class EndPlacementInput(PlacementIdInput):
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="Calls a placement off before it starts.")
class CancelPlacementInput(PlacementIdInput):
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="The person did not turn up.")
class ReportNoShowInput(PlacementIdInput):
    pass


def _named(info: Info, given: Any) -> dict[str, Any]:
    """What every action on a placement takes."""
    return {
        "actor": info.context.actor,
        "placement_id": public_id(given.placement_id, "Placement", field="placementId"),
        "now": info.context.now,
    }


@strawberry.type
class PlacementMutation:
    @mutation(PlacementType, "The person has turned up.", scope=Scope.PLACEMENTS)
    def start_placement(*, info: Info, input: StartPlacementInput) -> Any:
        return placements.start_placement(**_named(info, input))

    @mutation(PlacementType, "Interrupt a placement.", scope=Scope.PLACEMENTS)
    def pause_placement(*, info: Info, input: PausePlacementInput) -> Any:
        return placements.pause_placement(**_named(info, input))

    @mutation(PlacementType, "End an interruption.", scope=Scope.PLACEMENTS)
    def resume_placement(*, info: Info, input: ResumePlacementInput) -> Any:
        return placements.resume_placement(**_named(info, input))

    @mutation(PlacementType, "The placement ran its course; its seat is spent.", scope=Scope.PLACEMENTS)
    def complete_placement(*, info: Info, input: CompletePlacementInput) -> Any:
        return placements.complete_placement(**_named(info, input))

    @mutation(PlacementType, "End a placement before its time, from either side.", scope=Scope.PLACEMENTS)
    def end_placement(*, info: Info, input: EndPlacementInput) -> Any:
        return placements.end_placement(**_named(info, input), reason=input.reason)

    @mutation(PlacementType, "Call a placement off before it starts, from either side.", scope=Scope.PLACEMENTS)
    def cancel_placement(*, info: Info, input: CancelPlacementInput) -> Any:
        return placements.cancel_placement(**_named(info, input), reason=input.reason)

    @mutation(PlacementType, "Report that the person did not turn up.", scope=Scope.PLACEMENTS)
    def report_no_show(*, info: Info, input: ReportNoShowInput) -> Any:
        return placements.report_no_show(**_named(info, input))
