"""Service tokens: made by an organisation's owners, for programs that act for it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.access import access_organisation, access_service_token, require_person
from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.scopes import Scope
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, ServiceTokenEnded, ServiceTokenExists, TooManyServiceTokens
from accounts.models import Membership, Organisation, ServiceToken, User

PREFIX = "muster_"  # by which scanners of source code find one that was published
LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=366)
MOST = 50  # live ones of one organisation
USED_EVERY = timedelta(minutes=1)  # a use is noted: no request waits for a row that every request writes


def create_service_token(
    *,
    actor: Actor,
    organisation_id: UUID,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    now: datetime,
) -> tuple[ServiceToken, str]:
    """The token, and its secret, which is nowhere else. Owners only; it expires in 90 days where nothing is said.

    Raises InvalidInput, NotFound, NotPermitted, ServiceTokenExists, TooManyServiceTokens.
    """
    require_person(actor)
    name = clean_line(name, field="name", max_length=100)
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - set(Scope):
        raise InvalidInput("scopes", f"has no {min(unknown)}; there are {', '.join(Scope)}")
    expires_at = expires_at or now + LIFE
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidInput("expires_at", f"must lie within the next {LONGEST_LIFE.days} days")
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        organisation = access_organisation(actor, organisation_id, to="own")
        Organisation.objects.select_for_update().get(pk=organisation.pk)  # so that the count below holds
        if organisation.service_tokens.live(now).count() >= MOST:
            raise TooManyServiceTokens(limit=MOST)
        user = User.objects.create_user(f"{uuid.uuid4().hex}@service.invalid", name=name, is_service=True)
        role = Membership.Role.RECRUITER if wanted else Membership.Role.OBSERVER
        Membership.objects.create(user=user, organisation=organisation, role=role, invited_by_id=actor.user_id)
        with refusing({"one_service_token_of_a_name_per_organisation": ServiceTokenExists}):
            token = ServiceToken.objects.create(
                organisation=organisation,
                user=user,
                name=name,
                digest=digest(secret),
                hint=secret[: len(PREFIX) + 4],
                scopes=wanted,
                created_by_id=actor.user_id,
                created_at=now,
                expires_at=expires_at,
            )
        _append(token, "ServiceTokenCreated", actor, now)
    return token, secret


def revoke_service_token(*, actor: Actor, token_id: UUID, now: datetime) -> ServiceToken:
    """It opens nothing from now on. Owners only. Raises NotFound, ServiceTokenEnded."""
    require_person(actor)
    with transaction.atomic():
        access_service_token(actor, token_id)
        token = ServiceToken.objects.select_for_update(of=("self",)).select_related("user").get(public_id=token_id)
        if token.revoked_at is not None:
            raise ServiceTokenEnded
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        User.objects.filter(pk=token.user_id).update(is_active=False)
        Membership.objects.filter(user_id=token.user_id).delete()
        _append(token, "ServiceTokenRevoked", actor, now)
    return token


def valid_service_token(secret: str, now: datetime) -> ServiceToken | None:
    """The token with this secret, with its user, if it opens anything now. Notes that it was used."""
    token = ServiceToken.objects.valid(now).select_related("user").filter(digest=digest(secret)).first()
    if token is not None and (token.last_used_at is None or token.last_used_at <= now - USED_EVERY):
        ServiceToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def digest(secret: str) -> str:
    """256 random bits need no slow hash: nobody tries them all."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _append(token: ServiceToken, name: str, actor: Actor, now: datetime) -> None:
    payload = {"service_token": token.pk, "user": token.user_id, "scopes": token.scopes}
    append(token.organisation, name, actor=actor, by=ActorKind.MEMBER, now=now, payload=payload)
