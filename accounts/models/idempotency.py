"""Answers kept so that a retried request does not do its work twice."""

from __future__ import annotations

from django.db import models

from accounts.models.sealed import SealedTextField


class IdempotencyRecord(models.Model):
    """One keyed mutation of one principal. `response` is set in the transaction that did the work, and empty
    before.

    A record without a response is in flight; after its lease has passed, another request may take it over.
    """

    principal = models.CharField(max_length=60, help_text="user id, or 'anonymous'")
    key = models.CharField(max_length=120)
    operation = models.CharField(max_length=80, help_text="name of the mutation field")
    fingerprint = models.CharField(max_length=64, help_text="keyed hash of the operation and its input")
    response = SealedTextField(row=["principal", "key"], help_text="JSON; it may tell what is sealed elsewhere")
    leased_until = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="one_record_per_principal_and_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_expiry_idx")]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"
