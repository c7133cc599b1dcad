"""Invitations and applications."""

from datetime import datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.fields import given, one
from accounts.api.nodes import Node, lazy, node_type
from accounts.api.peers import related, related_list
from accounts.api.scalars import JSON
from accounts.api.types import TransitionType, UserType, history_of
from marketplace.access import access_application, access_invitation
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import ApplicationSourceEnum, ApplicationStatusEnum, InvitationStateEnum, RejectionReason
from marketplace.api.opportunities import INSIDE, OpportunityRevisionType, OpportunityType
from marketplace.api.verdicts import VerdictType, stored_verdict
from marketplace.api.viewing import is_inside
from marketplace.core.workflow import OfferState
from marketplace.models import Application, Invitation


@node_type(
    Invitation,
    name="Invitation",
    description="An organisation asks a candidate to apply.",
    access=access_invitation,
)
class InvitationType(Node):
    opportunity = one("opportunity", OpportunityType, "To what.")
    candidate = one("candidate", CandidateType, "Whom.")
    message = given("message", str, "What was written.")
    state: InvitationStateEnum = strawberry.field(description="Where it stands.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")
    created_at: datetime = strawberry.field(description="When it was sent.")

    @strawberry.field(description="Who invited." + INSIDE)
    def invited_by(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        return related(root, "invited_by") if is_inside(info.context, root) else None

    @strawberry.field(description="The application it became.")
    def application(root: strawberry.Parent[Any]) -> "ApplicationType | None":
        return related(root, "application")


@node_type(
    Application,
    name="Application",
    description="A candidate's standing with an opportunity.",
    access=access_application,
)
class ApplicationType(Node):
    reference: str = strawberry.field(description="A short name to read out.")
    opportunity = one("opportunity", OpportunityType, "To what.")
    candidate = one("candidate", CandidateType, "Who.")
    revision = one("revision", OpportunityRevisionType, "The terms it was made under.")
    source: ApplicationSourceEnum = strawberry.field(description="How it came about.")
    status: ApplicationStatusEnum = strawberry.field(description="Where it stands.")
    stage: str = strawberry.field(description="The step of the opportunity's pipeline it is at.")
    answers: JSON = strawberry.field(description="The answers to the screening questions, by key.")
    preference_rank: int | None = strawberry.field(description="1: the candidate's first choice.")
    rejection_reason = given("rejection_reason", RejectionReason, "Why it was rejected, as the candidate reads it.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="What the organisation noted on the rejection." + INSIDE)
    def rejection_note(root: strawberry.Parent[Any], info: Info) -> str | None:
        return root.rejection_note or None if is_inside(info.context, root) else None

    @strawberry.field(description="Eligibility as judged on applying.")
    def verdict(root: strawberry.Parent[Any], info: Info) -> VerdictType | None:
        return stored_verdict(info.context, root)  # type: ignore[return-value]

    @strawberry.field(description="Its offers, newest first.")
    def offers(
        root: strawberry.Parent[Any],
    ) -> list[lazy("OfferType", "marketplace.api.offers")]:  # type: ignore[valid-type]
        return sorted(related_list(root, "offers"), key=lambda offer: -offer.pk)

    @strawberry.field(description="The offer that waits for an answer.")
    def live_offer(
        root: strawberry.Parent[Any],
    ) -> lazy("OfferType", "marketplace.api.offers") | None:  # type: ignore[valid-type]
        return next((offer for offer in related_list(root, "offers") if offer.state == OfferState.SENT), None)

    @strawberry.field(description="Every change of its status, oldest first." + INSIDE)
    def history(root: strawberry.Parent[Any], info: Info) -> list[TransitionType] | None:
        return history_of(root) if is_inside(info.context, root) else None  # type: ignore[return-value]
