"""The console's second question: staff come with a second factor, and set one up where they have none.

The password that they have just typed is the first. Whoever logged in elsewhere with a second factor is let through.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import auto_generate_recovery_codes
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP, clear_totp_secret
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django import forms
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.login.codes import CheckedCredential, CountedCode, take_code
from accounts.login.second_factors import came_with_second_factor
from accounts.models import User

OPEN = ("login", "logout", "second_factor", "jsi18n")


class CodeForm(CountedCode, AuthenticateForm):
    pass


class KeyForm(CheckedCredential, AuthenticateWebAuthnForm):
    pass


class SecondFactorMiddleware:
    """Send staff who came with a password alone to the page below, whatever of the console they ask for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.STAFF_NEED_SECOND_FACTOR or match is None or match.app_name != "admin":
            return None
        user = request.user
        if match.url_name in OPEN or not isinstance(user, User) or came_with_second_factor(user, request.session):
            return None
        return redirect_to_login(request.get_full_path(), reverse("second_factor"))


@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        return redirect_to_login(reverse("admin:index"), reverse("admin:login"))
    adapter = get_adapter()
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    if adapter.is_mfa_enabled(user, kinds):
        return _ask(request, user)
    return _set_up(request, user)


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    with_key = "credential" in request.POST
    kind: Any = KeyForm if with_key else CodeForm
    form = kind(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        return _onward(request)
    has_key = get_adapter().is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN])
    return _page(request, form, options=_plain(begin_authentication(user)) if has_key else None)


def _set_up(request: HttpRequest, user: User) -> HttpResponse:
    form = ActivateTOTPForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            authenticator = TOTP.activate(user, form.secret).instance
            take_code(authenticator)
            auto_generate_recovery_codes(request)
        clear_totp_secret(request)
        post_authentication(request, authenticator)
        get_adapter().send_notification_mail("mfa/email/totp_activated", user)
        return _onward(request)
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(user, form.secret))
    return _page(request, form, secret=form.secret, picture=mark_safe(picture[picture.index("<svg") :]))


def _plain(options: dict[str, Any]) -> Any:
    """What a browser is asked, as JSON has it."""
    return json.loads(json.dumps(options, default=dict))


def _onward(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if is_ours else reverse("admin:index"))


def _page(request: HttpRequest, form: forms.Form, **shown: Any) -> HttpResponse:
    nonce = secrets.token_urlsafe(16)
    response = render(request, "console/second_factor.html", {"form": form, "nonce": nonce, **shown})
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
        "form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return response
