"""The keys that sign tokens, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.signing_keys import roll_signing_key, withdraw_signing_key
from accounts.errors import DomainError
from accounts.login.keys import keys, signing_key


class Command(BaseCommand):
    help = "Replace the key that signs tokens; what the former one signed holds until it runs out"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="the keys that are trusted, and which of them signs")
        roll = verbs.add_parser("roll", help="make another key, which signs after it has been announced")
        roll.add_argument(
            "--announced",
            type=int,
            default=settings.IDP_OIDC_JWKS_CACHE_CONTROL,
            metavar="SECONDS",
            help="how long it is listed before it signs; as long as others keep the list (%(default)s)",
        )
        withdraw = verbs.add_parser("withdraw", help="trust nothing any more that this key has signed")
        withdraw.add_argument("kid")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            match options["verb"]:
                case "roll":
                    key = roll_signing_key(now=now, announced=timedelta(seconds=max(0, options["announced"])))
                    self.stdout.write(f"{key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on")
                case "withdraw":
                    withdraw_signing_key(kid=options["kid"], now=now)
                    self.stdout.write(f"{options['kid']} is not trusted any more")
                case _:
                    self._list()
        except DomainError as error:
            raise CommandError(error.message) from error

    def _list(self) -> None:
        now = timezone.now()
        signs = signing_key(now).kid
        for key in keys(now):
            until = f"until {key.trusted_until:%Y-%m-%d %H:%M} UTC" if key.trusted_until else "until it is replaced"
            state = "signs" if key.kid == signs else "announced" if key.signs_from > now else "trusted"
            self.stdout.write(f"{key.kid}  {state}, {until}")
