"""Checking codes of second factors: counted as passwords are, and each taken once."""

from __future__ import annotations

import time

from allauth.core import context
from allauth.headless.constants import Client
from allauth.headless.internal.restkit import inputs
from allauth.headless.mfa import views
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.db.models import F, Func, JSONField, Q, Value
from django.urls import URLPattern, path

from accounts.login.counting import attempt_from


class CountedCode(BaseAuthenticateForm):
    """A form with a code. Raises TooManyAttempts while it is cleaned."""

    def clean_code(self) -> str:
        attempt = attempt_from(context.request, f"code of {self.user.pk}")
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not _take(self.authenticator):
            raise get_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        return code


def _take(authenticator: Authenticator) -> bool:
    """Use up the present code of an authenticator, and those before it; False where that was done already (RFC 6238,
    5.2). The row remembers, not a cache: a code must not be good a second time because Valkey restarts."""
    step = int(time.time()) // app_settings.TOTP_PERIOD + app_settings.TOTP_TOLERANCE
    taken = Func(F("data"), Value("{last_step}"), Value(str(step)), function="jsonb_set", output_field=JSONField())
    unused = Q(data__last_step=None) | Q(data__last_step__lt=step)
    fresh = Authenticator.objects.filter(unused, pk=authenticator.pk)
    return bool(fresh.update(data=taken))


class AuthenticateInput(CountedCode, AuthenticateForm, inputs.Input):
    pass


class ReauthenticateInput(CountedCode, ReauthenticateForm, inputs.Input):
    pass


class AuthenticateView(views.AuthenticateView):
    input_class = AuthenticateInput


class ReauthenticateView(views.ReauthenticateView):
    input_class = ReauthenticateInput


# In the place of allauth's own of the same addresses, which count in the cache.
urlpatterns: list[URLPattern] = [
    path(f"{client.value}/v1/auth/2fa/{name}", view.as_api_view(client=client))
    for client in (Client.BROWSER, Client.APP)
    for name, view in (("authenticate", AuthenticateView), ("reauthenticate", ReauthenticateView))
]
