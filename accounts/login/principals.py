"""Who comes with a bearer token: a person with a JWT, or a program with a service token."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from accounts.actions.service_tokens import PREFIX, valid_service_token
from accounts.core.actor import Actor
from accounts.login.second_factors import acts_as_staff
from accounts.login.tokens import valid_access_token
from accounts.models import User


@dataclass(frozen=True)
class Principal:
    """Whom a request is from. `scopes` is None for a person, who may do whatever they may, as staff if they came as
    staff must."""

    user: User
    is_staff: bool = False
    scopes: frozenset[str] | None = None

    def actor(self, request_id: str = "") -> Actor:
        return Actor(user_id=self.user.pk, is_staff=self.is_staff, request_id=request_id, scopes=self.scopes)


def bearer(authorization: str) -> Principal | None:
    """Whose token an `Authorization` header holds, if it holds now. Looks it up."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        return None
    if token.startswith(PREFIX):
        service = valid_service_token(token, timezone.now())
        return Principal(service.user, scopes=frozenset(service.scopes)) if service else None
    found = valid_access_token(token)
    return person(found.user, found.session) if found else None


def person(user: User, session: SessionBase) -> Principal:
    """Somebody who has logged in."""
    return Principal(user, is_staff=acts_as_staff(user, session))
