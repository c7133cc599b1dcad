"""Working a re-scoring off, chunk by chunk.

A chunk is claimed with SKIP LOCKED; its scores and its progress are one transaction, so a worker may be killed
anywhere. It ends with the subject in whose midst its time is up. When the next may begin stands in the job's own row:
that is what holds all workers together to the share of time that the work may take.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Min, Sum
from django.utils import timezone

from matching.actions import copies, locks, marks, projection
from matching.actions.mass import jobs
from matching.actions.rescoring import candidates, opportunities
from matching.core.attributes import Subject
from matching.models import Rescore, RescoreChunk

logger = logging.getLogger(__name__)

Phase = RescoreChunk.Phase
MOST_FAILED = 100  # subjects; then somebody has to look
BUSY_SECONDS = 0.5  # after finding that others work on all that is left of a phase

_sizes: dict[RescoreChunk.Phase, int] = {}
"""How many subjects this process takes together, by what it has learnt."""

_CLAIM = """
    SELECT chunk.id, chunk.ids, chunk.done FROM matching_rescorechunk chunk
    JOIN matching_rescore job ON job.id = chunk.rescore_id
    WHERE job.id = %s AND job.state = 'running' AND chunk.phase = %s AND chunk.done < chunk.size
    ORDER BY chunk.id LIMIT 1 FOR UPDATE OF chunk SKIP LOCKED
"""
_TICKET = """
    UPDATE matching_rescore
    SET next_at = GREATEST(next_at, clock_timestamp()) + make_interval(secs => %s)
    WHERE id = %s AND state = 'running' AND (next_at IS NULL OR next_at <= clock_timestamp())
