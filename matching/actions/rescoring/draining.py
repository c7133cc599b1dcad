"""Working through the marks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from matching.actions import locks
from matching.actions.rescoring import candidates, opportunities, pairs, shadows
from matching.models import Mark, PairMark

logger = logging.getLogger(__name__)

CANDIDATES = 100  # per batch: as long as it takes, projections may be waiting for it
PAIRS = 2000
OPPORTUNITIES = 20


@dataclass(frozen=True, slots=True)
class _Stack:
    """Marks of one kind: whom they lock out, how they are claimed, what is done about what they name."""

    name: str
    at_most: int  # per batch
    lock: Callable[[], None]
    claim: Callable[[int], dict[Any, locks.Claim]]
    rescore: Callable[[list[Any], datetime], None]
    release: Callable[[dict[Any, locks.Claim]], int]
    is_empty: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None  # whatever takes long and needs no lock


def drain(now: datetime, limit: int = PAIRS) -> int:
    """Score one batch of each kind that is marked, of at most `limit`; how many subjects and pairs were done.

    Each batch is one transaction: its scores and the end of its marks come together or not at all. Several workers may
    drain at once. Candidates go first, then pairs, and opportunities wait until no full batch of either is left: so
    these are scored once, with the newest facts, and not again for every candidate that follows. Models in the shadow
    have their turn when nothing that is shown is waiting.
    """
    total = 0
    for stack in _stacks():
        size = min(limit, stack.at_most)
        done = _batch(stack, size, now)
        total += done
        if done >= size:
            return total
    return total + shadows.score_marked(now)


def drain_all(now: datetime) -> int:
    """Drain until nothing more can be done; how many were done."""
    total = 0
    while done := drain(now):
        total += done
    return total


def _stacks() -> tuple[_Stack, ...]:
    return (
        _subjects(Mark.Subject.CANDIDATE, CANDIDATES, locks.alone, candidates.rescore),
        _Stack(
            name="pair",
            at_most=PAIRS,
            lock=locks.alone,
            claim=locks.claim_pair_marks,
            rescore=pairs.rescore,
            release=locks.release_pair_marks,
            is_empty=lambda: not PairMark.objects.exists(),
        ),
        replace(
            _subjects(Mark.Subject.OPPORTUNITY, OPPORTUNITIES, locks.share, opportunities.rescore),
            prepare=opportunities.prepare,
        ),
    )


def _subjects(
    subject: Mark.Subject, at_most: int, lock: Callable[[], None], rescore: Callable[[list[int], datetime], None]
) -> _Stack:
    return _Stack(
        name=subject.value,
        at_most=at_most,
        lock=lock,
        claim=lambda limit: locks.claim_marks(subject, limit),
        rescore=rescore,
        release=locks.release_marks,
        is_empty=lambda: not Mark.objects.filter(subject_type=subject).exists(),
    )


def _batch(stack: _Stack, limit: int, now: datetime) -> int:
    try:
        if stack.is_empty():
            return 0
        stack.prepare()
        with transaction.atomic():
            stack.lock()
            claimed = stack.claim(limit)
            if claimed:
                stack.rescore(sorted(claimed), now)
            return stack.release(claimed)
    except Exception:
        if limit == 1:
            raise
        logger.exception("a batch of marks failed; trying them one by one")
        return _one_by_one(stack, limit, now)


def _one_by_one(stack: _Stack, limit: int, now: datetime) -> int:
    """Whatever makes a batch fail must not hold up the others. Its own mark stays, and shows in the freshness."""
    done = 0
    with transaction.atomic():
        stack.lock()
        for subject, mark in sorted(stack.claim(limit).items()):
            try:
                with transaction.atomic():
                    stack.rescore([subject], now)
                    done += stack.release({subject: mark})
            except Exception:
                logger.exception("re-scoring %s %s failed", stack.name, subject)
    return done
