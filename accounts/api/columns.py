"""The columns that an operation reads of a table, so that rows are read with no others.

A plain field reads the attribute of its name. A field with a resolver says what it needs of its row, as `needs`, or is
taken to read all of it. Whatever reads a column that was left out after all gets it, for all rows that were loaded
together: see `PublicModel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.db.models import Model

Columns = Mapping[type[Model], frozenset[str] | None]
"""By table, the attributes that are read; None for all. Of a table that is not in it all are read."""

_columns: ContextVar[Columns | None] = ContextVar("columns", default=None)
_NEEDS = "needs"


def needs(*attributes: str) -> dict[str, Any]:
    """Metadata of a field whose resolver reads these of its row and nothing else, but keys."""
    return {_NEEDS: frozenset(attributes)}


def needed_by(field: Any, model: type[Model]) -> frozenset[str] | None:
    """What a field of a table's type reads of a row; None for anything."""
    if field.base_resolver is not None:
        declared: frozenset[str] | None = field.metadata.get(_NEEDS)
        return declared
    is_column = any(one.attname == field.python_name for one in model._meta.concrete_fields)
    return frozenset({field.python_name}) if is_column else None


@contextmanager
def reading(columns: Columns) -> Iterator[None]:
    """While an operation is carried out that reads these."""
    token = _columns.set(columns)
    try:
        yield
    finally:
        _columns.reset(token)


def columns_of(model: type[Model]) -> tuple[str, ...] | None:
    """What the present operation reads of a table, keys included; None for all of it."""
    wanted = (_columns.get() or {}).get(model)
    return None if wanted is None else _with_keys(model, wanted)


@lru_cache(maxsize=512)
def _with_keys(model: type[Model], wanted: frozenset[str]) -> tuple[str, ...]:
    """By its keys a row is found, named, and led on from."""
    keys = {one.attname for one in model._meta.concrete_fields if one.primary_key or one.is_relation}
    return tuple(sorted({*wanted, *keys, "public_id"}))
