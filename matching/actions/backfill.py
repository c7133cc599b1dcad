"""Filling seats again that have come free: those who wait first, then whoever is worth most.

A seat comes free when its offer is declined, expires or is withdrawn, or when a new one replaces that of a placement
which ended before its time. It becomes a *vacancy*; a run of its own, over this opportunity and as many seats as have
come free, looks for the next best by the present truth, and can be read, verified and replayed like any other. By
policy the run commits itself once it is planned, or waits for somebody to commit it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import access_organisation
from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.errors import InvalidInput
from accounts.models import Organisation
from marketplace.access import access_opportunity
from marketplace.actions.offers import serve_waitlist
from marketplace.core.workflow import OpportunityState, SeatState
from marketplace.models import Opportunity, Seat, WaitlistEntry
from matching.actions.allocation import commit_allocation
from matching.actions.allocation.policies import default_policy
from matching.core.backfill import BackfillPolicy
from matching.core.workflow import RUN, RunState
from matching.models import AllocationRun, BackfillRule, Vacancy
from matching.queries.backfill import policy_of, undecided_backfill, waits_for_a_wave

OVER = frozenset({OpportunityState.CLOSED, OpportunityState.SUSPENDED})


def set_backfill(
    *,
    actor: Actor,
    opportunity_id: UUID | None = None,
    organisation_id: UUID | None = None,
    policy: str | None,
    now: datetime,
) -> Opportunity | Organisation:
    """Say what becomes of seats that come free: of one opportunity, or of all of an organisation's that say nothing
    else. None takes back what was said. Raises InvalidInput, NotFound, NotPermitted.
    """
    if (opportunity_id is None) == (organisation_id is None):
        raise InvalidInput("opportunity_id", "or the organisation's must be given, and not both")
    if policy is not None and policy not in set(BackfillPolicy):
        raise InvalidInput("policy", "must be one of " + ", ".join(BackfillPolicy))
    with transaction.atomic():
        subject: Opportunity | Organisation
        if opportunity_id is not None:
            subject = access_opportunity(actor, opportunity_id, to="manage", lock=True)
            about: dict[str, Any] = {"opportunity": subject}
        else:
            assert organisation_id is not None
            organisation = access_organisation(actor, organisation_id, to="manage")
            subject = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
            about = {"organisation": subject}
        if policy is None:
            BackfillRule.objects.filter(**about).delete()
        else:
            said = {"policy": policy, "set_by_id": actor.user_id, "set_at": now}
            BackfillRule.objects.update_or_create(**about, defaults=said)
        by = ActorKind.STAFF if actor.is_staff else ActorKind.MEMBER
        append(subject, "BackfillSet", actor=actor, by=by, now=now, payload={"policy": policy})
    return subject


def serve_the_waiting(opportunity_pk: int, freed_seat: int | None, now: datetime) -> None:
    """What is due at once when a seat is open: offers to those who wait for one, if that is the policy; and where the
    `freed_seat` (inner id) is still open then, a vacancy for others to fill."""
    if freed_seat is None and not WaitlistEntry.objects.filter(opportunity=opportunity_pk).exists():
        return  # thousands of seats may be opened at once, mostly with nobody waiting
    with transaction.atomic():
        opportunity = _locked(opportunity_pk)
        policy = policy_of(opportunity)
        if policy.serves_the_line:
            serve_waitlist(opportunity_pk, now)
        if freed_seat is None or not policy.looks_further or waits_for_a_wave(opportunity_pk):
            return
        seat = Seat.objects.open().filter(pk=freed_seat).first()
        if seat is None:
            return
        if Vacancy.objects.open().filter(seat=seat).exists():
            return
        vacancy = Vacancy.objects.create(opportunity=opportunity, seat=seat, since=now)
        payload = {"opportunity": opportunity_pk, "seat": seat.pk}
        append(vacancy, "VacancyOpened", actor=Actor.system(), by=ActorKind.SYSTEM, now=now, payload=payload)


def is_replacement(seat_pk: int) -> bool:
    """Whether a seat was opened in the stead of one whose placement ended before its time."""
    return Seat.objects.filter(pk=seat_pk, replaces__isnull=False).exists()


def fill_vacancies(opportunity_pk: int, now: datetime) -> AllocationRun | None:
    """Queue a run for all seats of an opportunity that have come free and are open still. None where there are none,
    or where it takes no offers at present: if it is paused, they wait until it is resumed."""
    with transaction.atomic():
        opportunity = _locked(opportunity_pk)
        vacancies = Vacancy.objects.open().filter(opportunity=opportunity).select_related("seat").order_by("pk")
        locked = list(vacancies.select_for_update(of=("self",), no_key=True))
        if not locked or opportunity.state not in {OpportunityState.PUBLISHED, *OVER}:
            return None
        policy = policy_of(opportunity)
        is_wanted = policy.looks_further and opportunity.state == OpportunityState.PUBLISHED
        wanted = [one for one in locked if is_wanted and one.seat.state == SeatState.OPEN]
        run = _queue(opportunity, len(wanted), policy, now) if wanted else None
        Vacancy.objects.filter(pk__in=[one.pk for one in locked]).update(closed_at=now)
        Vacancy.objects.filter(pk__in=[one.pk for one in wanted]).update(run=run)
        return run


def follow_plan(run_pk: int, now: datetime) -> None:
    """Once a run is planned: commit it, where nobody else is to; tell of a backfill that waits for somebody to.

    Does nothing to any other run, and nothing a second time.
    """
    with transaction.atomic():
        run = AllocationRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run_pk)
        if run.state != RunState.PLANNED:
            return
        if run.commits_itself:
            commit_allocation(actor=Actor.system(), run_id=run.public_id, now=now)
        elif run.cause == AllocationRun.Cause.BACKFILL and run.proposed:
            system, by = Actor.system(), ActorKind.SYSTEM
            for opportunity in run.opportunities.order_by("pk"):
                append(opportunity, "BackfillProposed", actor=system, by=by, now=now, payload={"run": run.pk})


def _queue(opportunity: Opportunity, seats: int, policy: BackfillPolicy, now: datetime) -> AllocationRun:
    """A run for so many seats, after the weights of the one that offered them last. What was proposed for others and
    nobody has committed yet is proposed anew, together with these."""
    system, by = Actor.system(), ActorKind.SYSTEM
    for run in undecided_backfill(opportunity).select_for_update(of=("self",), no_key=True).order_by("pk"):
        seats += run.most_seats or 0
        move(run, RUN, "discard", actor=system, by=by, now=now, extra_fields={"finished_at": now})
    last = AllocationRun.objects.filter(proposals__opportunity=opportunity, proposals__state="sent").order_by("-pk")
    before = last.only("policy", "offers_expire_hours").first()
    run = AllocationRun.objects.create(
        organisation_id=opportunity.posting_organisation_id,
        policy=before.policy if before else default_policy().to_data(),
        offers_expire_hours=before.offers_expire_hours if before else 72,
        cause=AllocationRun.Cause.BACKFILL,
        most_seats=seats,
        commits_itself=policy == BackfillPolicy.AUTOMATIC,
        created_at=now,
    )
    run.opportunities.add(opportunity)
    append(run, "AllocationQueued", actor=system, by=by, now=now)
    return run


def _locked(opportunity_pk: int) -> Opportunity:
    """Against others who fill its seats at the same time, as a commit takes it: those who accept do not wait for it."""
    return Opportunity.objects.select_for_update(no_key=True).get(pk=opportunity_pk)
