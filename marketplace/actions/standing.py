"""Whether an opportunity and a person may come together: what applying, inviting, offering and allocating check."""

from __future__ import annotations

from datetime import datetime

from marketplace.core.workflow import OpportunityState
from marketplace.errors import CandidateSuspended, NotConsidered, OpportunityNotOpen, OrganisationBlocked
from marketplace.models import Candidate, CandidateGroup, CandidateGroupMembership, Opportunity


def check_open(opportunity: Opportunity, now: datetime) -> None:
    """Raises OpportunityNotOpen."""
    if opportunity.state != OpportunityState.PUBLISHED or opportunity.posting_organisation.suspended_at is not None:
        raise OpportunityNotOpen(state=opportunity.state)
    if opportunity.opens_at is not None and opportunity.opens_at > now:
        raise OpportunityNotOpen(state=opportunity.state, because="not_yet")
    if opportunity.closes_at is not None and opportunity.closes_at <= now:
        raise OpportunityNotOpen(state=opportunity.state, because="over")


def check_relation(opportunity: Opportunity, candidate: Candidate) -> None:
    """That the person is in good standing, and neither side has turned away from the other. Raises
    CandidateSuspended, OrganisationBlocked, NotConsidered."""
    if candidate.suspended_at is not None or candidate.merged_into_id is not None:
        raise CandidateSuspended
    organisations = {opportunity.posting_organisation_id, opportunity.hiring_organisation_id}
    if candidate.blocked_organisations.filter(pk__in=organisations).exists():
        raise OrganisationBlocked
    unwanted = CandidateGroupMembership.objects.filter(
        candidate=candidate, group__kind=CandidateGroup.Kind.DO_NOT_REHIRE, group__organisation_id__in=organisations
    )
    if unwanted.exists():
        raise NotConsidered
