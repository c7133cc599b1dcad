"""Fields of rows, one line each: the attribute, its type and what it means."""

from typing import Any, Optional

import strawberry

from accounts.api.columns import needs
from accounts.api.context import Info
from accounts.api.peers import related, related_list


def given(attribute: str, type_: Any, description: str) -> Any:
    """An attribute that may be blank: the empty text of a row is GraphQL's null."""

    def resolve(root: strawberry.Parent[Any]):
        value = getattr(root, attribute)
        return None if value == "" else value

    resolve.__annotations__["return"] = Optional[type_]  # noqa: UP045 - built at run time
    return strawberry.field(resolver=resolve, description=description, metadata=needs(attribute))


def one(attribute: str, type_: Any, description: str, *, optional: bool = False) -> Any:
    """A related row."""

    def resolve(root: strawberry.Parent[Any]):
        return related(root, attribute)

    resolve.__annotations__["return"] = Optional[type_] if optional else type_  # noqa: UP045
    return strawberry.field(resolver=resolve, description=description, metadata=needs())


def many(attribute: str, type_: Any, description: str) -> Any:
    """All related rows of a short list."""

    def resolve(root: strawberry.Parent[Any]):
        return related_list(root, attribute)

    resolve.__annotations__["return"] = list[type_]
    return strawberry.field(resolver=resolve, description=description, metadata=needs())


__all__ = ["Info", "given", "many", "one"]
