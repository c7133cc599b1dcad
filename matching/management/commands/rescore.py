"""Re-scoring at large from the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.errors import DomainError
from marketplace.management.progress import Bars
from matching.actions import mass, rescoring
from matching.core.workflow import RESCORE
from matching.models import Rescore
from matching.queries.affected import EVERYTHING
from matching.queries.marks import freshness, waiting
from matching.queries.rescores import Progress, progress_of, unfinished, with_stages

SHOWN = 5  # ended ones
ACTIONS = {"pause": mass.pause, "resume": mass.resume, "cancel": mass.cancel}
SYSTEM = Actor.system()


class Command(BaseCommand):
    help = "What follows a mass change: a new model, another taxonomy, new rates, a new day"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="what waits, runs, rests, and ended lately").add_argument(
            "--json", action="store_true", help="for programs"
        )
        start = verbs.add_parser("start", help="score everything anew, as after a bulk load")
        start.add_argument(
            "--here", action="store_true", help="work it off in this process, without rests; workers may help"
        )
        start.add_argument("--quiet", action="store_true", help="no progress bars")
        for verb, sentence in (
            ("pause", "stop after the chunks at work; nothing is lost"),
            ("resume", "go on with what is left"),
            ("cancel", "give up what is left: it keeps the scores it has"),
        ):
            verbs.add_parser(verb, help=sentence).add_argument(
                "id", nargs="?", type=int, help="which one; may be left out where there is only one"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "status":
                self._status(as_json=options["json"])
            case "start":
                self._start(here=options["here"], quiet=options["quiet"])
            case verb:
                self._move(verb, options["id"])

    def _start(self, *, here: bool, quiet: bool) -> None:
        now = timezone.now()
        job = mass.start(cause=Rescore.Cause.ASKED, scopes=[EVERYTHING], since=now, now=now)
        self.stdout.write(f"{job.pk} is queued")
        if here:
            with Bars(enabled=not quiet) as bars:
                _work(job, bars)
            self._status(as_json=False)

    def _move(self, verb: str, pk: int | None) -> None:
        known = Rescore.objects.filter(pk=pk) if pk is not None else [job for job in unfinished() if _may(verb, job)]
        found = list(known)
        if len(found) != 1:
            which = ", ".join(str(job.pk) for job in found)
            raise CommandError(f"say which: {which}" if found else f"there is nothing to {verb}")
        try:
            job = ACTIONS[verb](actor=SYSTEM, rescore_id=found[0].public_id, now=timezone.now())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{job.pk} is {job.state}")

    def _status(self, *, as_json: bool) -> None:
        now = timezone.now()
        ended = with_stages(Rescore.objects.exclude(ended_at=None)).order_by("-ended_at", "-pk")[:SHOWN]
        status: dict[str, Any] = {
            "rescorings": [_told(job) for job in [*unfinished(), *ended]],
            "marks": waiting(),
            "oldest_mark_seconds": round(freshness(now).total_seconds(), 1),
        }
        self.stdout.write(json.dumps(status, indent=2) if as_json else "\n".join(_lines(status)))


def _may(verb: str, job: Rescore) -> bool:
    return job.state in RESCORE.sources(verb)


def _work(job: Rescore, bars: Bars) -> None:
    """Until it is done, or somebody stops it. What was marked goes first, as always."""
    while True:
        now = timezone.now()
        rescoring.drain(now)
        idle = mass.work(now, paced=False) is None
        [seen] = with_stages(Rescore.objects.filter(pk=job.pk))
        progress = progress_of(seen)
        if stage := progress.present:
            bars(stage.phase.label, stage.done)
        if idle or seen.ended_at is not None:
            return


def _told(job: Any) -> dict[str, Any]:
    progress: Progress = progress_of(job)
    return {
        "id": job.pk,
        "cause": job.cause,
        "state": job.state,
        "done": progress.done,
        "total": progress.total,
        "failed": progress.failed,
        "percent": progress.percent,
        "phases": [
            {"phase": stage.phase.name.lower(), "done": stage.done, "total": stage.total, "failed": stage.failed}
            for stage in progress.stages
        ],
        "per_second": None if progress.per_second is None else round(progress.per_second, 2),
        "phase_ends_at": None if progress.ends_at is None else progress.ends_at.isoformat(timespec="seconds"),
        "since": job.since.isoformat(timespec="seconds"),
        "ended_at": None if job.ended_at is None else job.ended_at.isoformat(timespec="seconds"),
        "error": job.error,
    }


def _lines(status: dict[str, Any]) -> list[str]:
    lines = []
    for one in status["rescorings"]:
        line = f"{one['id']:>6} {one['cause']:<9} {one['state']:<11} {one['done']:,} of {one['total']:,}"
        line += f" ({one['percent']} %)" if one["total"] else ""
        line += f", {one['failed']:,} failed" if one["failed"] else ""
        line += f", {one['per_second']:,} a second" if one["per_second"] else ""
        line += f", this phase ends {one['phase_ends_at']}" if one["phase_ends_at"] else ""
        lines.append(line + (f"; {one['error']}" if one["error"] else ""))
    lines = lines or ["nothing was re-scored at large yet"]
    return [*lines, f"{status['marks']:,} marks wait, the oldest for {status['oldest_mark_seconds']} s"]
