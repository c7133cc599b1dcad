"""What resolvers know of the request: who asks, when, and what has been looked up once already."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from django.http import HttpRequest

from accounts.access import organisations_of
from accounts.core.actor import Actor
from accounts.errors import DomainError
from accounts.models import User

T = TypeVar("T")


@dataclass(frozen=True)
class PersonalData:
    """Of one person: the names of what was read, and the organisation (inner id) to which it is open; None for staff,
    to whom everything is."""

    organisation_id: int | None
    fields: set[str] = field(default_factory=set)


@dataclass
class Context:
    """One per request. `now` is the same for all of it, so that a page agrees with itself."""

    request: HttpRequest
    actor: Actor
    user: User | None
    now: datetime
    client: str = ""  # the program that asks, as it registered or names itself; for counting alone
    refusal: DomainError | None = None  # of the whole operation: mutations answer it and do nothing
    refused: DomainError | None = None  # what the mutation answered, where it was a refusal
    once: dict[Any, Any] = field(default_factory=dict)
    known: str = ""
    """What a client that comes back to a stream says it was told last."""

    position: str = ""
    """Where in what it follows the present event of a stream stands, if that is something that one can go on after;
    otherwise each event tells the whole present state."""

    read_of: dict[int, "PersonalData"] = field(default_factory=dict)
    """The personal data of others that the answer shows, by whom it is of (inner id): logged before it is sent."""

    extensions: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """What the response says besides its data, by name; told when all of it has been resolved."""

    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What is done when an answer without errors has been sent. Nobody waits for it, or hears that it failed."""

    def remembered(self, key: Any, find: Callable[[], T]) -> T:
        """The answer to a question that does not depend on the row, asked once a request."""
        if key not in self.once:
            self.once[key] = find()
        answer: T = self.once[key]
        return answer

    def begin(self, now: datetime) -> None:
        """Anew: each event of a stream is a request of its own, as far as resolvers can tell."""
        self.now = now
        self.forget()
        self.afterwards.clear()
        self.read_of.clear()

    def forget(self) -> None:
        """Before a mutation's answer is read: what it changed may have been looked up before."""
        self.once.clear()

    def owns(self, organisation_id: int) -> bool:
        """Whether the actor runs this organisation (inner id), or is staff."""
        if self.actor.is_staff:
            return True
        return organisation_id in self.remembered(
            "owned", lambda: frozenset(organisations_of(self.actor, "own").values_list("pk", flat=True))
        )

    def reads(self, organisation_id: int) -> bool:
        """Whether the actor is a member of this organisation (inner id), or staff."""
        if self.actor.is_staff:
            return True
        return organisation_id in self.remembered(
            "organisations", lambda: frozenset(organisations_of(self.actor, "read").values_list("pk", flat=True))
        )


Info = strawberry.Info[Context, None]
