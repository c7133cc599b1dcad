"""Secrets at rest: sealed with a key made from SECRET_KEY, so that a copy of the database alone opens none of them.

`SECRET_KEY_FALLBACKS` open what was sealed under a former SECRET_KEY. Fernet: AES-128-CBC with HMAC-SHA-256.
"""

from __future__ import annotations

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

__all__ = ["InvalidToken", "opened", "sealed"]


def sealed(text: str, *, purpose: str) -> str:
    """ASCII, about a third longer than `text`. What was sealed for one purpose does not open for another."""
    return _fernet(purpose, _secrets()).encrypt(text.encode()).decode()


def opened(token: str, *, purpose: str) -> str:
    """Raises InvalidToken for what was not sealed here, or under a SECRET_KEY that is gone."""
    return _fernet(purpose, _secrets()).decrypt(token.encode()).decode()


def _secrets() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *(str(one) for one in settings.SECRET_KEY_FALLBACKS))


@cache
def _fernet(purpose: str, secrets: tuple[str, ...]) -> MultiFernet:
    keys = (HKDF(SHA256(), length=32, salt=None, info=f"muster:{purpose}".encode()) for _ in secrets)
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(key.derive(secret.encode())))
            for key, secret in zip(keys, secrets, strict=True)
        ]
    )
