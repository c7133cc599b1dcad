"""What a link to another password is good for: until the password, or one of the addresses, is another."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.manage_email import sync_user_email_address
from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class ResetTokens(PasswordResetTokenGenerator):
    """allauth's, of addresses that are opened one by one."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        sync_user_email_address(user)
        addresses = {user.email, *(each.email for each in EmailAddress.objects.filter(user_id=user.pk))} - {""}
        return f"{super()._make_hash_value(user, timestamp)}{'|'.join(sorted(addresses))}"
