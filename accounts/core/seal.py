"""Texts sealed one by one, under keys that are replaced while the system runs: AES-256-GCM.

    sealed = version (1) · id of the key (4) · nonce (12) · ciphertext · tag (16)

The newest key of a ring seals, all of them open: each text names its own. What is sealed is bound to where it belongs,
a column and a row: moved to another it does not open.

A key seals some 2³² texts safely, for nonces are random (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
KEY_ID = slice(1, 5)
_NONCE = slice(5, 17)
_SHORTEST = 17 + 16
_PLAIN, _DEFLATED = 1, 2
_WORTH_DEFLATING = 512  # bytes; what is sealed Postgres cannot make any smaller


class CannotOpen(Exception):
    """A sealed text that stays closed: not the caller's fault, and no answer to them."""


class KeyMissing(CannotOpen):
    """It was sealed with a key that is not in the ring."""

    def __init__(self, key_id: bytes) -> None:
        self.key_id = key_id
        super().__init__(f"sealed with the key {key_id.hex()}, which is not here")


class SealBroken(CannotOpen):
    """It was changed, or belongs elsewhere."""


@dataclass(frozen=True)
class FieldKey:
    """A key, and the id by which texts name it: a hash, so that nobody has to number keys."""

    id: bytes
    cipher: AESGCM


@dataclass(frozen=True)
class Keyring:
    """At least one key, newest first, none twice."""

    keys: tuple[FieldKey, ...]

    @property
    def newest(self) -> FieldKey:
        return self.keys[0]

    def named(self, key_id: bytes) -> FieldKey:
        """Raises KeyMissing."""
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyMissing(key_id)


def ring_of(secrets_: Iterable[bytes]) -> Keyring:
    """Raises ValueError for none, or for one that is there twice."""
    keys = tuple(FieldKey(hashlib.sha256(b"muster:field-key:" + one).digest()[:4], AESGCM(one)) for one in secrets_)
    if not keys or len({key.id for key in keys}) < len(keys):
        raise ValueError("a ring needs a key, and none twice")
    return Keyring(keys)


def new_key() -> str:
    """A random key, as settings have it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_key(text: str) -> bytes:
    """Raises ValueError, which does not quote it."""
    try:
        secret = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes in base64")
    return secret


def bound_to(place: str, row: Iterable[object]) -> bytes:
    """What a text is bound to: its column, and what names its row."""
    return "\n".join([place, *map(str, row)]).encode()


def seal(text: str, ring: Keyring, *, bound: bytes) -> bytes:
    """Nothing stays nothing. Equal texts are not sealed alike."""
    if not text:
        return b""
    key, data, version = ring.newest, text.encode(), _PLAIN
    if len(data) > _WORTH_DEFLATING:
        data, version = zlib.compress(data, 1), _DEFLATED
    head, nonce = bytes([version]) + key.id, secrets.token_bytes(12)
    return head + nonce + key.cipher.encrypt(nonce, data, head + bound)


def unseal(sealed: bytes, ring: Keyring, *, bound: bytes) -> str:
    """Raises KeyMissing, SealBroken."""
    if not sealed:
        return ""
    if len(sealed) <= _SHORTEST or sealed[0] not in (_PLAIN, _DEFLATED):
        raise SealBroken("is no sealed text")
    key = ring.named(sealed[KEY_ID])
    try:
        data = key.cipher.decrypt(sealed[_NONCE], sealed[_NONCE.stop :], sealed[: KEY_ID.stop] + bound)
    except InvalidTag:
        raise SealBroken("was changed, or belongs elsewhere") from None
    return (zlib.decompress(data) if sealed[0] == _DEFLATED else data).decode()


def blind(key: bytes, kind: str, values: Iterable[str]) -> bytes:
    """A keyed hash of 32 bytes (HMAC-SHA-256): the same for the same values of a kind. Rows are found by it whose text
    nobody may read; without the key nobody can try values out. Values are told apart where none has a NUL."""
    return hmac.digest(key, "\0".join([kind, *values]).encode(), "sha256")
