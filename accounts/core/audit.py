"""The audit log: what is recorded, and the bytes that are chained."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from accounts.core.actor import Actor

DIGEST_BYTES = 32
NOTHING_BEFORE = ""  # what the first seal follows
_NAME = re.compile(r"[A-Za-z0-9_.:-]{0,64}", re.ASCII)


class AuditKind(StrEnum):
    """What has no event of its own. Whatever has one and is named in `settings.AUDITED_EVENTS` is recorded under the
    event's name, by the statement that appends it."""

    SIGNED_UP = "SignedUp"
    LOGGED_IN = "LoggedIn"
    LOGIN_FAILED = "LoginFailed"  # at an account that there is
    LOGGED_OUT = "LoggedOut"
    PASSWORD_CHANGED = "PasswordChanged"
    PASSWORD_RESET = "PasswordReset"
    ADDRESS_ADDED = "AddressAdded"
    ADDRESS_CHANGED = "AddressChanged"
    ADDRESS_CONFIRMED = "AddressConfirmed"
    ADDRESS_REMOVED = "AddressRemoved"
    SECOND_FACTOR_ADDED = "SecondFactorAdded"
    SECOND_FACTOR_REMOVED = "SecondFactorRemoved"
    SECOND_FACTOR_RENEWED = "SecondFactorRenewed"  # other recovery codes
    SECOND_FACTOR_FAILED = "SecondFactorFailed"
    SESSION_ENDED = "SessionEnded"  # from elsewhere
    TOKEN_USED_TWICE = "TokenUsedTwice"  # two have it: the session ends for both
    IDENTITY_CONNECTED = "IdentityConnected"  # an account at another provider
    IDENTITY_REMOVED = "IdentityRemoved"
    SIGNING_KEY_ROLLED = "SigningKeyRolled"
    SIGNING_KEY_WITHDRAWN = "SigningKeyWithdrawn"
    CONSOLE_ADDED = "ConsoleAdded"
    CONSOLE_CHANGED = "ConsoleChanged"
    CONSOLE_DELETED = "ConsoleDeleted"
    PERSONAL_DATA_READ = "PersonalDataRead"
    PERSON_EXPORTED = "PersonExported"
    PERSON_ERASED = "PersonErased"


def capacity_of(actor: Actor) -> str:
    """In which capacity somebody acts, where no event says so."""
    if actor.is_system:
        return "system"
    if actor.user_id is None:
        return "anonymous"
    return "staff" if actor.is_staff else "program" if actor.scopes is not None else "user"


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an entry: numbers, flags, ids and names of fields, and lists of these. Raises ValueError for
    anything that could be somebody's name, contact or text: nothing would ever remove it."""
    for key, value in data.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            plain = one is None or isinstance(one, bool | int) or (isinstance(one, str) and _NAME.fullmatch(one))
            if not plain or not _NAME.fullmatch(key):
                raise ValueError(f"an audit entry holds ids and names of fields: {key} is neither")
    return dict(data)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is chained of an entry: all of it."""

    id: int
    kind: str
    actor_id: int | None
    actor_kind: str
    organisation_id: int | None
    subject_type: str
    subject_id: int | None
    data: Mapping[str, Any]
    request_id: str
    at: datetime

    def digest(self) -> bytes:
        """SHA-256 of its canonical JSON."""
        values = [
            self.id, self.kind, self.actor_id, self.actor_kind, self.organisation_id, self.subject_type,
            self.subject_id, self.data, self.request_id, _instant(self.at),
        ]  # fmt: skip
        return hashlib.sha256(_canonical(values)).digest()


def seal_digest(*, number: int, previous: str, sealed_at: datetime, ids: Sequence[int], digests: bytes) -> str:
    """SHA-256, in hex, over a batch and over the digest of the seal before it. `digests` are the entries', end to
    end."""
    values = [number, previous, _instant(sealed_at), list(ids), digests.hex()]
    return hashlib.sha256(_canonical(values)).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(values: Any) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