"""
_TELL = """
    UPDATE matching_rescore SET
        next_at = GREATEST(next_at, clock_timestamp() - make_interval(secs => %(took)s))
            + make_interval(secs => %(over)s),
        seconds_each = CASE
            WHEN seconds_each IS NULL OR %(anew)s THEN %(each)s
            ELSE 0.8 * seconds_each
                + 0.2 * extract(epoch FROM clock_timestamp() - heartbeat_at) / %(number)s END,
        heartbeat_at = clock_timestamp()
    WHERE id = %(id)s
    RETURNING extract(epoch FROM next_at - clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class _Work:
    """What is done about a phase's subjects: what it locks before anything is written, and how."""

    lock: Callable[[], None]
    rescore: Callable[[list[int], datetime], None]
    mark: Callable[[list[int], datetime], None]
    at_first: int  # subjects together, before it is known how long they take
    prepare: Callable[[], None] = lambda: None  # whatever takes long and needs no lock


@dataclass(slots=True)
class _Done:
    """What became of a chunk in one go."""

    phase: RescoreChunk.Phase
    number: int = 0
    failed: int = 0
    seconds: float = 0.0


def work(now: datetime, *, paced: bool = True) -> float | None:
    """Do one chunk of whatever is to be done. How many seconds from now the next may begin; None where there is nothing
    to do for this worker: nothing waits, or others do all that the pace allows."""
    job = jobs.begun(now)
    if job is None or (paced and not _may_begin(job.pk)):
        return None
    phase = _phase(job.pk)
    if phase is None:
        jobs.finish(job.pk, now)
        return 0.0
    done = _chunk(job.pk, phase, now)
    if done is None:
        return BUSY_SECONDS
    rest = _tell(job.pk, done)
    if done.failed and _failed(job.pk) >= MOST_FAILED:
        jobs.fail(job.pk, now)
    return rest


def work_all(now: datetime) -> int:
    """Everything that waits, without rests; how many chunks that took. Others may be at it, too."""
    total = 0
    while (rest := work(now, paced=False)) is not None:
        total += 1
        if rest == BUSY_SECONDS:
            time.sleep(BUSY_SECONDS)
    return total


# Pace


def _stretch() -> float:
    """Seconds by the clock for each second of work."""
    return 100 / max(settings.RESCORE_SHARE_PERCENT, 0.1)


def _may_begin(job_id: int) -> bool:
    """Take the next turn, if its time has come. As long as a chunk is thought to take no other begins, but for a share
    of several workers; how long it did take is told in the end."""
    with connection.cursor() as cursor:
        cursor.execute(_TICKET, [settings.RESCORE_CHUNK_SECONDS * _stretch(), job_id])
        return cursor.rowcount == 1


def _tell(job_id: int, done: _Done) -> float:
    """How long it took, and how fast the work goes on; the seconds until the next may begin."""
    number = max(done.number, 1)
    of_phase = RescoreChunk.objects.filter(rescore=job_id, phase=done.phase)
    values = {
        "id": job_id,
        "took": done.seconds,
        "over": (done.seconds - settings.RESCORE_CHUNK_SECONDS) * _stretch(),
        "each": done.seconds * _stretch() / number,
        "number": number,
        # Subjects of another kind take another time.
        "anew": of_phase.aggregate(done=Sum("done", default=0))["done"] <= done.number,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TELL, values)
        row = cursor.fetchone()
    return max(float(row[0] or 0.0), 0.0) if row else 0.0


# Chunks


def _phase(job_id: int) -> RescoreChunk.Phase | None:
    """The first that is not done yet; a chunk that somebody works on is not done."""
    left = RescoreChunk.objects.filter(rescore=job_id, done__lt=F("size"))
    phase = left.aggregate(first=Min("phase"))["first"]
    return None if phase is None else Phase(phase)


def _failed(job_id: int) -> int:
    failed: int = RescoreChunk.objects.filter(rescore=job_id).aggregate(failed=Sum("failed", default=0))["failed"]
    return failed


def _chunk(job_id: int, phase: RescoreChunk.Phase, now: datetime) -> _Done | None:
    """One chunk's subjects until its time is up; None where there is none to claim."""
    _WORK[phase].prepare()
    began = time.monotonic()
    until = began + settings.RESCORE_CHUNK_SECONDS
    try:
        done = _together(job_id, phase, until, now)
    except Exception as problem:
        logger.exception("a chunk of re-scoring %s failed; trying its subjects one by one", job_id)
        _note(job_id, problem)
        done = _one_by_one(job_id, phase, time.monotonic() + settings.RESCORE_CHUNK_SECONDS, now)
    if done is not None:
        done.seconds = time.monotonic() - began
    return done


def _together(job_id: int, phase: RescoreChunk.Phase, until: float, now: datetime) -> _Done | None:
    todo = _WORK[phase]
    with transaction.atomic():
        todo.lock()
        claimed = _claim(job_id, phase)
        if claimed is None:
            return None
        chunk_id, left = claimed
        done, began = _Done(phase), time.monotonic()
        while done.number < len(left) and (done.number == 0 or time.monotonic() < until):
            size = _sizes.get(phase, todo.at_first)
            if done.number:  # no more than there seems to be time for
                each = (time.monotonic() - began) / done.number
                size = min(size, max(int((until - time.monotonic()) / each), 1))
            batch = left[done.number : done.number + size]
            todo.rescore(batch, now)
            done.number += len(batch)
        _learn(phase, done.number, time.monotonic() - began)
        _progress(chunk_id, done)
        return done


def _learn(phase: RescoreChunk.Phase, number: int, seconds: float) -> None:
    """How many subjects to take together the next time: more, as long as there is time for more, since what is done
    once for all of them is much of the work."""
    bound = settings.RESCORE_CHUNK_SECONDS
    size = number + 1 + number // 4 if seconds < bound else int(number * bound / seconds)
    _sizes[phase] = max(size, 1)


def _one_by_one(job_id: int, phase: RescoreChunk.Phase, until: float, now: datetime) -> _Done | None:
    """Whatever makes a chunk fail must not hold up the others. It is marked instead, and shows in the freshness."""
    todo = _WORK[phase]
    with transaction.atomic():
        todo.lock()
        claimed = _claim(job_id, phase)
        if claimed is None:
            return None
        chunk_id, left = claimed
        done, bad = _Done(phase), list[int]()
        while done.number < len(left) and (done.number == 0 or time.monotonic() < until):
            subject = left[done.number]
            done.number += 1
            try:
                with transaction.atomic():
                    todo.rescore([subject], now)
            except Exception:
                logger.exception("re-scoring %s, %s: %s failed", job_id, phase.label, subject)
                bad.append(subject)
        if bad:
            todo.mark(bad, now)
        done.failed = len(bad)
        _progress(chunk_id, done)
        return done


def _claim(job_id: int, phase: RescoreChunk.Phase) -> tuple[int, list[int]] | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [job_id, phase.value])
        row = cursor.fetchone()
    return None if row is None else (row[0], row[1][row[2] :])


def _progress(chunk_id: int, done: _Done) -> None:
    RescoreChunk.objects.filter(pk=chunk_id).update(done=F("done") + done.number, failed=F("failed") + done.failed)


def _note(job_id: int, problem: Exception) -> None:
    """For staff: the kind of problem, which names nobody. Where even that cannot be written, the log has it."""
    with suppress(Exception):
        Rescore.objects.filter(pk=job_id).update(error=f"{type(problem).__name__} at {timezone.now():%F %T} UTC")


def _project(candidate_ids: list[int], now: datetime) -> None:
    copies.pass_on_renewed(Subject.CANDIDATE, projection.refresh(candidate_ids, now), now)


def _settle(candidate_ids: list[int], now: datetime) -> None:
    candidates.rescore(candidate_ids, now)


def _score(opportunity_ids: list[int], now: datetime) -> None:
    opportunities.rescore(opportunity_ids, now)


def _alone_and_projecting() -> None:
    """In the order of all who need both; before anything is written, as whoever writes projections must be."""
    locks.alone()
    locks.projecting()


_WORK = {
    Phase.PROJECT: _Work(locks.projecting, _project, marks.mark_candidates, 50),
    Phase.SETTLE: _Work(_alone_and_projecting, _settle, marks.mark_candidates, 10),
    Phase.SCORE: _Work(locks.share, _score, marks.mark_opportunities, 1, prepare=opportunities.prepare),
}
