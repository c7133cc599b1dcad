"""Reads about oneself, one's organisations, and any node."""

from typing import Annotated, Any

import strawberry

from accounts.access import access_organisation, organisations_of
from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, page
from accounts.api.context import Info
from accounts.api.nodes import Node, public_id, resolve_node
from accounts.api.peers import together
from accounts.api.types import MembershipType, OrganisationType, UserType
from accounts.errors import NotFound
from accounts.models import Membership

BY_NAME = Order("organisations", (Key("name"), Key("id")))


@strawberry.type(name="Viewer", description="The one who asks.")
class ViewerType:
    is_staff: bool = strawberry.field(description="Whether they belong to Muster's own staff.")

    @strawberry.field(description="Their login; null for somebody who has not logged in.")
    def user(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        return info.context.user  # type: ignore[return-value]

    @strawberry.field(description="The organisations they belong to, and as what.")
    def memberships(root: strawberry.Parent[Any], info: Info) -> list[MembershipType]:
        user_id = info.context.actor.user_id
        if user_id is None:
            return []
        return together(Membership.objects.filter(user_id=user_id).order_by("id"))  # type: ignore[return-value]


@strawberry.type
class AccountsQuery:
    @strawberry.field(description="You.")
    def viewer(self, info: Info) -> ViewerType:
        return ViewerType(is_staff=info.context.actor.is_staff)

    @strawberry.field(description="Anything by its id; null where there is none, or none that you may see.")
    def node(self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> Node | None:
        return resolve_node(info.context, id)

    @strawberry.field(description="An organisation that you belong to; staff see all.")
    def organisation(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> OrganisationType | None:
        try:
            return access_organisation(info.context.actor, public_id(id, "Organisation"))  # type: ignore[return-value]
        except NotFound:
            return None

    @strawberry.field(description="The organisations that you belong to; all for staff. By name.")
    def organisations(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[OrganisationType]:
        return page(organisations_of(info.context.actor, "read"), first=first, after=after, order=BY_NAME)
