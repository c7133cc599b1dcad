"""Programs whose users log in with us, what was given out to them, and accounts elsewhere that people log in with."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.admin import ClientAdmin as StockClientAdmin
from allauth.idp.oidc.models import Client, Token
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.console import ConsoleAdmin, ReadOnlyAdmin

for _model in (Client, Token, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Client)
class ClientAdmin(StockClientAdmin, ConsoleAdmin):
    """Its secret is shown once, when it is made."""

    raw_id_fields = ()
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)
    exclude = ("data",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("allauth_idp_oidc.delete_client")


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Deleting one shuts the program out for this user until they let it in again."""

    list_display = ("client", "type", "user", "created_at", "expires_at")
    list_filter = ("type",)
    list_select_related = ("client", "user")
    search_fields = ("client__name", "=user__email")
    fields = ("client", "type", "user", "created_at", "expires_at", "scopes")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("allauth_idp_oidc.delete_token")


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    """Which provider it may be is for the settings to say. Deleting one parts it from the user."""

    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_filter = ("provider",)
    list_select_related = ("user",)
    search_fields = ("=user__email", "uid")
    fields = ("user", "provider", "uid", "date_joined", "last_login")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("socialaccount.delete_socialaccount")
