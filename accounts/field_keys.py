"""The keys of this installation's sealed texts, and of its blind indexes: `FIELD_KEYS` and `FIELD_INDEX_KEY`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.core import seal as core
from accounts.core.seal import Keyring


def keyring() -> Keyring:
    """Raises ImproperlyConfigured."""
    return _keyring(tuple(settings.FIELD_KEYS))


def seal(text: str, *, bound: bytes) -> bytes:
    """As `accounts.core.seal`, with the installation's keys."""
    return core.seal(text, keyring(), bound=bound)


def unseal(sealed: bytes, *, bound: bytes) -> str:
    """Raises KeyMissing, SealBroken."""
    return core.unseal(sealed, keyring(), bound=bound)


def blind(kind: str, values: Iterable[str]) -> bytes:
    """A keyed hash of 32 bytes, the same for the same values of a kind, in the form in which they are compared."""
    return core.blind(_index_key(settings.FIELD_INDEX_KEY), kind, values)


@lru_cache(maxsize=8)
def _keyring(given: tuple[str, ...]) -> Keyring:
    try:
        return core.ring_of(map(core.read_key, given))
    except ValueError as error:
        raise ImproperlyConfigured(f"FIELD_KEYS: {error}; `manage.py field_keys new` makes one") from None


@lru_cache(maxsize=8)
def _index_key(given: str) -> bytes:
    try:
        return core.read_key(given)
    except ValueError as error:
        raise ImproperlyConfigured(f"FIELD_INDEX_KEY: {error}; `manage.py field_keys new` makes one") from None
