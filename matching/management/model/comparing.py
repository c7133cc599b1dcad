"""`manage.py model compare`"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from matching.actions.models import ensure_default_model
from matching.core.scoring import InvalidModel
from matching.core.workflow import ModelState
from matching.management.model.naming import moment, version
from matching.models import ScoringModel
from matching.queries.comparing import compare, held_against, statements_of

HELP = "how two versions differ: order, scores, and how well they foretold what became of people"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", help="otherwise the one that is in the shadow")
    parser.add_argument("other", nargs="?", help="otherwise the live one of its segment")
    parser.add_argument("--since", type=moment, help="outcomes of those shown from this day on, as in 2027-01-31")
    parser.add_argument("--json", action="store_true")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    now = timezone.now()
    ensure_default_model(now=now)
    one = version(options["version"]) if options["version"] else _in_the_shadow()
    other = version(options["other"]) if options["other"] else held_against(one)
    if other is None or other.pk == one.pk:
        raise CommandError(f"{one.version} needs another version to be compared with")
    try:
        found = compare(one, other, now=now, since=options["since"])
    except InvalidModel as error:
        raise CommandError(f"a definition cannot be read any more: {error}") from error
    if options["json"]:
        command.stdout.write(json.dumps(found.to_json(), indent=2))
        return
    command.stdout.write(f"{found.one} against {found.other}; rankings {found.source}")
    for name, told in statements_of(found):
        command.stdout.write(f"  {name:32} {told}")


def _in_the_shadow() -> ScoringModel:
    models = list(ScoringModel.objects.filter(state=ModelState.SHADOW).select_related("segment"))
    if len(models) != 1:
        named = ", ".join(model.version for model in models) or "none"
        raise CommandError(f"say which version: of those in the shadow there is not one, but {named}")
    return models[0]
