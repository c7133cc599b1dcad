"""Signatures of audit seals: HMAC-SHA-256 with a key made from SECRET_KEY, which the database does not hold.

`SECRET_KEY_FALLBACKS` vouch for what was signed under a former SECRET_KEY. One whose key is gone is not vouched for by
itself, but by any later one: each covers all before it.
"""

from __future__ import annotations

from functools import cache
from secrets import compare_digest

from django.conf import settings
from django.utils.crypto import salted_hmac


def signature(digest: str) -> str:
    """Hex."""
    return _signature(settings.SECRET_KEY, digest)


def key_id() -> str:
    """Names the key that signs, and tells nothing of it."""
    return _key_id(settings.SECRET_KEY)


def is_known(key: str) -> bool:
    return key in _known()


def is_signed(digest: str, *, signature: str, key: str) -> bool:
    secret = _known().get(key)
    return secret is not None and compare_digest(_signature(secret, digest), signature)


def _known() -> dict[str, str]:
    secrets = (settings.SECRET_KEY, *(str(one) for one in settings.SECRET_KEY_FALLBACKS))
    return {_key_id(secret): secret for secret in secrets}


def _signature(secret: str, digest: str) -> str:
    made: str = salted_hmac("muster:audit seal", digest, secret=secret, algorithm="sha256").hexdigest()
    return made


@cache
def _key_id(secret: str) -> str:
    made: str = salted_hmac("muster:audit key", "", secret=secret, algorithm="sha256").hexdigest()
    return made[:16]
