"""`manage.py person`: all that is held on somebody as JSON, and its erasure."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.errors import DomainError
from marketplace.actions.persons import erase, export_person
from marketplace.queries.persons import person_named


class Command(BaseCommand):
    help = "Export all that is held on a person as JSON, or erase it; by e-mail address or public id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["export", "erase"])
        parser.add_argument("who", help="an e-mail address, or the public id of a login or a candidate")
        parser.add_argument(
            "--again", action="store_true", help="erase what was written since of somebody who is erased"
        )
        parser.add_argument("--yes", action="store_true", help="erase without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        person, actor, now = person_named(options["who"]), Actor.system(), timezone.now()
        if not (person.users or person.candidates):
            raise CommandError("There is no such person.")
        try:
            if options["what"] == "export":
                told = export_person(person, actor=actor, inside=True, now=now)
                self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
                return
            about = f"{len(person.users)} logins and {len(person.candidates)} candidates"
            if not options["yes"] and input(f"Erase {about} for good? Type yes: ").strip() != "yes":
                raise CommandError("Nothing was erased.")
            erase(person, actor=actor, now=now, again=options["again"])
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{about} erased")
