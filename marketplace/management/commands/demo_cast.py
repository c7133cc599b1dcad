"""manage.py demo_cast: all who play an evening, as JSON, with tokens good for a day. Development only."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Membership
from marketplace.demo.tokens import access_tokens
from marketplace.models import Candidate


class Command(BaseCommand):
    help = "Print recruiters and candidates of the demo market with tokens as JSON. Refuses outside development."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("Demo people exist in development only.")
        owners = Membership.objects.filter(role=Membership.Role.OWNER).order_by("organisation__name", "pk")
        owners = owners.filter(user__candidate=None).select_related("user", "organisation")  # nobody plays two parts
        candidates = Candidate.objects.present().exclude(user=None).select_related("user").order_by("pk")
        users = {user.pk: user for user in (*(m.user for m in owners), *(c.user for c in candidates)) if user}
        tokens = access_tokens(users.values())
        cast = {
            "recruiters": [
                {"email": m.user.email, "token": tokens[m.user_id], "organisation": m.organisation.name} for m in owners
            ],
            "candidates": [{"email": c.user.email, "token": tokens[c.user.pk]} for c in candidates if c.user],
        }
        self.stdout.write(json.dumps(cast))
