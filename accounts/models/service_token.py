"""Tokens by which programs of an organisation act for it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.core.scopes import Scope
from accounts.models.base import PublicModel
from accounts.models.organisation import Membership, Organisation
from accounts.models.user import User


class ServiceTokenQuerySet(models.QuerySet["ServiceToken"]):
    def live(self, now: datetime) -> ServiceTokenQuerySet:
        return self.filter(revoked_at=None, expires_at__gt=now)

    def valid(self, now: datetime) -> ServiceTokenQuerySet:
        """Those that open anything: their user is a member still, their organisation not suspended."""
        membership = Membership.objects.filter(
            user_id=models.OuterRef("user_id"), organisation_id=models.OuterRef("organisation_id")
        )
        return self.live(now).filter(models.Exists(membership), user__is_active=True, organisation__suspended_at=None)


class ServiceToken(PublicModel):
    """A name, what it may do and until when. The secret is shown once and known by its hash from then on.

    Each has a user of its own, who is a member of the organisation: every rule of access holds for it as for people,
    and what it does is recorded under its name.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="service_tokens")
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="service_token")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the secret")
    hint = models.CharField(max_length=20, help_text="how the secret begins, to recognise it by")
    scopes = ArrayField(
        models.CharField(max_length=20, choices=[(one.value, one.value) for one in Scope]), default=list
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceTokenQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=models.Q(revoked_at=None),
                name="one_service_token_of_a_name_per_organisation",
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=[one.value for one in Scope]),
                name="service_token_scopes_are_known",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="service_token_expires_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
