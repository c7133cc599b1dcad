"""The present best, as last computed. A match may be a moment behind; every write rechecks against the truth."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from marketplace.core.workflow import ApplicationStatus
from marketplace.models import Application, Candidate, Opportunity
from matching.models import Match


def matches_for(opportunity: Opportunity) -> QuerySet[Match]:
    """Who suits an opportunity best, best first, in a total order.

    Those who have since left, been suspended or withdrawn from discovery without having applied are not among them.
    """
    applied = Application.objects.live().filter(opportunity=opportunity, candidate_id=OuterRef("candidate_id"))
    return (
        Match.objects.filter(opportunity=opportunity, candidate__merged_into=None, candidate__suspended_at=None)
        .filter(Q(candidate__discoverable=True) | Exists(applied))
        .select_related("candidate", "model")
        .order_by("-fit", "tie_break", "candidate_id")
    )


def recommendations_for(candidate: Candidate, now: datetime | None = None) -> QuerySet[Match]:
    """What a candidate would want most of what anybody may find now: by interest, then by fit.

    What they applied to already is left out, unless that application lapsed or was withdrawn.
    """
    open_now = Opportunity.objects.public().open_at(now or timezone.now())
    ended = [ApplicationStatus.LAPSED, ApplicationStatus.WITHDRAWN]
    applied = Application.objects.filter(candidate=candidate, opportunity_id=OuterRef("opportunity_id")).exclude(
        status__in=ended
    )
    return (
        Match.objects.filter(~Exists(applied), candidate=candidate, opportunity__in=open_now)
        .select_related("opportunity", "opportunity__posting_organisation", "opportunity__current_revision", "model")
        .order_by("-interest", "-fit", "tie_break", "opportunity_id")
    )
