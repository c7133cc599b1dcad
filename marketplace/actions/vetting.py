"""Vetting: results of checks that somebody other than the candidate answers for. Staff record them.

They are facts to eligibility rules, so a new result makes the candidate's revision grow.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotFound, NotPermitted
from marketplace.access import access_candidate, kind_for
from marketplace.actions import checks
from marketplace.models import Candidate, VettingResult
from matching.core.attributes import VETTING_CHECKS


def record_vetting(
    *, actor: Actor, candidate_id: UUID, kind: str, passed: bool, until: date | None = None, now: datetime
) -> VettingResult:
    """Record how a check came out. `until` is the last day that a pass is good for, None: without an end. The same
    result again changes nothing; another takes its place, and history keeps both.

    Raises InvalidInput, NotFound, NotPermitted.
    """
    kind = checks.choice(kind, field="kind", among=VETTING_CHECKS)
    passed = checks.flag(passed, field="passed")
    if until is not None:
        until = checks.day(until, field="until")
        if not passed:
            raise InvalidInput("until", "is for checks that were passed")
        if until < now.date():
            raise InvalidInput("until", "must not lie in the past")
    with transaction.atomic():
        candidate = _checked_by(actor, candidate_id)
        known = candidate.vetting_results.filter(kind=kind).first()
        if known is not None and (known.passed, known.until) == (passed, until):
            return known
        result, _ = VettingResult.objects.update_or_create(
            candidate=candidate,
            kind=kind,
            defaults={"passed": passed, "until": until, "recorded_by_id": actor.user_id, "recorded_at": now},
        )
        _tell(candidate, "VettingRecorded", kind, actor, now)
    return result


def withdraw_vetting(*, actor: Actor, vetting_id: UUID, now: datetime) -> Candidate:
    """Take a result back that was recorded by mistake: whether the check is passed is unknown again.

    Raises NotFound, NotPermitted.
    """
    with transaction.atomic():
        result = VettingResult.objects.filter(public_id=vetting_id).select_related("candidate").first()
        if result is None:
            raise NotFound("result of a check")
        candidate = _checked_by(actor, result.candidate.public_id)
        if VettingResult.objects.filter(pk=result.pk).delete()[0]:
            _tell(candidate, "VettingWithdrawn", result.kind, actor, now)
    return candidate


def _checked_by(actor: Actor, candidate_id: UUID) -> Candidate:
    """The candidate, locked. Nobody answers for checks of themselves."""
    require_staff(actor)
    candidate = access_candidate(actor, candidate_id, lock=True)
    if actor.user_id is not None and actor.user_id == candidate.user_id:
        raise NotPermitted("decide this, which nobody does about themselves")
    return candidate


def _tell(candidate: Candidate, event: str, kind: str, actor: Actor, now: datetime) -> None:
    candidate.revision += 1
    candidate.save(update_fields=["revision"])
    append(candidate, event, actor=actor, by=kind_for(actor, candidate), now=now, payload={"kind": kind})
