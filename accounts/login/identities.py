"""Accounts that people have at other providers: that they are theirs is kept, and nothing that the provider says."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.db.models.signals import pre_save
from django.dispatch import receiver

from accounts.models.sealed import open_texts


class Identities(DefaultSocialAccountAdapter):
    def serialize_instance(self, instance: Any) -> Any:
        """For a session, while somebody logs in: as texts, which allauth makes a row of again."""
        open_texts(instance)
        return super().serialize_instance(instance)


@receiver(pre_save, sender=SocialAccount)
def _keep_nothing_else(instance: SocialAccount, **_: Any) -> None:
    """Their name and address are in it, in plain, and nothing asks for it again."""
    instance.extra_data = {}
