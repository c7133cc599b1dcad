"""Working through the marks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from matching.actions import locks
from matching.actions.rescoring import candidates, opportunities
from matching.models import Mark

logger = logging.getLogger(__name__)

Rescore = Callable[[list[int], datetime], None]

CANDIDATES = 500  # per batch
OPPORTUNITIES = 20


def drain(now: datetime, limit: int = CANDIDATES) -> int:
    """Score one batch of what is marked: at most `limit` candidates, then some opportunities; how many were done.

    Each batch is one transaction: its scores and the end of its marks come together or not at all. Several workers may
    drain at once. Candidates go first, and opportunities wait until no full batch of them is left: so these are scored
    once, with the newest facts, and not again for every candidate that follows.
    """
    done = _batch(Mark.Subject.CANDIDATE, limit, candidates.rescore, locks.alone, now)
    if done >= limit:
        return done
    return done + _batch(Mark.Subject.OPPORTUNITY, min(limit, OPPORTUNITIES), opportunities.rescore, locks.share, now)


def drain_all(now: datetime) -> int:
    """Drain until nothing more can be done; how many were done."""
    total = 0
    while done := drain(now):
        total += done
    return total


def _batch(subject: str, limit: int, rescore: Rescore, lock: Callable[[], None], now: datetime) -> int:
    try:
        with transaction.atomic():
            if not Mark.objects.filter(subject_type=subject).exists():
                return 0
            lock()
            claimed = locks.claim_marks(subject, limit)
            if claimed:
                rescore(sorted(claimed), now)
            return locks.release_marks(claimed)
    except Exception:
        if limit == 1:
            raise
        logger.exception("a batch of marks failed; trying them one by one")
        return _one_by_one(subject, limit, rescore, lock, now)


def _one_by_one(subject: str, limit: int, rescore: Rescore, lock: Callable[[], None], now: datetime) -> int:
    """Whatever makes a batch fail must not hold up the others. Its own mark stays, and shows in the freshness."""
    done = 0
    with transaction.atomic():
        lock()
        for subject_id, mark in sorted(locks.claim_marks(subject, limit).items()):
            try:
                with transaction.atomic():
                    rescore([subject_id], now)
                    done += locks.release_marks({subject_id: mark})
            except Exception:
                logger.exception("re-scoring %s %s failed", subject, subject_id)
    return done
