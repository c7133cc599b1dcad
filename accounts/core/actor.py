"""Who acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """In which capacity somebody acts. A transition table says which kinds may make a move."""

    CANDIDATE = "candidate"  # the person the row is about
    MEMBER = "member"  # an owner or recruiter of the organisation the row belongs to
    STAFF = "staff"  # Muster's own operations staff
    SYSTEM = "system"  # a timer, a consumer, a batch


@dataclass(frozen=True, slots=True)
class Actor:
    """The principal of one request or job.

    `user_id` is None for the system and for somebody who has not logged in; only the former has `is_system`.
    `scopes` are what a service token may do; None for people, who may do whatever their roles let them.
    """

    user_id: int | None = None
    is_staff: bool = False
    is_system: bool = False
    request_id: str = ""
    scopes: frozenset[str] | None = None

    @classmethod
    def system(cls, request_id: str = "") -> Actor:
        return cls(is_system=True, request_id=request_id)

    @classmethod
    def anonymous(cls, request_id: str = "") -> Actor:
        return cls(request_id=request_id)
