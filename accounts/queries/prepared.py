"""Querysets whose statement is put together once.

Django composes a statement anew each time that it is asked for, which takes several times as long as Postgres needs to
answer it where rules of access are in it; and of each row it makes an instance with all columns, one by one. `prepare`
keeps the statement, with gaps where values will stand, and Postgres its plan (`accounts.queries.planned`):

    @cache
    def _members() -> Prepared:
        return prepare(Membership.objects.filter(user_id=Gap("user")).values_list("pk", "organisation_id"))

    _members().tuples(user=actor.user_id)

The queryset says what is asked, as everywhere; nothing of it is said again as SQL. Whatever decides how the statement
looks, and is no value in it, is an argument of the function that is cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db import connection as default_connection
from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, Value
from django.db.models.base import ModelState
from django.db.models.expressions import Expression, RawSQL

from accounts.core.actor import Actor
from accounts.queries.planned import array_of, cursor_for

connection: Any = default_connection  # its stubs know nothing that is Postgres's own
Converter = Callable[[Any], Any]

THE_KEY = RawSQL("each.key", ())
"""Stands in a queryset for the one of several keys for which it is carried out: see `Prepared.for_each`."""


KEYS = "bigint[]"


class Gap(Expression):
    """Where a value will stand, of a type of Postgres's; keys, as a list, where it is `KEYS`."""

    def __init__(self, name: str, sql_type: str = "bigint") -> None:
        super().__init__(output_field=Field())
        self.name, self.sql_type = name, sql_type

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return f"%s::{self.sql_type}", [self]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gap) and (self.name, self.sql_type) == (other.name, other.sql_type)

    def __hash__(self) -> int:
        return hash((self.name, self.sql_type))


class IsAmong(Func):
    """Whether a row's key is one of many, sent as one value: `IN` with each written out takes longer to plan."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, keys: Collection[int] | Gap, column: str = "pk") -> None:
        super().__init__(F(column), keys if isinstance(keys, Gap) else Value(array_of(sorted(keys))))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement. `sql` is empty where Django knows that nothing can be found."""

    sql: str
    gaps: tuple[str, ...]
    """What will stand for its placeholders."""

    model: type[Model]
    names: tuple[str, ...]
    """Of what is selected: attributes of an instance."""

    converters: tuple[tuple[int, Converter], ...] = ()
    """Of columns that are not what the driver makes of them."""

    def tuples(self, **given: Any) -> list[Any]:
        """Rows in the order of `names`. Several keys are given as a list."""
        if not self.sql:
            return []
        many = max((len(value) for value in given.values() if isinstance(value, list)), default=1)
        with cursor_for(many) as cursor:
            cursor.execute(self.sql, [_sent(given[name]) for name in self.gaps])
            rows = cursor.fetchall()
        return list(self._converted(rows)) if self.converters else rows

    def instances(self, **given: Any) -> list[Any]:
        """Rows as instances of the model, to be read. They hold what was selected; what was left out is looked up when
        it is asked for. They are made without `__init__`: nothing of a model may hang on that."""
        make, names = self.model.__new__, self.names
        found = []
        for row in self.tuples(**given):
            one = make(self.model)
            one.__dict__.update(zip(names, row, strict=True), _state=_read())
            found.append(one)
        return found

    def first(self, limit: str) -> Prepared:
        """The first rows, as many as will stand in a gap."""
        return replace(self, sql=self.sql and f"{self.sql} LIMIT %s::bigint", gaps=(*self.gaps, limit))

    def for_each(self, keys: str, *, order: Iterable[tuple[str, bool]], limit: str) -> Prepared:
        """The same for each of several keys, where THE_KEY stands in it: those that will stand in the gap `keys`, and
        of each as many rows as will in `limit`. `order` is the order within a key, which is the statement's own: names,
        each with whether it descends. What is selected begins with the key, as `of_key`."""
        if not self.sql:
            return self
        columns = [f"{self.names.index(name) + 2}{' DESC' if descends else ''}" for name, descends in order]
        sql = (
            f"SELECT each.key, listed.* FROM unnest(%s::bigint[]) AS each (key)"
            f" CROSS JOIN LATERAL ({self.first(limit).sql}) AS listed ORDER BY {', '.join(['1', *columns])}"
        )
        return replace(
            self,
            sql=sql,
            gaps=(keys, *self.gaps, limit),
            names=("of_key", *self.names),
            converters=tuple((index + 1, convert) for index, convert in self.converters),
        )

    def _converted(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        for row in map(list, rows):
            for index, convert in self.converters:
                row[index] = convert(row[index])
            yield row


def prepare(queryset: QuerySet[Any]) -> Prepared:
    """The statement of a queryset: of rows, with the columns that `only()` leaves, or of `values_list()`."""
    compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, values = compiler.as_sql()
    except EmptyResultSet:
        return Prepared("", (), queryset.model, ())
    text, gaps = _with_gaps(sql, values)
    selected = compiler.select
    names = tuple(alias or expression.target.attname for expression, _, alias in selected)
    converters = compiler.get_converters([expression for expression, *_ in selected])
    chained = tuple((index, _chain(*found)) for index, found in sorted(converters.items()))
    return Prepared(text, gaps, queryset.model, names, chained)


def prepare_by_id(rows: QuerySet[Any], columns: tuple[str, ...] | None) -> Prepared:
    """Of those of some rows whose keys will stand in the gap `ids`, in no order; with all columns if None are named."""
    found = rows.filter(IsAmong(Gap("ids", KEYS))).order_by()
    return prepare(found.only(*columns) if columns is not None else found)


def _with_gaps(sql: str, values: Sequence[Any]) -> tuple[str, tuple[str, ...]]:
    """With all values written out but gaps: a plan that is kept can use indexes that are for some rows only."""
    left, gaps = iter(values), []

    def written(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        value = next(left)
        if isinstance(value, Gap):
            gaps.append(value.name)
            return found[0]
        return str(connection.ops.compose_sql("%s", [value])).replace("%", "%%")

    return re.sub("%[s%]", written, sql), tuple(gaps)


@cache
def _stand_in(actor: Actor) -> Actor:
    return replace(actor, user_id=Gap("user"))  # type: ignore[arg-type]


def stand_in(actor: Actor) -> Actor:
    """Somebody like the actor, in whose stead statements of theirs are prepared: with the gap `user` for who it is."""
    like = replace(actor, user_id=None, request_id="")
    return like if actor.user_id is None else _stand_in(like)


def _sent(value: Any) -> Any:
    return array_of(value) if isinstance(value, list) else value


def _chain(converters: Sequence[Callable[[Any, Any, Any], Any]], expression: Any) -> Converter:
    def convert(value: Any) -> Any:
        for each in converters:
            value = each(value, expression, connection)
        return value

    return convert


def _read() -> ModelState:
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    return state
