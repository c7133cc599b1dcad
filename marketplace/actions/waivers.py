"""Waivers: a named person let in despite the rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.access import require_user
from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, NotFound
from marketplace.access import access_candidate, access_opportunity, keep_opportunity, kind_for
from marketplace.actions import checks
from marketplace.errors import WaiverStands
from marketplace.models import EligibilityWaiver

LONGEST = timedelta(days=366)


def waive_eligibility(
    *, actor: Actor, opportunity_id: UUID, candidate_id: UUID, reason: str, until: datetime, now: datetime
) -> EligibilityWaiver:
    """Let somebody in until a moment, and say why. Raises InvalidInput, WaiverStands, NotFound, NotPermitted."""
    user_id = require_user(actor)
    reason = clean_line(reason, field="reason", max_length=500)
    until = checks.instant(until, field="until")
    if not now < until <= now + LONGEST:
        raise InvalidInput("until", f"must be in the future, at most {LONGEST.days} days ahead")
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage")
        keep_opportunity(opportunity.pk)
        candidate = access_candidate(actor, candidate_id, lock=True)
        # One that has run out stands in nobody's way.
        EligibilityWaiver.objects.filter(
            opportunity=opportunity, candidate=candidate, revoked_at=None, until__lte=now
        ).update(revoked_at=now)
        with refusing({"one_standing_waiver_per_opportunity_and_candidate": WaiverStands}):
            waiver = EligibilityWaiver.objects.create(
                opportunity=opportunity,
                candidate=candidate,
                granted_by_id=user_id,
                reason=reason,
                until=until,
                created_at=now,
            )
        payload = {"candidate": candidate.pk, "waiver": waiver.pk}
        by = kind_for(actor, opportunity)
        append(opportunity, "EligibilityWaived", actor=actor, by=by, now=now, payload=payload)
    return waiver


def revoke_waiver(*, actor: Actor, waiver_id: UUID, now: datetime) -> EligibilityWaiver:
    """End a waiver before its time. Revoking twice is once. Raises NotFound, NotPermitted."""
    with transaction.atomic():
        waiver = EligibilityWaiver.objects.filter(public_id=waiver_id).select_related("opportunity").first()
        if waiver is None:
            raise NotFound("waiver")
        opportunity = access_opportunity(actor, waiver.opportunity.public_id, to="manage")
        waiver = EligibilityWaiver.objects.select_for_update(no_key=True).get(pk=waiver.pk)
        if waiver.revoked_at is None:
            waiver.revoked_at = now
            waiver.save(update_fields=["revoked_at"])
            payload = {"candidate": waiver.candidate_id, "waiver": waiver.pk}
            by = kind_for(actor, opportunity)
            append(opportunity, "EligibilityWaiverRevoked", actor=actor, by=by, now=now, payload=payload)
    return waiver
