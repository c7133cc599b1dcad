"""Who posts and hires, and who may act for them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models.base import PublicModel
from accounts.models.table_state import changes_renew_the_state
from accounts.models.user import User


class Organisation(PublicModel):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    website = models.URLField(blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217; amounts are shown in it")
    created_at = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    members = models.ManyToManyField(
        User, through="Membership", through_fields=("organisation", "user"), related_name="organisations"
    )

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="organisation_has_a_name"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="organisation_currency_is_a_code"
            ),
            models.CheckConstraint(
                condition=models.Q(country="") | models.Q(country__regex=r"^[A-Z]{2}$"),
                name="organisation_country_is_a_code",
            ),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def managing(self) -> MembershipQuerySet:
        """Those who may write for the organisation."""
        return self.filter(role__in=Membership.MANAGING_ROLES)


class Membership(PublicModel):
    """A user's role in an organisation. Owners also manage members; observers only read."""

    class Role(models.TextChoices):
        OWNER = "owner"
        RECRUITER = "recruiter"
        OBSERVER = "observer"

    MANAGING_ROLES = (Role.OWNER, Role.RECRUITER)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    joined_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, editable=False, help_text="empty until they say that they are"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_membership_per_user_and_organisation"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "recruiter", "observer"]), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.organisation}"
