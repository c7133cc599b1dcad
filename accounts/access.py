"""Who may do what with an organisation. Absent and forbidden look alike."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db.models import QuerySet

from accounts.core.actor import Actor
from accounts.core.scopes import Scope
from accounts.errors import LoginRequired, NotFound, NotPermitted, ScopeMissing
from accounts.models import Membership, Organisation, ServiceToken

Right = Literal["read", "manage", "own"]

_ROLES: dict[str, frozenset[str]] = {
    "read": frozenset(Membership.Role.values),
    "manage": frozenset({Membership.Role.OWNER, Membership.Role.RECRUITER}),
    "own": frozenset({Membership.Role.OWNER}),
}
_NEEDS = {"read": "see this organisation", "manage": "recruit for this organisation", "own": "run this organisation"}


def require_user(actor: Actor) -> int:
    """The id of the logged-in user. Raises LoginRequired."""
    if actor.user_id is None:
        raise LoginRequired
    return actor.user_id


def require_person(actor: Actor) -> None:
    """Raises ScopeMissing for service tokens, whatever their scopes."""
    if actor.scopes is not None:
        raise ScopeMissing(None)


def require_scope(actor: Actor, scope: Scope | None) -> None:
    """The one door for what service tokens do; people pass. None is for people alone. Raises ScopeMissing."""
    if actor.scopes is not None and scope not in actor.scopes:
        raise ScopeMissing(scope)


def require_staff(actor: Actor) -> None:
    if not (actor.is_staff or actor.is_system):
        raise NotPermitted("act as staff")


def role_of(actor: Actor, organisation_id: int) -> str | None:
    """The actor's role in an organisation, by its inner id; None for everybody else."""
    if actor.user_id is None:
        return None
    return (
        Membership.objects.filter(user_id=actor.user_id, organisation_id=organisation_id)
        .values_list("role", flat=True)
        .first()
    )


def may(actor: Actor, organisation_id: int, right: Right) -> bool:
    """Whether the actor has a right in an organisation, by its inner id. Staff and the system have all."""
    return actor.is_staff or actor.is_system or role_of(actor, organisation_id) in _ROLES[right]


def require_right(actor: Actor, organisation_id: int, right: Right, *, kind: str) -> None:
    """Raises NotFound(kind) for strangers and NotPermitted for members whose role is not enough."""
    if actor.is_staff or actor.is_system:
        return
    role = role_of(actor, organisation_id)
    if role is None:
        raise NotFound(kind)
    if role not in _ROLES[right]:
        raise NotPermitted(_NEEDS[right])


def access_organisation(actor: Actor, organisation_id: UUID, *, to: Right = "read") -> Organisation:
    """The only door to an organisation's own data. Raises NotFound or NotPermitted."""
    organisation = Organisation.objects.filter(public_id=organisation_id).first()
    if organisation is None:
        raise NotFound("organisation")
    require_right(actor, organisation.pk, to, kind="organisation")
    return organisation


def access_service_token(actor: Actor, token_id: UUID) -> ServiceToken:
    """For owners of its organisation. Raises NotFound, to its other members too: these do not get to see them."""
    token = ServiceToken.objects.filter(public_id=token_id).first()
    if token is None or not may(actor, token.organisation_id, "own"):
        raise NotFound("service token")
    return token


def organisations_of(actor: Actor, right: Right = "read") -> QuerySet[Organisation]:
    """The organisations in which the actor has a right: all of them for staff."""
    if actor.is_staff or actor.is_system:
        return Organisation.objects.all()
    if actor.user_id is None:
        return Organisation.objects.none()
    return Organisation.objects.filter(memberships__user_id=actor.user_id, memberships__role__in=_ROLES[right])
