"""What is asked of an address before there is an account for it."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError

from accounts.models import User

LONGEST_ADDRESS = User._meta.get_field("email").max_length or 0


class AccountAdapter(DefaultAccountAdapter):
    def clean_email(self, email: str) -> str:
        """Raises ValidationError for what would be cut off when it is stored: another address, if any."""
        if len(email) > LONGEST_ADDRESS:
            raise ValidationError(f"An address has at most {LONGEST_ADDRESS} characters.", code="max_length")
        cleaned: str = super().clean_email(email)
        return cleaned
