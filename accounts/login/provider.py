"""Muster as an OpenID Connect provider: for other programs of the house, and partners, whose users log in with us."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.private_keys import filter_keys
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings
from django.utils import timezone

from accounts.login.keys import keys
from accounts.models import User


class Provider(DefaultOIDCAdapter):
    """Signs with the keys that sign our own tokens, names people by their public ids."""

    def get_issuer(self) -> str:
        issuer: str = settings.SERVER_URL
        return issuer

    def list_private_keys(
        self, *, did_activate: Literal[True] | None = None, is_active: Literal[True] | None = None
    ) -> list[PrivateKey]:
        listed = [
            PrivateKey(pem=key.pem, not_before=key.signs_from, issued_at=key.signs_from, expires_at=key.trusted_until)
            for key in keys(timezone.now())
        ]
        trusted: list[PrivateKey] = filter_keys(listed, did_activate=did_activate, is_active=is_active)
        return trusted

    def get_user_sub(self, client: Client, user: Any) -> str:
        return str(user.public_id)

    def get_user_by_sub(self, client: Client, sub: str) -> User | None:
        try:
            return User.objects.active().filter(public_id=UUID(sub)).first()
        except ValueError:
            return None
