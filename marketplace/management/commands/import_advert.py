"""manage.py import_advert FILE…: plain-text job adverts become draft opportunities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.core.actor import Actor
from accounts.errors import DomainError
from accounts.models import Organisation
from marketplace.actions.adverts import DraftedAdvert, draft_advert
from marketplace.demo.drafts import demo_organisation
from marketplace.models import Skill

LARGEST = 1_000_000  # bytes; an advert is a page or two


class Command(BaseCommand):
    help = "Draft opportunities from plain-text adverts; says what could not be read. All of the files or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--organisation", metavar="SLUG", help="who posts them (default: the demo's first)")
        parser.add_argument(
            "--create-organisation", action="store_true", help="create it if there is none of that slug"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        texts = [(path, _text(path)) for path in options["files"]]
        now = timezone.now()
        with transaction.atomic():
            organisation = self._organisation(options["organisation"], create=options["create_organisation"])
            for path, text in texts:
                try:
                    drafted = draft_advert(
                        actor=Actor.system(), organisation_id=organisation.public_id, text=text, now=now
                    )
                except DomainError as error:
                    raise CommandError(f"{path.name}: {error}. Nothing was changed.") from error
                self._tell(path, drafted)

    def _organisation(self, slug: str | None, *, create: bool) -> Organisation:
        found = Organisation.objects.filter(slug=slug).first() if slug else demo_organisation()
        if found is None and slug and create:
            if slugify(slug) != slug:
                raise CommandError(f"{slug!r} is no slug: lower-case letters, digits and hyphens.")
            found = Organisation.objects.create(name=slug.replace("-", " ").title(), slug=slug)
        if found is None:
            hint = "--create-organisation creates it" if slug else "name one with --organisation SLUG, or run load_demo"
            raise CommandError(f"There is no such organisation; {hint}.")
        return found

    def _tell(self, path: Path, drafted: DraftedAdvert) -> None:
        opportunity, advert, created = drafted
        names = dict(Skill.objects.filter(pk__in=[*advert.required, *advert.preferred]).values_list("pk", "name"))
        self.stdout.write(f"{path.name}: {'drafted as' if created else 'is already'} {opportunity}")
        for pay in advert.pay:
            places = ", ".join(place.city or place.code for place in pay.places)
            self.stdout.write(f"  pay        {pay}{f' in {places}' if places else ''}")
        lines = (
            ("places", ", ".join(place.code for place in advert.locations)),
            ("how", " ".join(filter(None, (advert.arrangement, advert.commitment)))),
            ("required", ", ".join(names[key] for key in advert.required)),
            ("preferred", ", ".join(names[key] for key in advert.preferred)),
            ("not read", ", ".join(advert.unread)),
        )
        for label, value in lines:
            if value:
                self.stdout.write(f"  {label:<10} {value}")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise CommandError(f"{path.name}: larger than {LARGEST:,} bytes; that is no advert. Nothing was changed.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CommandError(f"{path.name}, line {line}: not UTF-8. Nothing was changed.") from error
    except OSError as error:
        raise CommandError(f"{path.name}: {error.strerror}. Nothing was changed.") from error
