"""Where attempts to log in come from, and what is answered to those that are too many."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from allauth.account.signals import password_reset
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from accounts.actions.attempts import Attempt, Place, begin_attempt, remember_place
from accounts.errors import TooManyAttempts
from accounts.models import User

DEVICE_COOKIE = "muster_device"
DEVICE_HEADER = "X-Device-Token"  # of apps, which keep no cookies
DEVICE_COOKIE_SECONDS = 365 * 86_400
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
APP = "/_allauth/app/"
API = "/_allauth/"
OWN_PASSWORD = "admin:password_change"


def attempt_from(request: HttpRequest, account: str) -> Attempt:
    """Count an attempt at an account. Raises TooManyAttempts."""
    return begin_attempt(account=account, place=place_of(request), now=timezone.now())


def present_password(user: User) -> str:
    """As what guesses at it are counted, by whoever holds a session of theirs: these shut nobody out of a login."""
    return f"password of {user.pk}"


def place_of(request: HttpRequest) -> Place:
    return Place(address=get_ip(request), device=_device(request))


class AttemptsMiddleware:
    """Give whoever has logged in a token for their device, and tell those who try too often when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        token = getattr(request, "new_device", None)
        if token is not None and request.path_info.startswith(APP):
            response[DEVICE_HEADER] = token
        elif token is not None:
            response.set_cookie(
                DEVICE_COOKIE,
                token,
                max_age=DEVICE_COOKIE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """The console's page for another password is Django's, which checks the present one by itself."""
        match, user = request.resolver_match, request.user
        if request.method == "POST" and match and match.view_name == OWN_PASSWORD and isinstance(user, User):
            try:
                attempt_from(request, present_password(user))
            except TooManyAttempts as refused:
                return self.process_exception(request, refused)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyAttempts):
            return None
        if request.path_info.startswith(API):
            error = {"code": "too_many_login_attempts", "message": exception.message}
            response: HttpResponse = JsonResponse({"status": 429, "errors": [error]}, status=429)
        else:
            response = HttpResponse(exception.message, content_type="text/plain; charset=utf-8", status=429)
        response["Retry-After"] = str(exception.data["retry_after_seconds"])
        response["Cache-Control"] = "no-store"
        return response


@receiver(user_logged_in)
@receiver(password_reset)  # the way in for an owner who is nowhere known while somebody guesses
def _remember(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if not isinstance(user, User) or not request.META.get("REMOTE_ADDR"):
        return
    if not _device(request):
        request.new_device = secrets.token_urlsafe(32)  # type: ignore[attr-defined]
    remember_place(user=user, place=place_of(request), now=timezone.now())


def _device(request: HttpRequest) -> str:
    """The token that the request names, or that its answer will; "" for none, or for what was never given out."""
    token = getattr(request, "new_device", None) or request.COOKIES.get(DEVICE_COOKIE)
    token = token or request.headers.get(DEVICE_HEADER, "")
    return token if _TOKEN.fullmatch(token) else ""
