"""Which keys sign tokens, and whose signatures count.

The first key is `settings.HEADLESS_JWT_PRIVATE_KEY`. Once it has been replaced (`manage.py signing_keys roll`) rows of
`SigningKey` say what holds; each process reads them every few seconds, and at once for a key that it does not know.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from allauth.core.internal.jwkkit import load_jwk_from_pem
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings

from accounts.models import SigningKey
from accounts.sealing import opened

PURPOSE = "signing key"
READ_EVERY_SECONDS = 5.0  # a key that is withdrawn counts for so long at most
ASK_EVERY_SECONDS = 1.0  # for unknown ones, which anybody can make up
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """An RSA key that is trusted. `trusted_until` is None as long as nothing has replaced it."""

    kid: str
    pem: str
    private: RSAPrivateKey
    jwk: dict[str, Any]
    signs_from: datetime = _EVER
    trusted_until: datetime | None = None


class _Read:
    """What this process has read of the table, and when (monotonic seconds)."""

    rows: tuple[SigningKey, ...] = ()
    at: float = -READ_EVERY_SECONDS


def keys(now: datetime, *, at_most_seconds_old: float = READ_EVERY_SECONDS) -> list[Key]:
    """All that are trusted, those that only will sign among them; the oldest first."""
    if time.monotonic() - _Read.at >= at_most_seconds_old:
        _Read.rows, _Read.at = tuple(SigningKey.objects.order_by("signs_from", "id")), time.monotonic()
    first = settings.HEADLESS_JWT_PRIVATE_KEY
    found = [] if kid_of(first) in {row.kid for row in _Read.rows} else [_key(first)]
    for row in _Read.rows:
        if row.trusted_until is None or row.trusted_until > now:
            found.append(_key(_opened(row.private_key), row.signs_from, row.trusted_until))
    return found


def signing_key(now: datetime) -> Key:
    """The one that signs. RuntimeError where there is none, which withdrawing a key refuses to bring about."""
    signing = [key for key in keys(now) if key.signs_from <= now]
    if not signing:
        raise RuntimeError("no key signs tokens: manage.py signing_keys roll")
    return signing[-1]


def trusted_key(kid: str, now: datetime) -> Key | None:
    """The key of this id, if its signatures count."""
    for age in (READ_EVERY_SECONDS, ASK_EVERY_SECONDS):
        for key in keys(now, at_most_seconds_old=age):
            if key.kid == kid:
                return key
    return None


def forget_keys() -> None:
    """Read them anew when they are needed next: this process has changed them."""
    _Read.rows, _Read.at = (), -READ_EVERY_SECONDS


def _key(pem: str, signs_from: datetime = _EVER, trusted_until: datetime | None = None) -> Key:
    jwk, private = _parsed(pem)
    return Key(jwk["kid"], pem, private, jwk, signs_from, trusted_until)


def kid_of(pem: str) -> str:
    """The thumbprint of a key (RFC 7638)."""
    kid: str = _parsed(pem)[0]["kid"]
    return kid


@lru_cache(maxsize=32)
def _parsed(pem: str) -> tuple[dict[str, Any], RSAPrivateKey]:
    jwk, private = load_jwk_from_pem(pem)
    return {**jwk, "use": "sig", "alg": "RS256"}, private


@lru_cache(maxsize=32)
def _opened(private_key: str) -> str:
    return opened(private_key, purpose=PURPOSE)
