"""Relay connections with stable cursors.

A cursor holds the sort key of a row, encrypted and authenticated: pages neither skip nor repeat rows when others are
added meanwhile, deep pages cost what the first one costs, and keys and counts stay inside. Encryption is deterministic,
so that the same row has the same cursor.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

import strawberry
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.db.models import Count, F, Model, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.api.peers import batched, together
from accounts.errors import InvalidInput

T = TypeVar("T")

DEFAULT_FIRST = 20
LARGEST_FIRST = 100
LONGEST_CURSOR = 8_000  # it may hold a whole title, each letter of which JSON writes as six, or two snapshots

FIRST: Any = strawberry.argument(
    description=f"How many rows, at most {LARGEST_FIRST}; {DEFAULT_FIRST} if nothing is said."
)
AFTER: Any = strawberry.argument(description="The cursor after which the page begins.")


@dataclass(frozen=True)
class Key:
    """One column to sort by: never null. `expression` where it is not simply the field of that name."""

    name: str
    descending: bool = False
    expression: Any = None
    is_instant: bool = False


@dataclass(frozen=True)
class Order:
    """A total order: the last key is unique. `name` keeps cursors of one order from being used in another."""

    name: str
    keys: tuple[Key, ...]

    def apply(self, queryset: QuerySet) -> QuerySet:
        computed = {key.name: key.expression for key in self.keys if key.expression is not None}
        return (
            queryset.annotate(**computed).order_by(*self.columns()) if computed else queryset.order_by(*self.columns())
        )

    def columns(self) -> list[str]:
        return [f"-{key.name}" if key.descending else key.name for key in self.keys]

    def after(self, values: list[Any]) -> Q:
        """The rows that follow the one with these values."""
        follows, same = Q(), Q()
        for key, value in zip(self.keys, values, strict=True):
            follows |= same & Q(**{f"{key.name}__{'lt' if key.descending else 'gt'}": value})
            same &= Q(**{key.name: value})
        return follows

    def cursor(self, row: Model) -> str:
        return self.sealed([getattr(row, key.name) for key in self.keys])

    def sealed(self, values: Sequence[Any]) -> str:
        """The cursor of the row with these values of the keys."""
        plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        sealed = _cipher().encrypt(json.dumps(plain, separators=(",", ":")).encode(), [self.name.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def values(self, cursor: str) -> list[Any]:
        """What `cursor` holds. Raises InvalidInput for one that was not given out for this order."""
        try:
            if len(cursor) > LONGEST_CURSOR:
                raise ValueError
            sealed = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            values = json.loads(_cipher().decrypt(sealed, [self.name.encode()]))
            if len(values) != len(self.keys):
                raise ValueError
        except (ValueError, binascii.Error, InvalidTag):
            raise InvalidInput("after", "is not a cursor of this list") from None
        return [
            datetime.fromisoformat(value) if key.is_instant else value
            for key, value in zip(self.keys, values, strict=True)
        ]


NEWEST = Order("newest", (Key("id", descending=True),))


@cache
def _cipher() -> AESSIV:
    return AESSIV(hashlib.sha512(b"cursor:" + settings.SECRET_KEY.encode()).digest())


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether rows follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether rows precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last row: `after` for the next page.")


@dataclass
class Placed:
    """A row in a list, as an edge reads it."""

    node: Any
    order: Order

    @property
    def cursor(self) -> str:
        return self.order.cursor(self.node)


class Watched:
    """A page that tells once, `on_read`, when its rows are asked for, and not only how many there are."""

    on_read: Callable[[], None] | None

    def rows_are_read(self) -> None:
        told, self.on_read = self.on_read, None
        if told is not None:
            told()


@dataclass
class Page(Watched):
    """One page of a list. The count is looked up when it is asked for."""

    rows: list[Any]
    order: Order
    has_next: bool
    has_previous: bool
    count: Callable[[], int]
    queryset: QuerySet | None = None
    on_read: Callable[[], None] | None = None

    @cached_property
    def edges(self) -> list[Placed]:
        self.rows_are_read()
        return [Placed(row, self.order) for row in self.rows]

    @property
    def nodes(self) -> list[Any]:
        self.rows_are_read()
        return self.rows

    @property
    def total_count(self) -> int:
        return self.count()

    @property
    def page_info(self) -> PageInfo:
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.order.cursor(self.rows[0]) if self.rows else None,
            end_cursor=self.order.cursor(self.rows[-1]) if self.rows else None,
        )


@strawberry.type(description="A row and its place in a list.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The row.")
    cursor: str = strawberry.field(description="The place, to go on from with `after`.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The rows with their places.")
    nodes: list[T] = strawberry.field(description="The rows alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int = strawberry.field(description="The rows of the whole list, whatever the page.")


def page_size(first: int | None) -> int:
    """Raises InvalidInput for less than none and for more than LARGEST_FIRST."""
    if first is None:
        return DEFAULT_FIRST
    if not 0 <= first <= LARGEST_FIRST:
        raise InvalidInput("first", f"must be from 0 to {LARGEST_FIRST}")
    return first


def page(queryset: QuerySet, *, first: int | None, after: str | None, order: Order = NEWEST) -> Any:
    """One page of a list: two statements at most, the count included. Raises InvalidInput."""
    size = page_size(first)
    ordered = order.apply(queryset)
    if after is not None:
        ordered = ordered.filter(order.after(order.values(after)))
    rows = list(ordered[: size + 1])
    return Page(
        rows=together(rows[:size]),
        order=order,
        has_next=len(rows) > size,
        has_previous=after is not None,
        count=queryset.order_by().count,
        queryset=queryset,
    )


def nested_page(
    parent: Model,
    key: str,
    queryset: Callable[[], QuerySet],
    *,
    by: str,
    first: int | None,
    after: str | None,
    order: Order = NEWEST,
) -> Any:
    """One page of each parent's list, for all parents loaded together, in one statement.

    `by` is the foreign key to the parent; `key` names the list together with its filters. Raises InvalidInput.
    """
    size = page_size(first)
    values = order.values(after) if after is not None else None
    column = f"{by}_id"

    def counts(parents: list[Model]) -> dict[Any, int]:
        rows = queryset().filter(**{f"{by}__in": [one.pk for one in parents]}).order_by()
        return dict(rows.values_list(column).annotate(number=Count("pk", distinct=True)))

    def pages(parents: list[Model]) -> dict[Any, Page]:
        found = queryset().filter(**{f"{by}__in": [one.pk for one in parents]})
        # Access rules may join; a window over a join would number a row twice.
        rows = order.apply(found.model._default_manager.filter(pk__in=found.order_by().values("pk")))
        if values is not None:
            rows = rows.filter(order.after(values))
        window = [F(one.name).desc() if one.descending else F(one.name).asc() for one in order.keys]
        rows = rows.annotate(place=Window(RowNumber(), partition_by=F(column), order_by=window))
        by_parent: dict[Any, list[Model]] = {one.pk: [] for one in parents}
        for row in rows.filter(place__lte=size + 1):
            by_parent[getattr(row, column)].append(row)
        together(row for listed in by_parent.values() for row in listed[:size])
        return {
            one.pk: Page(
                rows=by_parent[one.pk][:size],
                order=order,
                has_next=len(by_parent[one.pk]) > size,
                has_previous=values is not None,
                count=lambda one=one: batched(one, ("count", key), counts, 0),  # type: ignore[misc]
            )
            for one in parents
        }

    return batched(parent, ("page", key, size, after), pages, None)
