"""Sending offers and answering them."""

from datetime import date, datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.scopes import Scope
from marketplace.actions import offers
from marketplace.api.enums import OfferKind
from marketplace.api.mutations.candidates import PayInput, pay_of
from marketplace.api.offers import OfferType


@strawberry.input(description="Puts exact terms to an applicant.")
class SendOfferInput(Keyed):
    application_id: strawberry.ID = strawberry.field(description="On which application.")
    kind: OfferKind = strawberry.field(default=OfferKind.RESERVED, description="Whether it keeps a seat.")
    pay: PayInput = strawberry.field(description="What is paid.")
    weekly_hours: int | None = strawberry.field(default=None, description="Hours a week; the opportunity's if null.")
    starts_on: date | None = strawberry.field(default=None, description="The first day; the opportunity's if null.")
    ends_on: date | None = strawberry.field(default=None, description="The last day; the opportunity's if null.")
    expires_at: datetime | None = strawberry.field(default=None, description="Until when; for 72 hours if null.")
    message: str | None = strawberry.field(default=None, description="What to write.")


@strawberry.input(description="Names an offer.")
class OfferIdInput(Keyed):
    offer_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Gives the candidate more time.")
class ProlongOfferInput(OfferIdInput):
    expires_at: datetime = strawberry.field(description="Until when.")


@strawberry.input(description="Takes an offer back.")
class WithdrawOfferInput(OfferIdInput):
    reason: str | None = strawberry.field(default=None, description="Why, for the record.")


@strawberry.input(description="Accepts an offer.")
class AcceptOfferInput(OfferIdInput):
    pass


@strawberry.input(description="Declines an offer; the application is withdrawn with it.")
class DeclineOfferInput(OfferIdInput):
    reason: str | None = strawberry.field(default=None, description="Why, as the organisation reads it.")


def _named(info: Info, given: Any) -> dict[str, Any]:
    """What every action on an offer takes."""
    return {
        "actor": info.context.actor,
        "offer_id": public_id(given.offer_id, "Offer", field="offerId"),
        "now": info.context.now,
    }


@strawberry.type
class OfferMutation:
    @mutation(OfferType, "Put exact terms to an applicant.", scope=Scope.OFFERS)
    def send_offer(*, info: Info, input: SendOfferInput) -> Any:
        return offers.send_offer(
            actor=info.context.actor,
            application_id=public_id(input.application_id, "Application", field="applicationId"),
            kind=input.kind.value,
            pay=pay_of(input.pay),
            weekly_hours=input.weekly_hours,
            starts_on=input.starts_on,
            ends_on=input.ends_on,
            expires_at=input.expires_at,
            message=input.message or "",
            now=info.context.now,
        )

    @mutation(OfferType, "Give the candidate more time.", scope=Scope.OFFERS)
    def prolong_offer(*, info: Info, input: ProlongOfferInput) -> Any:
        return offers.prolong_offer(**_named(info, input), expires_at=input.expires_at)

    @mutation(OfferType, "Take an offer back; the application stays at its stage.", scope=Scope.OFFERS)
    def withdraw_offer(*, info: Info, input: WithdrawOfferInput) -> Any:
        return offers.withdraw_offer(**_named(info, input), reason=input.reason or "")

    @mutation(
        OfferType, "Take an offer. An open call whose seats have gone comes back overtaken, with a place in line."
    )
    def accept_offer(*, info: Info, input: AcceptOfferInput) -> Any:
        return offers.accept_offer(**_named(info, input))

    @mutation(OfferType, "Turn an offer down.")
    def decline_offer(*, info: Info, input: DeclineOfferInput) -> Any:
        return offers.decline_offer(**_named(info, input), reason=input.reason or "")
