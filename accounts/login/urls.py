"""Login endpoints of ours, in the place of allauth's of the same addresses."""

from __future__ import annotations

from typing import Any

from allauth.headless.constants import Client
from django.urls import URLPattern, path

from accounts.login import codes
from accounts.login.elsewhere import ProviderTokenView
from accounts.login.passwords import ChangePasswordView

VIEWS: dict[str, Any] = {
    "auth/2fa/authenticate": codes.AuthenticateView,
    "auth/2fa/reauthenticate": codes.ReauthenticateView,
    "auth/webauthn/login": codes.LoginWebAuthnView,
    "auth/webauthn/authenticate": codes.AuthenticateWebAuthnView,
    "auth/webauthn/reauthenticate": codes.ReauthenticateWebAuthnView,
    "account/authenticators/webauthn": codes.ManageWebAuthnView,
    "auth/provider/token": ProviderTokenView,
    "account/password/change": ChangePasswordView,
}
urlpatterns: list[URLPattern] = [
    path(f"{client.value}/v1/{name}", view.as_api_view(client=client))
    for client in (Client.BROWSER, Client.APP)
    for name, view in VIEWS.items()
]
