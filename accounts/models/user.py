"""Who logs in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from accounts.models.base import PublicModel
from accounts.models.sealed import HashOf, SealedAddressField
from accounts.models.table_state import changes_renew_the_state


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def people(self) -> UserQuerySet:
        """Those who read what is written to them."""
        return self.active().filter(is_service=False)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("a user has an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email=email)


class User(PublicModel, AbstractBaseUser, PermissionsMixin):
    """A person who can log in, by e-mail address. `is_staff` marks Muster's own operations staff."""

    email = SealedAddressField("e-mail address", row=["public_id"], blank=False)
    name = models.CharField(max_length=200, blank=True)
    is_staff = models.BooleanField("staff", default=False)
    is_service = models.BooleanField("service", default=False, help_text="a program of an organisation: nobody logs in")
    is_active = models.BooleanField("active", default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                HashOf("email"),
                name="user_email_is_unique",
                violation_error_message="There is a login with this address.",
            ),
            models.CheckConstraint(
                condition=models.Q(is_service=False)
                | models.Q(is_staff=False, is_superuser=False, password__startswith="!"),
                name="service_user_is_no_staff_and_has_no_password",
            ),
        ]
        triggers = changes_renew_the_state("name")  # which is all that strangers are shown, of who leads something

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email
