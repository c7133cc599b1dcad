"""Founding organisations and inviting members."""

from typing import Any

import strawberry

from accounts.actions import organisations
from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.api.types import MembershipRole, MembershipType, OrganisationType


@strawberry.input(description="Founds an organisation; whoever does becomes its owner.")
class CreateOrganisationInput(Keyed):
    name: str = strawberry.field(description="Its name.")
    slug: str | None = strawberry.field(default=None, description="Its name in addresses; made from the name if null.")
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 alpha-2 code of where it sits.")
    currency: str = strawberry.field(default="EUR", description="ISO 4217 code of the currency it thinks in.")
    website: str | None = strawberry.field(default=None, description="Its web address.")


@strawberry.input(description="Gives a person a role in an organisation.")
class InviteMemberInput(Keyed):
    organisation_id: strawberry.ID = strawberry.field(description="Where.")
    email: str = strawberry.field(
        description="Who. Somebody without a login gets one; somebody with one stays nameless until they accept."
    )
    role: MembershipRole = strawberry.field(description="As what.")


@strawberry.input(description="Says that one is a member.")
class AcceptMembershipInput(Keyed):
    membership_id: strawberry.ID = strawberry.field(description="One of your own.")


@strawberry.type
class AccountsMutation:
    @mutation(OrganisationType, "Found an organisation.")
    def create_organisation(*, info: Info, input: CreateOrganisationInput) -> Any:
        return organisations.create_organisation(
            actor=info.context.actor,
            name=input.name,
            slug=input.slug,
            country=input.country or "",
            currency=input.currency,
            website=input.website or "",
            now=info.context.now,
        )

    @mutation(MembershipType, "Give a person a role. For owners.")
    def invite_member(*, info: Info, input: InviteMemberInput) -> Any:
        return organisations.invite_member(
            actor=info.context.actor,
            organisation_id=public_id(input.organisation_id, "Organisation", field="organisationId"),
            email=input.email,
            role=input.role.value,
            now=info.context.now,
        )

    @mutation(
        MembershipType, "Say that you are a member, to an organisation that has made you one: it learns your name."
    )
    def accept_membership(*, info: Info, input: AcceptMembershipInput) -> Any:
        return organisations.accept_membership(
            actor=info.context.actor,
            membership_id=public_id(input.membership_id, "Membership", field="membershipId"),
            now=info.context.now,
        )
