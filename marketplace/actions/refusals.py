"""Refusals for ineligibility, remembered: what somebody changes to be accepted after all is told to the recruiter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from marketplace.core.asked import Asked, Subject, asked
from marketplace.errors import NotEligible
from marketplace.models import EligibilityRefusal, OpportunityRevision
from marketplace.queries.eligibility import Judgement
from matching.core.rules import literals, normal

logger = logging.getLogger(__name__)


@contextmanager
def remembering_refusals(now: datetime) -> Iterator[None]:
    """Around the transaction of applying: once a refusal for ineligibility has rolled it back, remember that."""
    try:
        yield
    except NotEligible as refusal:
        if isinstance(refusal.judged, Judgement):
            record_refusal(refusal.judged, EligibilityRefusal.Surface.APPLY, now)
        raise


def record_refusal(judged: Judgement, surface: str, now: datetime) -> None:
    """Remember that somebody was told a refusal, in one row for each revision of the rule and of their facts.

    It keeps the facts that the failed criteria read, for they may never have been saved: who applies may state facts,
    and a refusal takes them back. A failure here is logged, and the answer that was asked for stays as it is.
    """
    if not judged.is_refusal or judged.revision is None:
        return
    try:
        with transaction.atomic():
            _record(judged, judged.revision, surface, now)
    except Exception:  # whatever goes wrong here, they must still hear why they were refused
        logger.exception("a refusal of candidate %s could not be recorded", judged.facts.candidate_id)


def _record(judged: Judgement, revision: OpportunityRevision, surface: str, now: datetime) -> None:
    found = _asked(judged)
    refusal, is_new = EligibilityRefusal.objects.select_for_update(no_key=True).get_or_create(
        opportunity_id=revision.opportunity_id,
        candidate_id=judged.facts.candidate_id,
        revision=revision,
        candidate_revision=judged.facts.revision,
        defaults={
            "surface": surface,
            "verdict": {**judged.verdict.to_json(), "asked": [one.to_json() for one in found]},
            "at": now,
        },
    )
    if is_new:
        return
    # Facts stated with an application that was refused are taken back, and their revision is given to others: what the
    # row does not know of yet was refused just now.
    known = {Asked.from_json(one).subject for one in refusal.verdict["asked"]}
    more = [{**one.to_json(), "at": now.isoformat()} for one in found if one.subject not in known]
    if more:
        refusal.verdict["asked"] += more
        refusal.save(update_fields=["verdict"])


def _asked(judged: Judgement) -> list[Asked]:
    """What the failed criteria read, each fact once."""
    failed = {reason.path for reason in judged.verdict.failed}
    found: dict[Subject, Asked] = {}
    for literal in literals(normal(judged.rule)):
        one = asked(literal.criterion, judged.facts) if literal.path in failed else None
        if one is not None:
            found.setdefault(one.subject, one)
    return list(found.values())
