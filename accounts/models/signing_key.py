"""The keys that sign tokens, once the first of them has been replaced."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def trusted(self, now: datetime) -> SigningKeyQuerySet:
        """Those whose signatures count, among them those that do not sign yet."""
        return self.filter(models.Q(trusted_until=None) | models.Q(trusted_until__gt=now))


class SigningKey(models.Model):
    """An RSA key. Of those that are trusted and sign already, the one that began last signs.

    A row outlives its key: it says that the key of this name is not to be trusted, whoever still has it in a setting.
    """

    kid = models.CharField("key id", max_length=64, unique=True, help_text="its thumbprint (RFC 7638)")
    private_key = models.TextField(blank=True, editable=False, help_text="PEM, sealed; empty once nothing needs it")
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField(help_text="until then it is only announced")
    trusted_until = models.DateTimeField(
        null=True, blank=True, help_text="then the last token that it signed has run out"
    )

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["signs_from", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(private_key="") | models.Q(trusted_until__isnull=False),
                name="signing_key_has_a_key_while_it_is_trusted",
            )
        ]

    def __str__(self) -> str:
        return self.kid
