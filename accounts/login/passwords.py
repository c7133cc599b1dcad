"""Checking the present password of somebody who is logged in: counted too, for their session may be a thief's."""

from __future__ import annotations

from allauth.core import context
from allauth.headless.account import inputs, views

from accounts.login.counting import attempt_from, present_password


class ChangePasswordInput(inputs.ChangePasswordInput):
    def clean_current_password(self) -> str:
        """Raises TooManyAttempts."""
        attempt = attempt_from(context.request, present_password(self.user))
        password: str = super().clean_current_password()
        attempt.succeeded()
        return password


class ChangePasswordView(views.ChangePasswordView):
    input_class = ChangePasswordInput
