"""The keys that texts are sealed with at rest, from the command line.

1. manage.py field_keys new     a key: put it last in FIELD_KEYS and restart everything, so that everybody can open with
                                it; then put it first and restart everything: from now on it seals
2. manage.py field_keys rotate  seals with it what lies under the others
3. manage.py field_keys status  tells when nothing lies under a former one any more: take that out of FIELD_KEYS. Who
                                is logged in since before logs in again: sessions are not sealed anew, they run out

Where FIELD_INDEX_KEY is replaced nobody is found by their address until `rotate --all` has gone through, nor by another
contact until `duplicates` has: nobody logs in meanwhile.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions.resealing import keys_in_use, reseal
from accounts.core.seal import new_key
from accounts.field_keys import keyring


class Command(BaseCommand):
    help = "What is sealed with which key; and sealing it with the newest one"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("new", help="make a key, for FIELD_KEYS or FIELD_INDEX_KEY")
        verbs.add_parser("status", help="how many texts lie under each key")
        rotate = verbs.add_parser("rotate", help="seal with the newest key what lies under others; may be interrupted")
        rotate.add_argument(
            "--all", action="store_true", help="what lies under the newest too: after FIELD_INDEX_KEY was replaced"
        )
        rotate.add_argument("--quiet", action="store_true", help="tell no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "new":
                self.stdout.write(new_key())
            case "rotate":
                self._rotate(quiet=options["quiet"], everything=options["all"])
            case _:
                self._status()

    def _rotate(self, *, quiet: bool, everything: bool) -> None:
        def tell(table: str, rows: int) -> None:
            if not quiet:
                self.stderr.write(f"{table}: {rows} rows")

        done = reseal(tell=tell, everything=everything)
        self.stdout.write(f"{done.renewed} texts sealed anew with {keyring().newest.id.hex()}")
        if done.closed:
            raise CommandError(f"{done.closed} texts stay closed: FIELD_KEYS lacks their key, or they were changed")
        self._status()

    def _status(self) -> None:
        known = {key.id: "former" for key in keyring().keys} | {keyring().newest.id: "newest"}
        counted = dict.fromkeys(known, 0)
        for place, counts in sorted(keys_in_use().items()):
            told = ", ".join(f"{count} under {key_id.hex()}" for key_id, count in sorted(counts.items()))
            self.stdout.write(f"{place}: {told or 'none'}")
            for key_id, count in counts.items():
                counted[key_id] = counted.get(key_id, 0) + count
        for key_id, count in counted.items():
            standing = known.get(key_id, "missing from FIELD_KEYS")
            free = "" if count or standing != "former" else ": nothing lies under it, it may be removed"
            self.stdout.write(f"key {key_id.hex()} ({standing}): {count} texts{free}")
