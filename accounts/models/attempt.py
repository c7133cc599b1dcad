"""Attempts to log in, counted, and from where somebody is known."""

from __future__ import annotations

from django.db import models

from accounts.models.user import User


class AttemptCounter(models.Model):
    """A bucket of attempts: how full it was, and when. Who or where is a keyed hash: no list of visitors."""

    key = models.CharField(max_length=64, unique=True)
    level = models.FloatField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(level__gte=0), name="attempt_level_is_not_negative")]
        indexes = [models.Index(fields=["at"], name="attempt_expiry_idx")]

    def __str__(self) -> str:
        return f"{self.key[:12]}: {self.level:.1f}"


class KnownPlace(models.Model):
    """A device or an address from which somebody has logged in; as a keyed hash."""

    class Kind(models.TextChoices):
        DEVICE = "device"
        ADDRESS = "address"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_places")
    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "digest"], name="one_known_place_per_user"),
            models.CheckConstraint(condition=models.Q(kind__in=["device", "address"]), name="place_kind_is_known"),
        ]
        indexes = [models.Index(fields=["seen_at"], name="place_expiry_idx")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
