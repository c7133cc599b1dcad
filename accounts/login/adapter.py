"""What may be an account's address, and to which addresses people are sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User

LONGEST_ADDRESS = User._meta.get_field("email").max_length or 0


class AccountAdapter(DefaultAccountAdapter):
    def clean_email(self, email: str) -> str:
        """Raises ValidationError for what would be cut off when it is stored: another address, if any."""
        if len(email) > LONGEST_ADDRESS:
            raise ValidationError(f"An address has at most {LONGEST_ADDRESS} characters.", code="max_length")
        cleaned: str = super().clean_email(email)
        return cleaned

    def is_safe_url(self, url: str | None) -> bool:
        """Whether somebody may be sent there after a login: to this server and to the frontend."""
        frontend = urlsplit(settings.FRONTEND_URL)
        is_ours = url_has_allowed_host_and_scheme(url, {frontend.netloc}, require_https=frontend.scheme == "https")
        return is_ours or bool(super().is_safe_url(url))
