"""Columns of texts that are sealed: `accounts.field_keys`.

    phone = SealedLineField(max_length=40, row=["public_id"])
    resume_text = SealedTextField(row=["public_id"])

Rows read and write it as text. It is opened when it is asked for, not when the row is read, and sealed anew only where
it was set. The database sees bytes; so nothing but "empty" can be asked of it: a condition on anything else, or an
`update()` with a text, raises TypeError. Of `values()` one gets a `Sealed`, which the field's `opened` opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from accounts.core.seal import bound_to
from accounts.field_keys import seal, unseal


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
            value.text = unseal(value.data, bound=self.field.bound(instance))
        return value.text

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.Field):
    """`row` names the fields that name the row, to which its texts are bound: set before it is saved first, and never
    changed. Empty where there is no text."""

    descriptor_class = _Opening

    def __init__(self, *args: Any, row: list[str], **options: Any) -> None:
        self.row = row
        super().__init__(*args, **{"blank": True, "default": "", **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "row": self.row}

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

    def sealed(self, row: Any, text: str) -> Sealed:
        """For `update()`, and for rows written in bulk."""
        return Sealed(seal(text, bound=self.bound(row)), text)

    def opened(self, row: Mapping[str, Any]) -> str:
        """The text in a row of `values()` that has the fields that name it. Raises CannotOpen."""
        value = row[self.name]
        return unseal(value.data, bound=self.bound(row)) if isinstance(value, Sealed) else value

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
        return TypeError(f"{self.place} is sealed: the database can only be asked whether it is empty")


class SealedLineField(SealedField, models.CharField):
    """One line, of at most `max_length` characters."""


class SealedTextField(SealedField, models.TextField):
    """A text of any length."""


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
