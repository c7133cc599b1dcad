"""What searches read, from the command line."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from elasticsearch import NotFoundError

from marketplace.management.progress import Bars
from matching.actions import copies, indexing, rebuilding, verifying
from matching.actions.words import forget_unused_words
from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import PLURALS, family, indices
from matching.models import CopyMark, SearchWord
from matching.queries.copying import PROJECTIONS, refusals, waiting

SUBJECTS = {plural: subject for subject, plural in PLURALS.items()}
SHOWN = 5


class Command(BaseCommand):
    help = (
        "rebuild: write copies anew while they are in use; verify: compare them with what they are copied from; "
        "status: what there is, and what waits"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        rebuild = verbs.add_parser("rebuild", help="build indices anew, and forget words that are no longer in use")
        rebuild.add_argument("only", nargs="?", choices=sorted(SUBJECTS), help="not both")
        rebuild.add_argument(
            "--projections", action="store_true", help="write all projections first, not only those that are missing"
        )
        rebuild.add_argument("--quiet", action="store_true", help="no progress bars")
        verify = verbs.add_parser("verify", help="exits with 1 where copies differ from what they are copied from")
        verify.add_argument("only", nargs="?", choices=sorted(SUBJECTS), help="not both")
        verify.add_argument("--repair", action="store_true", help="copy what differs, and look once more")
        verify.add_argument("--quiet", action="store_true", help="no progress bars")
        verbs.add_parser("status", help="indices, marks, lag and words").add_argument(
            "--json", action="store_true", help="for programs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "status":
            self._status(as_json=options["json"])
            return
        subjects = [SUBJECTS[options["only"]]] if options["only"] else list(Subject)
        with Bars(enabled=not options["quiet"]) as bars:
            if options["verb"] == "rebuild":
                self._rebuild(subjects, bars, anew=options["projections"])
            else:
                self._verify(subjects, bars, repair=options["repair"])

    # rebuild

    def _rebuild(self, subjects: Iterable[Subject], bars: Bars, *, anew: bool) -> None:
        """Where there is no Elasticsearch, the projections are what is searched."""
        done = []
        for subject in subjects:
            if anew or not settings.ELASTICSEARCH_URL:
                written = rebuilding.project_anew(subject, timezone.now(), bars)
                done.append(f"{written} projections of {PLURALS[subject]} are up to date")
            if settings.ELASTICSEARCH_URL:
                built = _answered(rebuilding.rebuild, subject, timezone.now(), bars)
                done.append(f"{built.name} is in use, with {built.documents} documents ({built.refused} refused)")
            done.append(f"{forget_unused_words(subject)} words of {PLURALS[subject]} had gone out of use")
        bars.close()
        self.stdout.write("\n".join(done))

    # verify

    def _verify(self, subjects: list[Subject], bars: Bars, *, repair: bool) -> None:
        found = list(_compared(subjects, bars, repair=repair))
        if repair and any(one.differences for _, one in found):
            self._tell(found, bars)
            copies.project_all(timezone.now())
            if settings.ELASTICSEARCH_URL:
                _answered(indexing.index_all, timezone.now())
            self.stdout.write("repaired; once more:")
            found = list(_compared(subjects, bars, repair=False))
        self._tell(found, bars)
        refused = sum(one.refused for one in waiting()) if settings.ELASTICSEARCH_URL else 0
        if refused:
            self.stdout.write(f"{refused} documents are refused by the index: see `search status`")
        kinds = {how for _, one in found for how in one.differences}
        if verifying.Difference.NEWER in kinds:
            raise CommandError("the index was made from another database: build it anew with `search rebuild`")
        if kinds or refused:
            raise CommandError("copies differ from what they are copied from")

    def _tell(self, found: Iterable[tuple[str, verifying.Found]], bars: Bars) -> None:
        bars.close()
        for what, one in found:
            self.stdout.write(f"{what:<32} {one.compared:>10,} compared, {sum(one.differences.values()):,} differ")
            for how, count in one.differences.items():
                ids = [str(pk) for pk, sample in one.samples.items() if sample is how]
                self.stdout.write(f"  {how.value:<10} {count:,}, such as {', '.join(ids[:SHOWN])}")

    # status

    def _status(self, *, as_json: bool) -> None:
        now = timezone.now()
        marks = [one for one in waiting() if settings.ELASTICSEARCH_URL or one.stage == CopyMark.Stage.PROJECTION]
        status: dict[str, Any] = {
            "elasticsearch": _server(),
            "copies": {PLURALS[subject]: _copies(subject) for subject in Subject},
            "waiting": [
                {
                    "stage": one.stage,
                    "subject": PLURALS[one.subject],
                    "marks": one.marks,
                    "urgent": one.urgent,
                    "refused": one.refused,
                    "lag_seconds": round(one.seconds(now), 1),
                }
                for one in marks
            ],
        }
        self.stdout.write(json.dumps(status, indent=2) if as_json else "\n".join(_lines(status)))


def _answered(what: Any, *arguments: Any) -> Any:
    """What an action gives, or why it cannot, for the person at the terminal."""
    try:
        return what(*arguments)
    except (rebuilding.RebuildRunning, rebuilding.DocumentsRefused) as problem:
        raise CommandError(str(problem)) from problem
    except NotFoundError as problem:
        raise CommandError("there is no index: build it with `search rebuild`") from problem
    except indexing.UNAVAILABLE as problem:
        raise CommandError(f"Elasticsearch does not do it: {problem}") from problem


def _compared(subjects: Iterable[Subject], bars: Bars, *, repair: bool) -> Iterator[tuple[str, verifying.Found]]:
    for subject in subjects:
        now = timezone.now()
        found = verifying.verify_projections(subject, now, repair=repair, progress=bars)
        yield f"projections of {PLURALS[subject]}", found
        if settings.ELASTICSEARCH_URL:

            def verify(subject: Subject = subject) -> verifying.Found:
                return verifying.verify_index(subject, timezone.now(), repair=repair, progress=bars)

            yield f"documents of {PLURALS[subject]}", _answered(verify)


def _server() -> dict[str, Any]:
    if not settings.ELASTICSEARCH_URL:
        return {"configured": False}
    where = urlsplit(settings.ELASTICSEARCH_URL)
    server: dict[str, Any] = {"configured": True, "host": f"{where.hostname}:{where.port}"}
    began = time.monotonic()
    try:
        health = clients.for_search().cluster.health()
    except indexing.UNAVAILABLE as problem:
        return {**server, "problem": type(problem).__name__}
    return {**server, "health": health["status"], "ms": round(1000 * (time.monotonic() - began), 1)}


def _copies(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = {
        "projections": PROJECTIONS[subject]._default_manager.count(),
        "words": SearchWord.objects.filter(subject_type=subject.value).count(),
    }
    if not settings.ELASTICSEARCH_URL:
        return found
    found["alias"] = family(subject)
    found["refusals"] = [{"id": pk, "reason": reason} for pk, reason in refusals(subject, SHOWN)]
    client = clients.for_search()
    try:
        found["indices"] = [
            {
                "name": one.name,
                "in_use": one.is_live,
                "readable": one.is_ours,
                "documents": client.count(index=one.name)["count"],
            }
            for one in indices(client, subject)
        ]
    except indexing.UNAVAILABLE:
        found["indices"] = None
    return found


def _lines(status: dict[str, Any]) -> Iterator[str]:
    server = status["elasticsearch"]
    if not server["configured"]:
        yield "Elasticsearch is not configured: Postgres answers searches"
    elif "problem" in server:
        yield f"Elasticsearch at {server['host']} does not answer ({server['problem']}): Postgres answers searches"
    else:
        yield f"Elasticsearch at {server['host']}: {server['health']}, answers in {server['ms']} ms"
    for plural, found in status["copies"].items():
        yield f"{plural}: {found['projections']:,} projections, {found['words']:,} words"
        for index in found.get("indices") or ():
            use = "in use" if index["in_use"] else "not in use"
            made = "" if index["readable"] else ", made by another version: `search rebuild`"
            yield f"  {index['name']}: {index['documents']:,} documents, {use}{made}"
        if found.get("indices") == []:
            yield f"  {found['alias']}: no index, `search rebuild` builds one"
        for refusal in found.get("refusals", ()):
            yield f"  refused: {refusal['id']}: {refusal['reason']}"
    for one in status["waiting"]:
        waits = f"{one['marks']:,} waiting ({one['urgent']:,} urgent, {one['refused']:,} refused)"
        yield f"{one['stage']} of {one['subject']}: {waits}, {one['lag_seconds']} s behind"
    yield "Circuit breakers are the web servers' own: their state is in /metrics"
