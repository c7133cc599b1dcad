"""Checking second factors: codes are counted as passwords are, and each is taken once."""

from __future__ import annotations

import struct
import time
from typing import Any

from allauth.core import context
from allauth.headless.internal.restkit import inputs
from allauth.headless.mfa import views
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.db.models import F, Func, JSONField, Q, Value

from accounts.login.counting import attempt_from

LONGEST_PART = 8_192  # of what an authenticator signed, in base64
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error)


class CountedCode(BaseAuthenticateForm):
    """A form with a code. Raises TooManyAttempts while it is cleaned."""

    def clean_code(self) -> str:
        attempt = attempt_from(context.request, f"code of {self.user.pk}")
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not take_code(self.authenticator):
            raise get_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        return code


def take_code(authenticator: Authenticator) -> bool:
    """Use up the present code of an authenticator, and those before it; False where that was done already (RFC 6238,
    5.2). The row remembers, not a cache: a code must not be good a second time because Valkey restarts."""
    step = int(time.time()) // app_settings.TOTP_PERIOD + app_settings.TOTP_TOLERANCE
    taken = Func(F("data"), Value("{last_step}"), Value(str(step)), function="jsonb_set", output_field=JSONField())
    unused = Q(data__last_step__isnull=True) | Q(data__last_step__lt=step)
    fresh = Authenticator.objects.filter(unused, pk=authenticator.pk)
    return bool(fresh.update(data=taken))


class CheckedCredential(forms.Form):
    """A form with what an authenticator signed: whatever else is sent is a wrong one, and no bug of ours."""

    def clean_credential(self) -> Any:
        if not _is_credential(self.cleaned_data["credential"]):
            raise get_adapter().validation_error("incorrect_code")
        try:
            inner: Any = getattr(super(), "clean_credential", lambda: self.cleaned_data["credential"])
            return inner()
        except UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error

    def clean(self) -> Any:
        try:
            return super().clean()
        except UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error


def _is_credential(given: Any) -> bool:
    """Whether this could be a PublicKeyCredential as a browser's `toJSON()` writes it. What is in its response is text;
    a new key's also says its algorithm, a number, and the ways by which the authenticator was reached, a list."""
    response = given.get("response") if isinstance(given, dict) else None
    if not isinstance(response, dict):
        return False
    signed = [response.get(name) for name in ("clientDataJSON", *(_SIGNED & response.keys()))]
    texts = [given.get("id"), given.get("rawId"), *signed]
    others = [response[name] for name in response.keys() - _SIGNED]
    return all(map(_is_short, texts)) and all(
        one is None or isinstance(one, int) or _is_short(one) or (isinstance(one, list) and all(map(_is_short, one)))
        for one in others
    )


_SIGNED = {"clientDataJSON", "attestationObject", "authenticatorData", "signature"}


def _is_short(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_PART


class AuthenticateInput(CountedCode, AuthenticateForm, inputs.Input):
    pass


class ReauthenticateInput(CountedCode, ReauthenticateForm, inputs.Input):
    pass


class AuthenticateView(views.AuthenticateView):
    input_class = AuthenticateInput


class ReauthenticateView(views.ReauthenticateView):
    input_class = ReauthenticateInput


class LoginWebAuthnInput(CheckedCredential, LoginWebAuthnForm, inputs.Input):
    pass


class AuthenticateWebAuthnInput(CheckedCredential, AuthenticateWebAuthnForm, inputs.Input):
    pass


class ReauthenticateWebAuthnInput(CheckedCredential, ReauthenticateWebAuthnForm, inputs.Input):
    pass


class AddWebAuthnInput(CheckedCredential, AddWebAuthnForm, inputs.Input):
    pass


class LoginWebAuthnView(views.LoginWebAuthnView):
    input_class = {"POST": LoginWebAuthnInput}


class AuthenticateWebAuthnView(views.AuthenticateWebAuthnView):
    input_class = {"POST": AuthenticateWebAuthnInput}


class ReauthenticateWebAuthnView(views.ReauthenticateWebAuthnView):
    input_class = {"POST": ReauthenticateWebAuthnInput}


class ManageWebAuthnView(views.ManageWebAuthnView):
    input_class = {**views.ManageWebAuthnView.input_class, "POST": AddWebAuthnInput}
