"""Setting the stage: markets of real rows, and the worker's part played in the test itself."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.actions.deliveries import deliver_due
from marketplace.actions.candidates import SkillInput
from marketplace.actions.terms import SkillTermInput
from marketplace.core.money import Pay
from marketplace.models import Candidate, Opportunity, Skill
from matching.actions import copies, indexing, marks, mass, rescoring
from matching.actions.allocation import commit_allocation, plan_allocation, solve_run
from matching.models import AllocationRun, Match
from matching.queries.scorable import SCORED_STATES
from tests.marketplace.factories import NOW, Recruiter, a_candidate, a_published_opportunity


def work(now: datetime = NOW) -> None:
    """What the worker does: deliver to the consumers, then score what they marked, then all that they had changed at
    large."""
    for consumer in ("rescoring", "allocation"):
        while deliver_due(consumer, now):
            pass
    rescoring.drain_all(now)
    while mass.work_all(now):
        rescoring.drain_all(now)


def mark_everything(since: datetime) -> None:
    """Every candidate, and every opportunity that has scores, one by one."""
    marks.mark_candidates(Candidate.objects.values_list("pk", flat=True), since)
    marks.mark_opportunities(Opportunity.objects.filter(state__in=SCORED_STATES).values_list("pk", flat=True), since)


def copy(now: datetime = NOW) -> None:
    """What the worker does for searches: mark what has changed, then copy it, to Elasticsearch too where it is used."""
    while deliver_due("copies", now):
        pass
    copies.project_all(now)
    if settings.ELASTICSEARCH_URL:
        while indexing.index_unless_resting(now):
            pass


def skilled(skill: Skill, level: int = 3, **facts: Any) -> Candidate:
    """A candidate with one skill, who may be offered work unasked."""
    facts = {"open_to_offers": True, "weekly_hours": 40, **facts}
    return a_candidate(skills=[SkillInput(skill.public_id, level, Decimal(3))], **facts)


def asking_for(
    skill: Skill, by: Recruiter | None = None, *, level: int = 3, seats: int = 1, **fields: Any
) -> Opportunity:
    terms = SkillTermInput(skill.public_id, required=True, weight=5, min_level=level)
    return a_published_opportunity(by, seats=seats, skills=[terms], **fields)


def best(opportunity: Opportunity) -> list[int]:
    """Candidates matched with an opportunity, best first."""
    rows = Match.objects.filter(opportunity=opportunity).order_by("-fit", "tie_break", "candidate_id")
    return list(rows.values_list("candidate_id", flat=True))


def pairs(run: AllocationRun, *states: str) -> set[tuple[int, int]]:
    rows = run.proposals.filter(state__in=states) if states else run.proposals.all()
    return set(rows.values_list("opportunity_id", "candidate_id"))


EUROS = Pay(Decimal(25), "EUR", "hour")


def plan(by: Recruiter, **options) -> AllocationRun:
    """Planned and solved, after whatever happened before has reached the projections."""
    work()
    queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW, **options)
    return solve_run(queued.pk, NOW)


def commit(by: Recruiter, run: AllocationRun, **options) -> AllocationRun:
    return commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW, **options)
