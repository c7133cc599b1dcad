"""Relay connections with stable cursors.

A cursor holds the sort key of a row, encrypted and authenticated: pages neither skip nor repeat rows when others are
added meanwhile, deep pages cost what the first one costs, and keys and counts stay inside. Encryption is deterministic,
so that the same row has the same cursor.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Any, Generic, TypeVar

import strawberry
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.db import connection
from django.db.models import Count, Model, Q, QuerySet
from django.db.models.sql.datastructures import Join

from accounts.api.columns import columns_of
from accounts.api.peers import batched, together
from accounts.core.actor import Actor
from accounts.errors import InvalidInput
from accounts.queries.prepared import THE_KEY, Gap, Prepared, prepare, prepare_by_id, stand_in

T = TypeVar("T")
Visible = Callable[[Actor], QuerySet]

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


def visible_by_id(visible: Visible, actor: Actor, ids: Collection[int]) -> dict[int, Any]:
    """Those of some rows (inner ids) that the actor may see. `visible` as in `nested_page`."""
    if not ids:
        return {}
    statement = _by_id(visible, stand_in(actor), columns_of(_table(visible)))
    return {row.pk: row for row in statement.instances(ids=list(ids), user=actor.user_id)}


@lru_cache(maxsize=512)
def _table(visible: Visible) -> type[Model]:
    return visible(Actor.anonymous()).model


@lru_cache(maxsize=512)
def _by_id(visible: Visible, actor: Actor, columns: tuple[str, ...] | None) -> Prepared:
    return prepare_by_id(visible(actor), columns)


def nested_page(
    parent: Model,
    key: Hashable,
    visible: Visible,
    actor: Actor,
    *,
    by: str,
    first: int | None,
    after: str | None,
    order: Order = NEWEST,
) -> Any:
    """One page of each parent's list, for all parents loaded together, in one statement.

    `visible` is a rule of access that hangs on nothing but who the actor is, and joins no table that has several rows
    for one. `by` is the foreign key to the parent; `key` names the list together with its filters. Raises InvalidInput.
    """
    size = page_size(first)
    values = order.values(after) if after is not None else []
    given = {f"after_{key.name}": value for key, value in zip(order.keys, values, strict=False)}

    def counts(parents: list[Model]) -> dict[Any, int]:
        rows = visible(actor).filter(**{f"{by}__in": [one.pk for one in parents]}).order_by()
        return dict(rows.values_list(f"{by}_id").annotate(number=Count("pk", distinct=True)))

    def pages(parents: list[Model]) -> dict[Any, Page]:
        columns = columns_of(_table(visible))
        statement = _nested(visible, stand_in(actor), by, order, columns, is_first=after is None)
        keys = [one.pk for one in parents]
        by_parent: dict[Any, list[Any]] = {pk: [] for pk in keys}
        for row in statement.instances(keys=keys, limit=size + 1, user=actor.user_id, **given):
            by_parent[row.of_key].append(row)
        together(row for listed in by_parent.values() for row in listed[:size])
        return {
            pk: Page(
                rows=listed[:size],
                order=order,
                has_next=len(listed) > size,
                has_previous=after is not None,
                count=lambda one=one: batched(one, ("count", key), counts, 0),  # type: ignore[misc]
            )
            for one, (pk, listed) in zip(parents, by_parent.items(), strict=True)
        }

    return batched(parent, ("page", key, size, after), pages, None)


@lru_cache(maxsize=512)
def _nested(
    visible: Visible, actor: Actor, by: str, order: Order, columns: tuple[str, ...] | None, *, is_first: bool
) -> Prepared:
    """Gaps: `keys` of the parents, `limit`, `user`, and `after_…` for each key of the order if it is not the first."""
    rows = order.apply(visible(actor).filter(**{f"{by}_id": THE_KEY}))
    joined: list[Any] = [one.join_field for one in rows.query.alias_map.values() if isinstance(one, Join)]
    if any(field.one_to_many or field.many_to_many for field in joined):
        raise ValueError(f"{visible} may find a row twice")
    if not is_first:
        rows = rows.filter(order.after([Gap(f"after_{key.name}", _sql_type(rows, key.name)) for key in order.keys]))
    if columns is not None:
        rows = rows.only(*columns, *(key.name for key in order.keys if key.expression is None))
    return prepare(rows).for_each("keys", order=[(key.name, key.descending) for key in order.keys], limit="limit")


def _sql_type(rows: QuerySet, name: str) -> str:
    annotated = rows.query.annotations.get(name)
    field = annotated.output_field if annotated is not None else rows.model._meta.get_field(name)
    return str(field.db_type(connection))
