"""What every noun's table shares."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

LOADED_WITH = "_loaded_with"
"""Where a row keeps the list of those that it was loaded together with, itself among them."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nothing to mishear on the phone


class PublicModel(models.Model):
    """A bigint key for inside, a random UUID for outside: outsiders can neither count nor guess."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Columns that were left out when the row was loaded are read for all that were loaded together with it."""
        missing = [name for name in fields or () if name not in self.__dict__]
        peers = self.__dict__.get(LOADED_WITH, [])
        if missing and len(peers) > 1:
            lacking = {peer.pk: peer for peer in peers if missing[0] not in peer.__dict__}
            for pk, *values in type(self)._base_manager.filter(pk__in=lacking).values_list("pk", *missing):
                lacking[pk].__dict__.update(zip(missing, values, strict=True))
            fields = [name for name in fields or () if name not in self.__dict__]
            if not fields:
                return
        super().refresh_from_db(using, fields, from_queryset)


class ReferencedModel(PublicModel):
    """Adds the short reference that staff read out: a prefix and eight random Crockford characters."""

    reference_prefix: ClassVar[str]
    reference = models.CharField(max_length=12, unique=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def new_reference(cls) -> str:
        """40 random bits: at a million rows the chance that a new one collides is one in a million."""
        return f"{cls.reference_prefix}-" + "".join(secrets.choice(_CROCKFORD) for _ in range(8))

    def save(self, *args, **kwargs) -> None:
        if not self.reference:
            self.reference = self.new_reference()
        super().save(*args, **kwargs)
