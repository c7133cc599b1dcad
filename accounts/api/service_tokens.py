"""Service tokens: by which programs of an organisation use this API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry

from accounts.access import access_service_token
from accounts.actions import service_tokens
from accounts.api.context import Info
from accounts.api.enums import described
from accounts.api.fields import one
from accounts.api.inputs import plain
from accounts.api.nodes import Node, node_type, public_id, row_type
from accounts.api.peers import together
from accounts.api.refusals import Keyed, mutation
from accounts.api.types import OrganisationType, UserType
from accounts.core.scopes import Scope
from accounts.errors import SecretIsShownOnce
from accounts.models import ServiceToken

ServiceTokenScope = described(
    Scope,
    "ServiceTokenScope",
    "What a service token may do, besides reading what its organisation may read.",
    {
        "opportunities": "Draft, change, publish, pause and close opportunities, and say who may be considered.",
        "applications": "Invite people, move and reject applications.",
        "offers": "Send, prolong and withdraw offers.",
        "placements": "Start, pause and end placements.",
        "allocation": "Plan and commit allocations, open calls and backfilling, which sends offers.",
    },
)


@node_type(
    ServiceToken,
    name="ServiceToken",
    description="A program's way in: it acts for one organisation, within its scopes. For owners.",
    access=access_service_token,
)
class ServiceTokenType(Node):
    name: str = strawberry.field(description="What it is for; unique among those that are not revoked.")
    hint: str = strawberry.field(description="How its secret begins, to recognise it by.")
    scopes: list[ServiceTokenScope] = strawberry.field(description="What it may do; none: it only reads.")  # type: ignore[valid-type]
    organisation = one("organisation", OrganisationType, "For which organisation.")
    user = one("user", UserType, "The user under whose name it acts.")
    created_by = one("created_by", UserType, "Who made it; null for somebody who is gone.", optional=True)
    created_at: datetime = strawberry.field(description="Since when.")
    expires_at: datetime = strawberry.field(description="Until when.")
    last_used_at: datetime | None = strawberry.field(description="When it was used last, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="Since when it opens nothing.")


@dataclass
class Created:
    service_token: ServiceToken
    secret: str


@row_type(Created, name="CreatedServiceToken", description="A new service token, and its secret.")
class CreatedServiceTokenType:
    service_token: ServiceTokenType = strawberry.field(description="The token.")
    secret: str = strawberry.field(
        description="What to send as `Authorization: Bearer`. It is shown this once and kept nowhere."
    )


@strawberry.input(description="Makes a service token.")
class CreateServiceTokenInput(Keyed):
    organisation_id: strawberry.ID = strawberry.field(description="For which organisation.")
    name: str = strawberry.field(description="What it is for.")
    scopes: list[ServiceTokenScope] = strawberry.field(description="What it may do; none: it only reads.")  # type: ignore[valid-type]
    expires_at: datetime | None = strawberry.field(
        default=None, description="Until when, at most a year from now; 90 days if null."
    )


@strawberry.input(description="Revokes a service token.")
class RevokeServiceTokenInput(Keyed):
    id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.type
class ServiceTokenMutation:
    @mutation(CreatedServiceTokenType, "Make a service token. For owners. It takes no idempotency key.")
    def create_service_token(*, info: Info, input: CreateServiceTokenInput) -> Any:
        if input.idempotency_key is not None:
            raise SecretIsShownOnce  # answers under a key are kept for a day
        token, secret = service_tokens.create_service_token(
            actor=info.context.actor,
            organisation_id=public_id(input.organisation_id, "Organisation", field="organisationId"),
            name=input.name,
            scopes=plain(input.scopes),
            expires_at=input.expires_at,
            now=info.context.now,
        )
        return Created(together([token])[0], secret)

    @mutation(ServiceTokenType, "Revoke a service token: it opens nothing from now on. For owners.")
    def revoke_service_token(*, info: Info, input: RevokeServiceTokenInput) -> Any:
        return service_tokens.revoke_service_token(
            actor=info.context.actor, token_id=public_id(input.id, "ServiceToken"), now=info.context.now
        )
