"""Placements and their dated terms."""

from datetime import date, datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.fields import given, many, one
from accounts.api.nodes import Node, node_type, row_type
from accounts.api.types import TransitionType, history_of
from marketplace.access import access_placement
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import PlacementStateEnum
from marketplace.api.money import PayType
from marketplace.api.offers import OfferType
from marketplace.api.opportunities import INSIDE, OpportunityType
from marketplace.api.viewing import is_inside
from marketplace.core.money import Pay
from marketplace.models import Placement, PlacementTerms


@row_type(PlacementTerms, name="PlacementTerms", description="Hours and pay from a day on.")
class PlacementTermsType:
    weekly_hours: int = strawberry.field(description="Hours a week.")
    from_on: date = strawberry.field(description="The first day on which they hold.")

    @strawberry.field(description="What is paid.")
    def pay(root: strawberry.Parent[Any]) -> PayType:
        return Pay(root.pay_amount, root.pay_currency, root.pay_period)  # type: ignore[return-value]


@node_type(Placement, name="Placement", description="An accepted offer at work, to its end.", access=access_placement)
class PlacementType(Node):
    reference: str = strawberry.field(description="A short name to read out.")
    opportunity = one("opportunity", OpportunityType, "In what.")
    candidate = one("candidate", CandidateType, "Who.")
    offer = one("offer", OfferType, "The offer that was accepted.")
    state: PlacementStateEnum = strawberry.field(description="Where it stands.")
    weekly_hours: int = strawberry.field(description="Hours a week of the terms in force.")
    starts_on: date = strawberry.field(description="The first day of work.")
    ends_on: date | None = strawberry.field(description="The last day of work, as agreed.")
    terms = many("terms", PlacementTermsType, "All terms, latest first.")
    end_reason = given("end_reason", str, "Why it ended before its time.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    created_at: datetime = strawberry.field(description="When the offer was accepted.")

    @strawberry.field(description="Every change of its state, oldest first." + INSIDE)
    def history(root: strawberry.Parent[Any], info: Info) -> list[TransitionType] | None:
        return history_of(root) if is_inside(info.context, root) else None  # type: ignore[return-value]
