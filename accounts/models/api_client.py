"""What is known of the programs that use the API: the operations they registered, and what they use that will go."""

from __future__ import annotations

from django.db import models

LONGEST_CLIENT = 60


class TrustedDocument(models.Model):
    """An operation that a client registered. Requests name it by its hash instead of sending it; an installation may
    accept only those that are registered. The text never changes, as the hash is its own."""

    hash = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the text in UTF-8, in hexadecimal")
    client = models.CharField(max_length=LONGEST_CLIENT, help_text="whose operation it is")
    name = models.CharField(max_length=120, blank=True, help_text="of the operation, where it has one")
    text = models.TextField()
    registered_at = models.DateTimeField()

    class Meta:
        # The client's operations: to list them, and to forget those that its next release has no longer.
        indexes = [models.Index(fields=["client"], name="trusted_document_client_idx")]

    def __str__(self) -> str:
        return f"{self.client} {self.name or self.hash[:12]}"


class DeprecatedUse(models.Model):
    """How many requests of a client used something deprecated on one day (UTC)."""

    element = models.CharField(max_length=160, help_text="Type.field, Type.field(argument), Input.field or Enum.VALUE")
    client = models.CharField(max_length=LONGEST_CLIENT, help_text="as it names itself, or as it registered")
    day = models.DateField()
    uses = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["element", "client", "day"], name="one_count_per_element_client_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.element} by {self.client}: {self.uses}"
