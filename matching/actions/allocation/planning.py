"""Asking for an allocation, and settling what it proposes before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.actions.events import append
from accounts.actions.timers import cancel_timer
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.errors import InvalidInput, NotFound
from marketplace.models import Opportunity
from matching.access import access_proposal, access_run, access_scope, planner_kind
from matching.actions.allocation.offering import LONGEST_OFFER_HOURS, read_overbooking, read_waves
from matching.actions.allocation.policies import read_policy
from matching.actions.allocation.progress import ask_to_stop
from matching.actions.models import serving_now
from matching.core.workflow import PROPOSAL, RUN, RunState
from matching.errors import RunNotPlanned
from matching.models import AllocationRun, Proposal
from matching.queries.market import check_scope

MOST_OPPORTUNITIES = 1000  # named one by one; a run over everything has no such limit


def plan_allocation(
    *,
    actor: Actor,
    organisation_id: UUID | None = None,
    opportunity_ids: Sequence[UUID] = (),
    policy: Mapping[str, Any] | None = None,
    previous_run_id: UUID | None = None,
    offers_expire_hours: int = 72,
    overbooking_ppm: int | None = None,
    waves: Sequence[Mapping[str, Any]] | None = None,
    commits_itself: bool = False,
    now: datetime,
) -> AllocationRun:
    """Queue an allocation of an organisation's open seats; of the whole market's, for staff, without one.

    `opportunity_ids` narrow it. `policy` is read by `read_policy`: what it does not say is as the settings have it.
    What staff pinned and excluded in a previous run of the same scope carries over. The offers of a commit will expire
    after `offers_expire_hours`. A worker solves it: AllocationQueued is delivered to the consumer `allocation`.

    With `overbooking_ppm` its offers are open calls: as many as keep the chance of more acceptances than seats, in
    millionths, at most there. With `waves` it asks those of the first alone, and the others later, as
    `matching.actions.allocation.offering` says. `commits_itself`: offers go out as soon as it is planned.

    Raises InvalidInput, NotFound, NotPermitted, RuleRefused, ScoresNotComparable.
    """
    if type(offers_expire_hours) is not int or not 1 <= offers_expire_hours <= LONGEST_OFFER_HOURS:
        raise InvalidInput("offersExpireHours", f"must be a whole number from 1 to {LONGEST_OFFER_HOURS}")
    with transaction.atomic():
        organisation = access_scope(actor, organisation_id)
        scope = Opportunity.objects.all()
        if organisation is not None:
            scope = scope.filter(posting_organisation=organisation)
        opportunities = _opportunities(scope, opportunity_ids)
        previous = None
        if previous_run_id is not None:
            previous = access_run(actor, previous_run_id, to="manage")
            if previous.organisation_id != (organisation.pk if organisation is not None else None):
                raise InvalidInput("previousRunId", "is of another scope")
        stored_waves = read_waves(waves)
        run = AllocationRun.objects.create(
            organisation=organisation,
            overbooking_ppm=read_overbooking(overbooking_ppm),
            waves=stored_waves,
            commits_itself=commits_itself,
            policy=read_policy(policy, scope).to_data(),
            previous=previous,
            offers_expire_hours=stored_waves[0]["hours"] if stored_waves else offers_expire_hours,
            created_by_id=actor.user_id,
            created_at=now,
        )
        run.opportunities.set(opportunities)
        check_scope(run, serving_now(), now)
        append(run, "AllocationQueued", actor=actor, by=planner_kind(actor), now=now)
    return run


def discard_allocation(*, actor: Actor, run_id: UUID, now: datetime) -> AllocationRun:
    """Lay a plan aside. A worker that is solving it is asked to stop, and waited for.

    Raises IllegalTransition, NotFound, NotPermitted.
    """
    by = planner_kind(actor)
    with transaction.atomic():
        run = access_run(actor, run_id, to="manage")
        waits = run.state in (RunState.QUEUED, RunState.SOLVING)  # QUEUED is what a run that is solved looks like, too
        if waits:
            ask_to_stop(run.pk, actor=actor, by=by, now=now)
        run = access_run(actor, run_id, to="manage", lock=True)
        if waits and run.state == RunState.DISCARDED:
            return run  # by the worker, in our name
        extra = {"finished_at": now}
        move(run, RUN, "discard", actor=actor, by=by, now=now, extra_fields=extra)
        cancel_timer("allocation_expiry", run.pk)
    return run


def expire_allocation(run_pk: int, now: datetime) -> None:
    """What the timer calls: a plan that nobody committed in time no longer can be. Does nothing to any other run."""
    with transaction.atomic():
        run = AllocationRun.objects.select_for_update(no_key=True).filter(pk=run_pk).first()
        if run is None or run.state != RunState.PLANNED:
            return
        extra = {"finished_at": now}
        move(run, RUN, "expire", actor=Actor.system(), by=ActorKind.SYSTEM, now=now, extra_fields=extra)


def pin_proposal(*, actor: Actor, proposal_id: UUID, now: datetime) -> Proposal:
    """Insist on a pair: the next plan keeps it. Raises RunNotPlanned, IllegalTransition, NotFound, NotPermitted."""
    return _settle(actor, proposal_id, "pin", now)


def exclude_proposal(*, actor: Actor, proposal_id: UUID, now: datetime) -> Proposal:
    """Rule a pair out: it is not committed, and the next plan avoids it. Raises as `pin_proposal`."""
    return _settle(actor, proposal_id, "exclude", now)


def max_age() -> timedelta:
    """How old a plan may be when it is committed."""
    return timedelta(hours=settings.ALLOCATION_MAX_AGE_HOURS)


def _settle(actor: Actor, proposal_id: UUID, action: str, now: datetime) -> Proposal:
    with transaction.atomic():
        proposal = access_proposal(actor, proposal_id, to="manage", lock=True)
        if proposal.run.state != RunState.PLANNED:
            raise RunNotPlanned(state=proposal.run.state)
        move(proposal, PROPOSAL, action, actor=actor, by=planner_kind(actor), now=now, payload={"run": proposal.run_id})
    return proposal


def _opportunities(scope: QuerySet[Opportunity], opportunity_ids: Sequence[UUID]) -> list[Opportunity]:
    if len(opportunity_ids) > MOST_OPPORTUNITIES:
        raise InvalidInput("opportunityIds", f"must be at most {MOST_OPPORTUNITIES}")
    wanted = {one for one in opportunity_ids if isinstance(one, UUID)}
    found = list(scope.filter(public_id__in=wanted).order_by("pk"))
    if len(found) != len(set(opportunity_ids)):
        raise NotFound("opportunity")
    return found
