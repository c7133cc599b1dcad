"""How runs offer: open calls and waves; how large an open call would be, and sending one."""

from typing import Annotated, Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.scopes import Scope
from matching.actions import allocation
from matching.api.allocation import AllocationRunType
from matching.api.waves import WaveInput, written_waves

LIMIT = "The chance, in millionths, of more acceptances than seats: from 0 to 1000000."


@strawberry.type(name="OpenCallSize", description="What an open call for an opportunity could be now.")
class OpenCallSizeType:
    offers: int = strawberry.field(description="How many more may be asked at once.")
    seats: int = strawberry.field(description="Open seats.")
    outstanding: int = strawberry.field(description="Open calls for them that wait for an answer already.")
    overrun: float = strawberry.field(description="The chance that more accept than there are seats then, from 0 to 1.")
    expected: float = strawberry.field(description="How many of the seats are filled then, on average.")


@strawberry.input(description="Asks more people than there are seats; whoever accepts first gets one.")
class SendOpenCallInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="For which opportunity.")
    overbooking_ppm: int = strawberry.field(description=LIMIT)
    expire_hours: int = strawberry.field(default=72, description="How long the offers wait for an answer.")
    waves: list[WaveInput] | None = strawberry.field(
        default=None, description="Who is asked first, and how long they have; all at once if null."
    )


@strawberry.type
class OfferingQuery:
    @strawberry.field(description="How many to ask at once for an opportunity's open seats. For its organisation.")
    def open_call_size(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")],
        overbooking_ppm: Annotated[int, strawberry.argument(description=LIMIT)],
    ) -> OpenCallSizeType:
        uuid = public_id(opportunity, "Opportunity", field="opportunity")
        call = allocation.size_open_call(
            actor=info.context.actor, opportunity_id=uuid, overbooking_ppm=overbooking_ppm, now=info.context.now
        )
        return OpenCallSizeType(
            offers=call.size.offers,
            seats=call.seats,
            outstanding=call.outstanding,
            overrun=call.size.overrun_ppm / 1_000_000,
            expected=call.size.expected_ppm / 1_000_000,
        )


@strawberry.type
class OfferingMutation:
    @mutation(
        AllocationRunType,
        "Ask those who are worth most, more of them than there are seats. A run plans it and sends it by itself.",
        scope=Scope.ALLOCATION,
    )
    def send_open_call(*, info: Info, input: SendOpenCallInput) -> Any:
        return allocation.send_open_call(
            actor=info.context.actor,
            opportunity_id=public_id(input.opportunity_id, "Opportunity", field="opportunityId"),
            overbooking_ppm=input.overbooking_ppm,
            offers_expire_hours=input.expire_hours,
            waves=written_waves(input.waves),
            now=info.context.now,
        )
