"""What every noun's table shares."""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.db import models

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nothing to mishear on the phone


class PublicModel(models.Model):
    """A bigint key for inside, a random UUID for outside: outsiders can neither count nor guess."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


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
