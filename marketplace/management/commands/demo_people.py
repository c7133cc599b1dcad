"""manage.py demo_people: who may log into the demo market, as JSON, with tokens good for a day. Development only."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from marketplace.demo.loading import PASSWORD, demo_people
from marketplace.demo.tokens import access_tokens


class Command(BaseCommand):
    help = "Print the demo people with passwords and tokens as JSON. Refuses outside development."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("Demo people exist in development only.")
        people = demo_people(now=timezone.now())
        if not people:
            raise CommandError("There is no demo market yet; run load_demo first.")
        tokens = access_tokens({user.pk: user for user in people.values()}.values())
        described = {
            role: {"email": user.email, "password": PASSWORD, "token": tokens[user.pk]} for role, user in people.items()
        }
        self.stdout.write(json.dumps(described, indent=2))
