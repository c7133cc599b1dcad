"""Users, organisations, memberships, and the history of rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from django.db.models import Model, Q

from accounts.access import access_organisation, organisations_of
from accounts.api.context import Info
from accounts.api.enums import described
from accounts.api.fields import given, one
from accounts.api.nodes import Node, lazy, node_type, row_type
from accounts.api.peers import batched, related, together
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotFound
from accounts.models import Membership, Organisation, ServiceToken, Transition, User

ActorKindEnum = described(
    ActorKind,
    "ActorKind",
    "In which capacity somebody acted.",
    {
        "candidate": "The person it is about.",
        "member": "An owner or recruiter of the organisation.",
        "staff": "Muster's own operations staff.",
        "system": "A timer or a batch.",
    },
)
MembershipRole = described(
    Membership.Role,
    "MembershipRole",
    "What a member may do.",
    {
        "owner": "Recruits, and manages the members.",
        "recruiter": "Recruits.",
        "observer": "Reads.",
    },
)


def _access_user(actor: Actor, user_id: UUID) -> User:
    """Oneself and the members of one's organisations; all for staff."""
    if actor.user_id is None:
        raise NotFound("user")
    users = User.objects.filter(public_id=user_id)
    if not actor.is_staff:
        mine = Membership.objects.filter(user_id=actor.user_id).values("organisation_id")
        users = users.filter(Q(pk=actor.user_id) | Q(memberships__organisation_id__in=mine))
    user = users.first()
    if user is None:
        raise NotFound("user")
    return user


def _access_membership(actor: Actor, membership_id: UUID) -> Membership:
    membership = Membership.objects.filter(
        public_id=membership_id, organisation__in=organisations_of(actor, "read")
    ).first()
    if membership is None:
        raise NotFound("membership")
    return membership


@node_type(User, name="User", description="Somebody who can log in.", access=_access_user)
class UserType(Node):
    email: str = strawberry.field(description="The address they log in with.")

    @strawberry.field(
        description="Their name, where they gave one; null while they have not accepted that you made them a member."
    )
    def name(root: strawberry.Parent[Any], info: Info) -> str | None:
        asks = info.context.actor
        if asks.is_staff or root.pk == asks.user_id:
            return root.name or None

        def load(rows: list[User]) -> dict[int, bool]:
            """Whether they are called something: not where all that the two have in common was never accepted."""
            shared = Membership.objects.filter(user__in=rows, organisation__in=organisations_of(asks, "read"))
            joined: dict[int, bool] = {}
            for user_id, joined_at in shared.values_list("user_id", "joined_at"):
                joined[user_id] = joined.get(user_id, False) or joined_at is not None
            return joined

        return root.name or None if batched(root, "is_named", load, True) else None

    is_service: bool = strawberry.field(
        description="Whether it is a program of an organisation: a service token's user."
    )


@node_type(
    Organisation,
    name="Organisation",
    description="Who posts opportunities and hires. What it is called and where it sits is public.",
    access=access_organisation,
)
class OrganisationType(Node):
    name: str = strawberry.field(description="Its name.")
    slug: str = strawberry.field(description="Its name in addresses: lower case, unique.")
    website = given("website", str, "Its web address.")
    country = given("country", str, "ISO 3166-1 alpha-2 code of where it sits.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency it thinks in.")

    @strawberry.field(description="Its members, oldest first; null unless you are one of them or staff.")
    def members(root: strawberry.Parent[Any], info: Info) -> list[lazy("MembershipType", "accounts.api.types")] | None:  # type: ignore[valid-type]
        if not info.context.reads(root.pk):
            return None

        def load(rows: list[Organisation]) -> dict[int, list[Membership]]:
            found: dict[int, list[Membership]] = {}
            for member in together(Membership.objects.filter(organisation__in=rows).order_by("id")):
                found.setdefault(member.organisation_id, []).append(member)
            return found

        return batched(root, "members", load, [])

    @strawberry.field(
        description="Its service tokens, oldest first, revoked ones too; null unless you own it or are staff."
    )
    def service_tokens(
        root: strawberry.Parent[Any], info: Info
    ) -> list[lazy("ServiceTokenType", "accounts.api.service_tokens")] | None:  # type: ignore[valid-type]
        if not info.context.owns(root.pk):
            return None

        def load(rows: list[Organisation]) -> dict[int, list[ServiceToken]]:
            found: dict[int, list[ServiceToken]] = {}
            for token in together(ServiceToken.objects.filter(organisation__in=rows).order_by("id")):
                found.setdefault(token.organisation_id, []).append(token)
            return found

        return batched(root, "service_tokens", load, [])

    @strawberry.field(description="Your role in it; null if you are no member.")
    def viewer_role(root: strawberry.Parent[Any], info: Info) -> MembershipRole | None:  # type: ignore[valid-type]
        user_id = info.context.actor.user_id
        if user_id is None:
            return None

        def roles() -> dict[int, str]:
            return dict(Membership.objects.filter(user_id=user_id).values_list("organisation_id", "role"))

        return info.context.remembered("roles", roles).get(root.pk)


@node_type(
    Membership,
    name="Membership",
    description="A person's role in an organisation.",
    access=_access_membership,
)
class MembershipType(Node):
    role: MembershipRole = strawberry.field(description="What they may do.")  # type: ignore[valid-type]
    user = one("user", UserType, "Who.")
    organisation = one("organisation", OrganisationType, "Where.")
    created_at: datetime = strawberry.field(description="Since when.")
    joined_at: datetime | None = strawberry.field(
        description="When they accepted it; null until then: they may do what they may, and stay nameless."
    )


@row_type(Transition, name="Transition", description="One change of state, as logged.")
class TransitionType:
    from_state: str = strawberry.field(description="The state before.")
    to_state: str = strawberry.field(description="The state after.")
    action: str = strawberry.field(description="The move, by its name in the state machine.")
    actor_kind: ActorKindEnum = strawberry.field(description="In which capacity.")  # type: ignore[valid-type]
    reason = given("reason", str, "Why, where somebody said.")
    at: datetime = strawberry.field(description="When.")

    @strawberry.field(
        description=(
            "Who made it, where that was a member of the organisation or yourself; staff see everybody. Null for the"
            " rest: a candidate's login would tell a name and an address that may not be open."
        )
    )
    def actor(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        asks = info.context.actor
        if asks.is_staff or root.actor_kind == ActorKind.MEMBER or root.actor_id == asks.user_id:
            return related(root, "actor")
        return None


def history_of(row: Model) -> list[Transition]:
    """Every change of a row's state, oldest first; for all its peers in one statement."""

    def load(rows: list[Model]) -> dict[int, list[Transition]]:
        found: dict[int, list[Transition]] = {}
        name = row._meta.model_name
        for step in together(
            Transition.objects.filter(subject_type=name, subject_id__in=[each.pk for each in rows]).order_by("id")
        ):
            found.setdefault(step.subject_id, []).append(step)
        return found

    return batched(row, "history", load, [])
