"""Rows that were loaded together load what hangs on them together.

A list of rows knows its members. The first of them that is asked for a related row fetches it for all, in one
statement, and those related rows are again a list. So every list query takes the same number of statements for one row
and for a hundred, whatever the client selects, and resolvers stay plain functions of one row.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import ForeignKey, Model, prefetch_related_objects

from accounts.api.columns import columns_of
from accounts.models.base import LOADED_WITH
from accounts.queries.prepared import Prepared, prepare_by_id

M = TypeVar("M", bound=Model)

_ANSWERS = "_loaded_answers"


def together(rows: Iterable[M]) -> list[M]:
    """The rows as a list whose members load what hangs on them together."""
    peers = list(rows)
    for row in peers:
        row.__dict__[LOADED_WITH] = peers
    return peers


def peers_of(row: M) -> list[M]:
    """The rows loaded together with this one, itself among them."""
    peers: list[M] | None = row.__dict__.get(LOADED_WITH)
    return peers if peers is not None else together([row])


def related(row: Model, name: str) -> Any:
    """The row at the end of a foreign key or one-to-one relation, from either side; None if there is none."""
    peers = peers_of(row)
    if not _is_loaded(row, name):
        _load(peers, name)
    value = _one(row, name)
    if value is not None and LOADED_WITH not in value.__dict__:
        found = (_one(peer, name) for peer in peers if _is_loaded(peer, name))
        together({id(one): one for one in found if one is not None}.values())
    return value


def related_list(row: Model, name: str) -> list[Any]:
    """The rows of a reverse foreign key or many-to-many relation, all of them: for short lists."""
    peers = peers_of(row)
    if name not in getattr(row, "_prefetched_objects_cache", {}):
        prefetch_related_objects(peers, name)
    values = list(getattr(row, name).all())
    if values and LOADED_WITH not in values[0].__dict__:
        loaded = (peer for peer in peers if name in getattr(peer, "_prefetched_objects_cache", {}))
        together(value for peer in loaded for value in getattr(peer, name).all())
    return values


def batched(row: Model, key: Hashable, load: Callable[[list[Any]], Mapping[Any, Any]], default: Any) -> Any:
    """An answer about one row that is found for all its peers at once: `load` maps rows to answers by primary key."""
    answers = row.__dict__.setdefault(_ANSWERS, {})
    if key not in answers:
        peers = peers_of(row)
        found = load(peers)
        for peer in peers:
            peer.__dict__.setdefault(_ANSWERS, {})[key] = found.get(peer.pk, default)
    return answers[key]


def answered(row: Model, key: Hashable) -> Any:
    """What `batched` found for a row under this key; None where nobody has asked yet."""
    return row.__dict__.get(_ANSWERS, {}).get(key)


def _load(peers: list[Any], name: str) -> None:
    model: Any = type(peers[0])
    key = _foreign_key(model, name)
    if key is None:
        prefetch_related_objects(peers, name)
        return
    lacking = [peer for peer in peers if not _is_loaded(peer, name)]
    ids = {pk for peer in lacking if (pk := getattr(peer, key.attname)) is not None}
    found: dict[Any, Any] = {}
    if ids:
        model = key.related_model
        found = {one.pk: one for one in _rows(model, columns_of(model)).instances(ids=sorted(ids))}
    for peer in lacking:
        key.set_cached_value(peer, found.get(getattr(peer, key.attname)))


@cache
def _foreign_key(model: type[Model], name: str) -> ForeignKey | None:
    """The column that leads to a row by its primary key; None for relations from the other side."""
    fields = (field for field in model._meta.concrete_fields if isinstance(field, ForeignKey) and field.name == name)
    return next((field for field in fields if field.target_field.primary_key), None)


@lru_cache(maxsize=512)
def _rows(model: type[Model], columns: tuple[str, ...] | None) -> Prepared:
    return prepare_by_id(model._base_manager.all(), columns)


def _is_loaded(row: Model, name: str) -> bool:
    return name in row._state.fields_cache


def _one(row: Model, name: str) -> Any:
    try:
        return getattr(row, name)
    except ObjectDoesNotExist:  # the far side of a one-to-one relation is empty
        return None
