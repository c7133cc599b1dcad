"""How far re-scorings at large have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import JSONObject

from matching.core.workflow import RescoreState
from matching.models import Rescore, RescoreChunk

UNFINISHED = (RescoreState.QUEUED, RescoreState.RUNNING, RescoreState.PAUSED, RescoreState.FAILED)


@dataclass(frozen=True, slots=True)
class Stage:
    """The subjects of one phase."""

    phase: RescoreChunk.Phase
    total: int
    done: int
    failed: int
    chunks_left: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one re-scoring. `total` and `done` count subjects: people, then opportunities; `ends_at` is when the phase at
    work will end at the speed it has, None where that is not known."""

    total: int
    done: int
    failed: int
    stages: tuple[Stage, ...]
    per_second: float | None
    ends_at: datetime | None

    @property
    def percent(self) -> int:
        """Rounded down: all is done only where all is."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def present(self) -> Stage | None:
        """The phase that is at work, or would be."""
        return next((stage for stage in self.stages if stage.done < stage.total), None)


def with_stages(jobs: QuerySet[Rescore]) -> QuerySet[Rescore]:
    """The same, with what `progress_of` reads: how many subjects of each phase there are, and are done."""
    counted = (
        RescoreChunk.objects.filter(rescore=OuterRef("pk"))
        .order_by()
        .values("phase")
        .annotate(
            counts=JSONObject(
                phase="phase",
                total=Sum("size"),
                done=Sum("done"),
                failed=Sum("failed"),
                chunks_left=Count("pk", filter=Q(done__lt=F("size"))),
            )
        )
        .order_by("phase")
        .values("counts")
    )
    return jobs.annotate(stages=ArraySubquery(counted))


def progress_of(job: Any) -> Progress:
    """Of one that was read `with_stages`; an ended one tells what was noted when it ended."""
    stages = tuple(Stage(**{**counts, "phase": RescoreChunk.Phase(counts["phase"])}) for counts in job.stages)
    if job.state not in UNFINISHED:
        return Progress(job.total, job.done, job.failed, (), None, None)
    total, done = sum(stage.total for stage in stages), sum(stage.done for stage in stages)
    failed = job.failed + sum(stage.failed for stage in stages)
    found = Progress(total, done, failed, stages, None, None)
    if job.state != RescoreState.RUNNING or not job.seconds_each or job.heartbeat_at is None or not found.present:
        return found
    left = found.present.total - found.present.done
    ends_at = job.heartbeat_at + timedelta(seconds=left * job.seconds_each)
    return Progress(total, done, failed, stages, 1 / job.seconds_each, ends_at)


def unfinished() -> list[Rescore]:
    """Those that wait, run or rest, oldest first."""
    return list(with_stages(Rescore.objects.filter(state__in=UNFINISHED)).order_by("created_at", "pk"))
