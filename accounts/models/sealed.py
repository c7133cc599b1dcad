"""Columns of texts that are sealed: `accounts.field_keys`.

    phone = SealedLineField(max_length=40, row=["public_id"])
    resume_text = SealedTextField(row=["public_id"])

    email = SealedAddressField(row=["public_id"])

Rows read and write it as text. It is opened when it is asked for, not when the row is read, and sealed anew only where
it was set. The database sees bytes; so nothing but "empty" can be asked of it: a condition on anything else, or an
`update()` with a text, raises TypeError. Of `values()` one gets a `Sealed`, which the field's `opened` opens. Addresses
are found by the whole of them besides: `exact`, `iexact` and `in` compare hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import lookups
from django.db.models.query_utils import DeferredAttribute

from accounts.core.seal import bound_to
from accounts.field_keys import blind, seal, unseal

HASH_BYTES = 32


class Sealed:
    """A sealed text, and the text once it was opened. Shows nothing of it."""

    __slots__ = ("data", "text")

    def __init__(self, data: bytes, text: str | None = None) -> None:
        self.data, self.text = data, text

    def __repr__(self) -> str:
        return f"Sealed({len(self.data)} bytes)"


class _Opening(DeferredAttribute):
    """Opens what was read of the row the first time it is asked for."""

    field: SealedField

    def __get__(self, instance: models.Model | None, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, owner)
        if not isinstance(value, Sealed):
            return value
        if value.text is None:
            value.text = self.field.unpacked(value.data, bound=self.field.bound(instance))
        return value.text

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.Field):
    """`row` names the fields that name the row, to which its texts are bound: set before it is saved first, and never
    changed. Empty where there is no text."""

    descriptor_class = _Opening
    head_bytes = 0
    """That stand in the column before the sealed text."""
    can_be_asked = "whether it is empty"

    def __init__(self, *args: Any, row: list[str], **options: Any) -> None:
        self.row = row
        super().__init__(*args, **{"blank": True, "default": "", **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, **({} if self.blank else {"blank": False}), "row": self.row}

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def place(self) -> str:
        """The column, as texts are bound to it. It outlives a new name of the table's."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def bound(self, row: Any) -> bytes:
        """What the text of a row, or of a mapping with the fields that name it, is bound to."""
        get = row.__getitem__ if isinstance(row, Mapping) else lambda name: getattr(row, name)
        return bound_to(self.place, map(get, self.row))

    def packed(self, text: str, *, bound: bytes) -> bytes:
        """What the column holds of a text."""
        return seal(text, bound=bound)

    def unpacked(self, data: bytes, *, bound: bytes) -> str:
        """Raises KeyMissing, SealBroken."""
        return unseal(data, bound=bound)

    def sealed(self, row: Any, text: str) -> Sealed:
        """For `update()`, and for rows written in bulk."""
        return Sealed(self.packed(text, bound=self.bound(row)), text)

    def opened(self, row: Mapping[str, Any]) -> str:
        """The text in a row of `values()` that has the fields that name it. Raises CannotOpen."""
        value = row[self.name]
        return self.unpacked(value.data, bound=self.bound(row)) if isinstance(value, Sealed) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname, "")
        if isinstance(value, str) and value:
            value = model_instance.__dict__[self.attname] = self.sealed(model_instance, value)
        return value

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return value if value is None else Sealed(bytes(value)) if len(value) else ""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.data
        if value == "":
            return b""
        if value is None:
            return None
        raise self._misused()

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in ("exact", "in", "isnull"):  # the others would compare with what is sealed
            raise self._misused()
        return super().get_lookup(lookup_name)

    def _misused(self) -> TypeError:
        return TypeError(f"{self.place} is sealed: the database can only be asked {self.can_be_asked}")


class SealedLineField(SealedField, models.CharField):
    """One line, of at most `max_length` characters."""


class SealedTextField(SealedField, models.TextField):
    """A text of any length."""


class SealedAddressField(SealedField, models.EmailField):
    """An e-mail address, by the whole of which rows are found, whatever the case of its letters.

        column = hash (32) · sealed

    What has to be unique, or found fast, is `HashOf` the column.
    """

    head_bytes = HASH_BYTES
    can_be_asked = "for a whole address"

    def packed(self, text: str, *, bound: bytes) -> bytes:
        return hash_of(text) + super().packed(text, bound=bound) if text else b""

    def unpacked(self, data: bytes, *, bound: bytes) -> str:
        return super().unpacked(data[HASH_BYTES:], bound=bound)

    def get_prep_value(self, value: Any) -> Any:
        """A text is what rows are compared with."""
        return hash_of(value) if isinstance(value, str) and value else super().get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str) and value:
            raise self._misused()
        return super().get_db_prep_save(value, connection)

    def get_lookup(self, lookup_name: str) -> Any:
        return _BY_HASH.get(lookup_name) or super().get_lookup(lookup_name)


class HashOf(models.Func):
    """Of a column of addresses, what its rows are told apart by."""

    function = "substring"
    template = f"%(function)s(%(expressions)s, 1, {HASH_BYTES})"
    arity = 1
    output_field = models.BinaryField()


class _ByHash:
    """Compares hashes, as the index has them."""

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        sql, params = super().process_lhs(compiler, connection, lhs)  # type: ignore[misc]
        return f"substring({sql}, 1, {HASH_BYTES})", params

    def get_prep_lookup(self) -> Any:
        if hasattr(self.rhs, "resolve_expression"):  # type: ignore[attr-defined]
            raise self.lhs.output_field._misused()  # type: ignore[attr-defined]
        return super().get_prep_lookup()  # type: ignore[misc]


class _SameHash(_ByHash, lookups.Exact):
    pass


class _HashAmong(_ByHash, lookups.In):
    pass


_BY_HASH = {"exact": _SameHash, "iexact": _SameHash, "in": _HashAmong}


def hash_of(address: str) -> bytes:
    """What an address is found by: `accounts.field_keys.blind` of it in small letters."""
    return blind("address", [address.lower()])


def open_texts(row: models.Model) -> None:
    """Have all its texts as texts, also where somebody looks into the row. Raises CannotOpen."""
    for field in row._meta.concrete_fields:
        if isinstance(field, SealedField) and field.attname in row.__dict__:
            row.__dict__[field.attname] = getattr(row, field.attname)


def sealed_field(model: type[models.Model], name: str) -> SealedField:
    field = model._meta.get_field(name)
    assert isinstance(field, SealedField)
    return field


def sealed_fields() -> Iterator[tuple[type[models.Model], list[SealedField]]]:
    """Of every table that has some."""
    for model in apps.get_models():
        found = [field for field in model._meta.concrete_fields if isinstance(field, SealedField)]
        if found:
            yield model, found
