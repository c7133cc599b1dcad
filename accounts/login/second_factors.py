"""Second factors: what is stored of them lies sealed, and whether somebody came with one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver

from accounts.login.codes import take_code
from accounts.models import User
from accounts.sealing import opened, sealed

PURPOSE = "second factor"
_SEALED = "sealed:"  # what was stored before is as it was


class SecondFactors(DefaultMFAAdapter):
    """Passkeys are for the frontend's host, whatever address the API has."""

    def encrypt(self, text: str) -> str:
        return _SEALED + sealed(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(_SEALED):
            return encrypted_text
        return opened(encrypted_text.removeprefix(_SEALED), purpose=PURPOSE)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.FRONTEND_URL).hostname or "localhost", "name": "Muster"}


def came_with_second_factor(user: User, session: SessionBase) -> bool:
    """Whether this session was begun, or confirmed, with a code, a key or a passkey."""
    records = get_authentication_records(SimpleNamespace(session=session), user)
    return any(record.get("method") == "mfa" for record in records)


def acts_as_staff(user: User, session: SessionBase) -> bool:
    """Whether somebody is staff in this session: in production with a second factor alone."""
    return user.is_staff and (not settings.STAFF_NEED_SECOND_FACTOR or came_with_second_factor(user, session))


@receiver(authenticator_added)
def _take_first_code(authenticator: Authenticator, **kwargs: Any) -> None:
    """The code that sets an authenticator up is used by that."""
    if authenticator.type == Authenticator.Type.TOTP:
        take_code(authenticator)
