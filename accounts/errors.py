"""Refusals: what Muster answers when it will not do what it was asked.

A refusal is part of the product: it has a stable code for programs, a sentence for people and the data behind it.
Anything else that is raised is a bug, and is masked before it reaches a caller.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class DomainError(Exception):
    """Base of all refusals. Subclasses state the fact in their name and in `sentence`.

    `code` is the class name in upper snake case; it never changes once released. `sentence` is filled from `data`,
    whose values are JSON.
    """

    code: ClassVar[str] = "DOMAIN_ERROR"
    sentence: ClassVar[str] = "This cannot be done."
    registry: ClassVar[dict[str, type[DomainError]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = _WORD.sub("_", cls.__name__).upper()
        if DomainError.registry.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"two refusals share the code {cls.code}")

    def __init__(self, **data: Any) -> None:
        self.data: dict[str, Any] = data
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return self.sentence.format_map(self.data)


class InvalidInput(DomainError):
    """A value that was handed in cannot be used. `field` is its path, `problem` says what is wrong."""

    sentence = "{field}: {problem}"

    def __init__(self, field: str, problem: str, **data: Any) -> None:
        super().__init__(field=field, problem=problem, **data)


class NotFound(DomainError):
    """There is no such row, or the actor may not know of it: the two look alike."""

    sentence = "There is no such {kind}."

    def __init__(self, kind: str) -> None:
        super().__init__(kind=kind)


class NotPermitted(DomainError):
    """The actor sees the row but may not do this with it."""

    sentence = "This needs the right to {needs}."

    def __init__(self, needs: str) -> None:
        super().__init__(needs=needs)


class LoginRequired(DomainError):
    sentence = "Please log in first."


class IllegalTransition(DomainError):
    """The move is not in the machine's table. `legal` names the moves that are, for this actor."""

    sentence = "This {machine} is {state}, so it cannot be moved by: {action}."

    def __init__(self, *, machine: str, state: str, action: str, legal: list[str]) -> None:
        super().__init__(machine=machine, state=state, action=action, legal=legal)


class IdempotencyKeyReused(DomainError):
    sentence = "This idempotency key was used with another input."


class IdempotencyKeyInFlight(DomainError):
    sentence = "A request with this idempotency key is still being carried out."


class MembershipExists(DomainError):
    sentence = "This person is already a member of the organisation."


class LastOwner(DomainError):
    sentence = "An organisation keeps at least one owner."


class ScopeMissing(DomainError):
    """A service token may not do this: it lacks `scope`, or, where that is null, only people may."""

    sentence = "This service token may not do that."

    def __init__(self, scope: str | None) -> None:
        super().__init__(scope=scope)


class ServiceTokenEnded(DomainError):
    sentence = "This service token was revoked already."


class ServiceTokenExists(DomainError):
    sentence = "The organisation has a service token of this name. Revoke it first, or take another name."


class TooManyServiceTokens(DomainError):
    sentence = "An organisation has at most {limit} service tokens."


class SecretIsShownOnce(DomainError):
    """The secret is kept nowhere, so this cannot be repeated under a key. Who lost it revokes and makes another."""

    sentence = "This cannot be asked for with an idempotency key."


class SlugTaken(DomainError):
    sentence = "Another organisation already uses the name {slug}."


class LastSigningKey(DomainError):
    sentence = "No other key signs: without this one nobody could log in. Roll first."


class TooManyAttempts(DomainError):
    """Passwords or codes were tried too often; after `retryAfterSeconds` the next one is looked at."""

    sentence = "Too many attempts. Try again in {retry_after_seconds} seconds."
