"""Relay's nodes: global ids, and the one place that resolves them.

A global id is base64 of `Offer:<uuid>`: the type's name and the row's public id. The bigint key stays inside.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from django.db.models import Model

from accounts.api.columns import needs
from accounts.api.context import Context
from accounts.api.peers import together
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotFound, NotPermitted

T = TypeVar("T", bound=type)

LONGEST_ID = 120
_DECODED = re.compile(r"([A-Z][A-Za-z]{1,40}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


@dataclass(frozen=True)
class NodeKind:
    """How rows of one model are named, and the door to them: `access` raises NotFound or NotPermitted."""

    name: str
    model: type[Model]
    access: Callable[[Actor, UUID], Model]


KINDS: dict[str, NodeKind] = {}
_NAMES: dict[type[Model], str] = {}


@strawberry.interface(description="Something with an id that is unique in all of Muster and never changes.")
class Node:
    @strawberry.field(
        description="The id, for `node` and for inputs. Opaque: what is in it may change.", metadata=needs("public_id")
    )
    def id(root: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(global_id(root))


def node_type(
    model: type[Model], *, name: str, description: str, access: Callable[[Actor, UUID], Model]
) -> Callable[[T], T]:
    """Make a class the GraphQL type of a model's rows, which resolvers return as they are, unwrapped."""

    def decorate(cls: T) -> T:
        KINDS[name] = NodeKind(name=name, model=model, access=access)
        _NAMES[model] = name
        return row_type(model, name=name, description=description)(cls)

    return decorate


def row_type(model: type, *, name: str, description: str) -> Callable[[T], T]:
    """As `node_type`, for rows and values that have no id of their own."""

    def decorate(cls: T) -> T:
        cls.is_type_of = staticmethod(lambda value, info: isinstance(value, model))  # type: ignore[attr-defined]
        return strawberry.type(cls, name=name, description=description)

    return decorate


def global_id(row: Any) -> str:
    # Not `type(row)`: the user of a session is a stand-in until it is looked at.
    return encode_id(_NAMES[row.__class__], row.public_id)


def encode_id(name: str, public_id: UUID) -> str:
    return binascii.b2a_base64(f"{name}:{public_id}".encode(), newline=False).decode()


def decode_id(given: str) -> tuple[str, UUID] | None:
    """The type's name and public id, or None where it is not one of ours."""
    if len(given) > LONGEST_ID:
        return None
    try:
        decoded = base64.b64decode(given.encode(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        return None
    match = _DECODED.fullmatch(decoded)
    return (match[1], UUID(match[2])) if match and match[1] in KINDS else None


def public_id(given: str, kind: str, *, field: str = "id") -> UUID:
    """The public id within a global id, which must be of the kind asked for.

    Every id of every input and argument passes here: without the check an offer's id would do for an application's.
    Raises InvalidInput.
    """
    decoded = decode_id(given)
    if decoded is None or decoded[0] != kind:
        article = "an" if kind[0] in "AEIOU" else "a"
        raise InvalidInput(field, f"is not the id of {article} {kind}")
    return decoded[1]


def resolve_node(context: Context, given: str) -> Any:
    """The row, or None where there is none or the actor may not know of it: the two look alike."""
    decoded = decode_id(given)
    if decoded is None:
        raise InvalidInput("id", "is not an id")
    name, uuid = decoded
    try:
        return together([KINDS[name].access(context.actor, uuid)])[0]
    except (NotFound, NotPermitted):
        return None


def lazy(name: str, module: str) -> Any:
    """A type of a module that is not imported yet: nouns refer to each other in circles."""
    return Annotated[name, strawberry.lazy(module)]
