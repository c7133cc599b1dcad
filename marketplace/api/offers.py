"""Offers, and the line of those who came too late for one."""

from datetime import date, datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.fields import given, one
from accounts.api.nodes import Node, lazy, node_type
from accounts.api.peers import batched, related, together
from accounts.api.types import TransitionType, UserType, history_of
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.access import access_application, access_offer
from marketplace.api.applications import ApplicationType
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import OfferKind, OfferStateEnum
from marketplace.api.money import PayType
from marketplace.api.opportunities import INSIDE, OpportunityRevisionType, OpportunityType
from marketplace.api.viewing import is_inside
from marketplace.core.money import Pay
from marketplace.core.workflow import OfferState
from marketplace.models import Offer, WaitlistEntry


def _access_entry(actor: Actor, entry_id: Any) -> WaitlistEntry:
    entry = WaitlistEntry.objects.select_related("application").filter(public_id=entry_id).first()
    if entry is None:
        raise NotFound("waitlist entry")
    access_application(actor, entry.application.public_id)
    return entry


@node_type(
    WaitlistEntry,
    name="WaitlistEntry",
    description="A place in the line for a seat that comes free.",
    access=_access_entry,
)
class WaitlistEntryType(Node):
    opportunity = one("opportunity", OpportunityType, "For what.")
    candidate = one("candidate", CandidateType, "Who waits.")
    application = one("application", ApplicationType, "With which application.")
    priority: int = strawberry.field(description="Lower ones are served first, then those who wait longer.")
    since: datetime = strawberry.field(description="Since when.")


@node_type(Offer, name="Offer", description="Exact terms put to an applicant.", access=access_offer)
class OfferType(Node):
    reference: str = strawberry.field(description="A short name to read out.")
    opportunity = one("opportunity", OpportunityType, "Of what.")
    candidate = one("candidate", CandidateType, "To whom.")
    application = one("application", ApplicationType, "On which application.")
    revision = one("revision", OpportunityRevisionType, "The terms it was made under.")
    kind: OfferKind = strawberry.field(description="Whether it keeps a seat.")
    state: OfferStateEnum = strawberry.field(description="Where it stands.")
    weekly_hours: int = strawberry.field(description="Hours a week.")
    starts_on: date = strawberry.field(description="The first day of work.")
    ends_on: date | None = strawberry.field(description="The last day of work.")
    message = given("message", str, "What was written.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")
    decline_reason = given("decline_reason", str, "Why it was declined, where the candidate said.")
    created_at: datetime = strawberry.field(description="When it was sent.")
    answered_at: datetime | None = strawberry.field(description="When it was answered or ended.")
    placement = one(
        "placement", lazy("PlacementType", "marketplace.api.placements"), "The placement it became.", optional=True
    )

    @strawberry.field(description="What is paid.")
    def pay(root: strawberry.Parent[Any]) -> PayType:
        return Pay(root.pay_amount, root.pay_currency, root.pay_period)  # type: ignore[return-value]

    @strawberry.field(description="Who sent it; null for the system." + INSIDE)
    def sent_by(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        return related(root, "sent_by") if is_inside(info.context, root) else None

    @strawberry.field(description="The place in the line that an overtaken offer gave.")
    def waitlist_entry(root: strawberry.Parent[Any]) -> WaitlistEntryType | None:
        def load(rows: list[Offer]) -> dict[int, Any]:
            late = {row.application_id: row.pk for row in rows if row.state == OfferState.OVERTAKEN}
            entries = together(WaitlistEntry.objects.filter(application_id__in=late))
            return {late[entry.application_id]: entry for entry in entries}

        return batched(root, "waitlist", load, None)

    @strawberry.field(description="Every change of its state, oldest first." + INSIDE)
    def history(root: strawberry.Parent[Any], info: Info) -> list[TransitionType] | None:
        return history_of(root) if is_inside(info.context, root) else None  # type: ignore[return-value]
