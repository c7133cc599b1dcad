"""How people log in: confirmed addresses, second factors, sessions. Secrets are never shown."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.console import ConsoleAdmin, ReadOnlyAdmin
from accounts.models import AttemptCounter, KnownPlace, SigningKey

for _model in (EmailAddress, Authenticator, UserSession):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ConsoleAdmin):
    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("=email", "=user__email")
    autocomplete_fields = ("user",)
    fields = ("user", "email", "primary", "verified")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("account.delete_emailaddress")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Deleting one is how staff help somebody who lost their phone."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "ip", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("=user__email", "ip")
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")


@admin.register(AttemptCounter)
class AttemptCounterAdmin(ReadOnlyAdmin):
    """Nobody can tell whose it is. Deleting lets whoever it was try again."""

    list_display = ("key", "level", "at")
    ordering = ("-at",)
    fields = ("key", "level", "at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.delete_attemptcounter")


@admin.register(KnownPlace)
class KnownPlaceAdmin(ReadOnlyAdmin):
    """Deleting one makes a device or address a stranger's: for a laptop that was stolen."""

    list_display = ("user", "kind", "seen_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    fields = ("user", "kind", "seen_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.delete_knownplace")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """`manage.py signing_keys` makes and withdraws them."""

    list_display = ("kid", "created_at", "signs_from", "trusted_until")
    fields = ("kid", "created_at", "signs_from", "trusted_until")
