"""What becomes of an opportunity's seats that come free."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from accounts.models import Organisation, Timer
from marketplace.core.workflow import OfferState
from marketplace.models import Offer, Opportunity
from matching.core.backfill import BackfillPolicy, BackfillSource, effective
from matching.core.workflow import ProposalState, RunState
from matching.models import AllocationRun, BackfillRule, Proposal

Effective = tuple[BackfillPolicy, BackfillSource]


def policies_of(opportunities: Collection[Opportunity]) -> dict[int, Effective]:
    """Inner id → the policy that holds, and where it was set. Three statements, however many there are."""
    ids = [one.pk for one in opportunities]
    rules = BackfillRule.objects.order_by()
    own = dict(rules.filter(opportunity__in=ids).values_list("opportunity_id", "policy"))
    organisation_ids = {one.posting_organisation_id for one in opportunities}
    theirs = dict(rules.filter(organisation__in=organisation_ids).values_list("organisation_id", "policy"))
    allocated = set(
        Proposal.objects.filter(opportunity__in=ids, state=ProposalState.SENT)
        .order_by()
        .values_list("opportunity_id", flat=True)
        .distinct()
    )
    return {
        one.pk: effective(own.get(one.pk), theirs.get(one.posting_organisation_id), allocated=one.pk in allocated)
        for one in opportunities
    }


def rule_of(subject: Opportunity | Organisation) -> BackfillRule | None:
    """What was said of it, and of nothing above it."""
    field = "opportunity" if isinstance(subject, Opportunity) else "organisation"
    return BackfillRule.objects.filter(**{field: subject}).first()


def undecided_backfill(opportunity: Opportunity) -> QuerySet[AllocationRun]:
    """Runs that look for somebody for its vacancies and wait for their plan, or for somebody to commit it."""
    return AllocationRun.objects.filter(
        cause=AllocationRun.Cause.BACKFILL,
        opportunities=opportunity,
        commits_itself=False,
        state__in=[RunState.QUEUED, RunState.SOLVING, RunState.PLANNED],
    )


def waits_for_a_wave(opportunity_pk: int) -> bool:
    """Whether a wave of offers is still to come, which its open seats are for."""
    sent = Proposal.objects.filter(opportunity=opportunity_pk, state=ProposalState.SENT).exclude(run__waves=[])
    runs = sent.order_by().values("run_id")
    return Timer.objects.filter(kind="allocation_wave", fired_at=None, subject_id__in=runs).exists()


def taken_back(run: AllocationRun) -> list[tuple[int, int]]:
    """Pairs (inner ids of opportunity and candidate) of a backfill whose offer the organisation withdrew:
    whoever took an offer back does not want Muster to send it again."""
    if run.cause != AllocationRun.Cause.BACKFILL:
        return []
    withdrawn = Offer.objects.filter(opportunity__in=run.opportunities.all(), state=OfferState.WITHDRAWN)
    pairs = withdrawn.order_by("opportunity_id", "candidate_id").values_list("opportunity_id", "candidate_id")
    return list(pairs.distinct())


def policy_of(opportunity: Opportunity) -> BackfillPolicy:
    return policies_of([opportunity])[opportunity.pk][0]
