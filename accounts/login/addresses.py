"""allauth's table of addresses, whose addresses lie sealed like our own: `accounts.models.sealed`.

Its model cannot be swapped, and all that allauth asks of the column is for whole addresses in small letters. So the
column is replaced when the class is made, before anybody has seen it, and what was unique of it is unique by its hash.
The step of the database is the last of `accounts.account_migrations`.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import class_prepared

MODULE = "allauth.account.models"


def seal_addresses(sender: Any, **_: Any) -> None:
    """Of the model itself: migrations make others of the same name."""
    if sender.__module__ == MODULE and sender.__name__ == "EmailAddress":
        _replace_address(sender)


def _replace_address(model: Any) -> None:
    from accounts.models.sealed import HashOf, SealedAddressField

    options, plain = model._meta, model._meta.get_field("email")
    sealed = SealedAddressField(plain.verbose_name, row=["user_id"], max_length=plain.max_length, blank=False)
    sealed.creation_counter = plain.creation_counter  # its place among the columns
    options.local_fields.remove(plain)
    sealed.contribute_to_class(model, plain.name)
    options.unique_together = options.original_attrs["unique_together"] = ()
    options.constraints = [
        *(one for one in options.constraints if "email" not in one.fields),
        # Which is also how addresses are looked up.
        models.UniqueConstraint(HashOf("email"), models.F("user"), name="one_row_per_user_and_address"),
        models.UniqueConstraint(HashOf("email"), condition=models.Q(verified=True), name="unique_verified_email"),
    ]


def watch() -> None:
    """Before allauth's models are made."""
    class_prepared.connect(seal_addresses, dispatch_uid="addresses are sealed")
