"""Checking passwords, each check counted: whoever asks, the login endpoints, the console or anything else."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.login.counting import attempt_from


class CountingBackend(AuthenticationBackend):
    """The first of the backends, and the only one that checks anything: a wrong password ends the search."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        """The user, or None without a password. Raises TooManyAttempts; PermissionDenied for a wrong password."""
        account = credentials.get("email") or credentials.get("username")
        if request is None or not account or not credentials.get("password"):
            return None
        attempt = attempt_from(request, str(account))
        user = super().authenticate(request, **credentials)
        if user is None:
            raise PermissionDenied
        attempt.succeeded()
        return user
