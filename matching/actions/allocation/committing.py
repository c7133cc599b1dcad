"""Committing a plan: every proposal is rechecked against the truth, and what still holds becomes an offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from django.db import transaction

from accounts.actions.timers import cancel_timer
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.core.machine import decide
from accounts.errors import DomainError, InvalidInput, NotFound
from marketplace.actions.applications import open_application
from marketplace.actions.offers import send_offer
from marketplace.actions.standing import check_open
from marketplace.errors import SeatsFilled
from marketplace.models import Application, Candidate, Offer, Opportunity, Seat
from marketplace.queries.facts import facts_of
from marketplace.queries.rates import rates_of
from matching.access import access_proposal, access_run, planner_kind
from matching.actions.allocation.offering import schedule_next_wave
from matching.actions.allocation.planning import max_age
from matching.actions.models import serving_now
from matching.core.allocation import call_size
from matching.core.facts import CandidateFacts
from matching.core.run_policy import RunPolicy
from matching.core.workflow import PROPOSAL, RUN, ProposalState
from matching.errors import (
    CandidateEngaged,
    CandidateGone,
    CandidateSetAside,
    HoursTaken,
    OverbookingReached,
    PayUnknown,
    RunTooOld,
)
from matching.models import AllocationRun, Proposal
from matching.queries.between import Between
from matching.queries.open_calls import chances_of_open_calls
from matching.queries.pay import pay_for
from matching.queries.scorable import Scorable, basics_at, scorables

_OPEN = (ProposalState.PROPOSED.value, ProposalState.PINNED.value)


def commit_allocation(
    *, actor: Actor, run_id: UUID, proposal_ids: Sequence[UUID] | None = None, now: datetime
) -> AllocationRun:
    """Send the offers of a plan: all that are proposed or pinned, or those named.

    Each proposal is judged anew, in a savepoint of its own: it becomes an offer that holds a seat, or is dropped with
    the refusal's code and sentence. All of it is one transaction: whoever is killed in the middle has sent nothing.

    After a part the plan stays on the table for the rest, until that is committed, discarded or too old. Each
    proposal is settled once: of those named, what an earlier commit sent or dropped stays as it is, so that asking
    again sends nothing twice. Of two who commit all at the same time, the second finds the run committed.

    Raises IllegalTransition, RunTooOld, InvalidInput, NotFound, NotPermitted.
    """
    with transaction.atomic():
        run = access_run(actor, run_id, to="manage", lock=True)
        by = planner_kind(actor)
        decide(RUN, run.state, "commit", by)
        if run.planned_at is None or run.planned_at + max_age() < now:
            hours = int(max_age() / timedelta(hours=1))
            raise RunTooOld(planned_at=run.planned_at or run.created_at, hours=hours)
        proposals = _chosen(run, proposal_ids)
        if not proposals and proposal_ids is not None:
            return run
        move(run, RUN, "commit", actor=actor, by=by, now=now)
        truth = _gather(proposals, run, now)
        sent = 0
        for proposal in proposals:
            try:
                with transaction.atomic():
                    _send(proposal, run, truth, actor=actor, by=by, now=now)
            except DomainError as refusal:
                extra = {"code": refusal.code, "reason": refusal.message[:200], "settled_at": now}
                payload = {"run": run.pk, "code": refusal.code}
                proposal.state = Proposal.objects.values_list("state", flat=True).get(pk=proposal.pk)
                move(proposal, PROPOSAL, "drop", actor=actor, by=by, now=now, extra_fields=extra, payload=payload)
            else:
                truth.took(proposal)
                sent += 1
        schedule_next_wave(run, now)
        _close(run, {"sent": run.sent + sent, "dropped": run.dropped + len(proposals) - sent}, actor, by, now)
    return run


def commit_proposal(*, actor: Actor, proposal_id: UUID, now: datetime) -> Proposal:
    """Commit one proposal of a plan, and leave the rest on the table. Raises as `commit_allocation` does."""
    with transaction.atomic():
        run = access_proposal(actor, proposal_id, to="manage").run
        commit_allocation(actor=actor, run_id=run.public_id, proposal_ids=[proposal_id], now=now)
        return Proposal.objects.get(public_id=proposal_id)


def _close(run: AllocationRun, totals: dict[str, int], actor: Actor, by: ActorKind, now: datetime) -> None:
    """Leave the rest of a plan on the table; where there is none, the run is done."""
    if run.proposals.filter(state__in=_OPEN).exists():
        move(run, RUN, "keep", actor=actor, by=by, now=now, extra_fields=totals)
        return
    move(run, RUN, "finish", actor=actor, by=by, now=now, extra_fields={**totals, "finished_at": now})
    cancel_timer("allocation_expiry", run.pk)


@dataclass(frozen=True)
class _Truth:
    """What the recheck goes by: read after everything that could change it was locked."""

    opportunities: Mapping[int, Scorable]
    candidates: Mapping[int, Candidate]
    facts: Mapping[int, CandidateFacts]
    between: Between
    rates: Mapping[str, Decimal]
    calls: Mapping[int, list[int]]  # opportunity → chances of its live open calls, in millionths

    def chance_of(self, proposal: Proposal) -> int:
        """That they accept, in millionths."""
        scorer = self.opportunities[proposal.opportunity_id].scorer
        return int(scorer.probabilities_ppm("acceptance", np.array([proposal.acceptance], np.int64))[0])

    def took(self, proposal: Proposal) -> None:
        """Count an offer that has just been sent."""
        asked = self.opportunities[proposal.opportunity_id].terms.weekly_hours
        self.between.engage(proposal.candidate_id, asked or 0)
        self.calls.get(proposal.opportunity_id, []).append(self.chance_of(proposal))


def _gather(proposals: Sequence[Proposal], run: AllocationRun, now: datetime) -> _Truth:
    """Lock in the marketplace's order (opportunities, applications, candidates), each by ascending id, then read."""
    opportunity_ids = sorted({proposal.opportunity_id for proposal in proposals})
    candidate_ids = sorted({proposal.candidate_id for proposal in proposals})
    # Stronger than keeping them: two commits that share opportunities would each wait for the other's seats.
    list(Opportunity.objects.filter(pk__in=opportunity_ids).order_by("pk").select_for_update(no_key=True))
    list(
        Application.objects.live()
        .filter(opportunity__in=opportunity_ids, candidate__in=candidate_ids)
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    locked = Candidate.objects.filter(pk__in=candidate_ids).order_by("pk").select_for_update(no_key=True)
    candidates = {candidate.pk: candidate for candidate in locked}
    basics = basics_at(now, serving_now())
    opportunities = scorables(Opportunity.objects.filter(pk__in=opportunity_ids), basics)
    called = chances_of_open_calls(opportunities, opportunities, basics) if run.overbooking_ppm is not None else {}
    return _Truth(
        opportunities=opportunities,
        candidates=candidates,
        facts=facts_of(candidate_ids, on=basics.on, rate_set=basics.rates),
        between=Between(opportunity_ids, candidate_ids, RunPolicy.from_data(run.policy).offers_at_once),
        rates=rates_of(basics.rates),
        calls={pk: called.get(pk, []) for pk in opportunity_ids} if run.overbooking_ppm is not None else {},
    )


def _send(
    proposal: Proposal, run: AllocationRun, truth: _Truth, *, actor: Actor, by: ActorKind, now: datetime
) -> Offer:
    """Turn one proposal into an offer. Eligibility and the seat are checked by the actions that this calls."""
    one = truth.opportunities[proposal.opportunity_id]
    candidate = truth.candidates[proposal.candidate_id]
    pair = proposal.opportunity_id, proposal.candidate_id
    check_open(one.opportunity, now)
    _check(pair, one, candidate, truth)
    if run.overbooking_ppm is not None:
        _check_call(proposal, run.overbooking_ppm, truth)
    pay = pay_for(candidate, one.opportunity, truth.rates)
    if pay is None:
        raise PayUnknown
    application = open_application(opportunity_pk=one.pk, candidate_pk=candidate.pk, actor=actor, by=by, now=now)
    offer = send_offer(
        actor=actor,
        application_id=application.public_id,
        kind=Offer.Kind.RESERVED if run.overbooking_ppm is None else Offer.Kind.OPEN_CALL,
        pay=pay,
        expires_at=now + timedelta(hours=run.offers_expire_hours),
        now=now,
    )
    extra = {"offer": offer, "application": application, "settled_at": now}
    move(proposal, PROPOSAL, "send", actor=actor, by=by, now=now, extra_fields=extra, payload={"run": run.pk})
    return offer


def _check(pair: tuple[int, int], one: Scorable, candidate: Candidate, truth: _Truth) -> None:
    """Raises the refusal of what has changed since the plan."""
    applied = pair in truth.between.applications
    present = candidate.suspended_at is None and candidate.merged_into_id is None
    if not present or not (applied or (candidate.open_to_offers and candidate.discoverable)):
        raise CandidateGone
    if truth.between.is_engaged(candidate.pk):
        raise CandidateEngaged
    if not truth.between.may_meet(one, candidate.pk):
        raise CandidateSetAside
    facts = truth.facts[candidate.pk]
    asked, free = one.terms.weekly_hours, facts.free_hours
    if asked is not None and free is not None:
        left = max(free - truth.between.hours_promised(candidate.pk), 0)
        if left < asked:
            raise HoursTaken(free=left, asked=asked)


def _check_call(proposal: Proposal, limit_ppm: int, truth: _Truth) -> None:
    """That asking one more leaves more acceptances than seats as unlikely as was asked for. Raises SeatsFilled,
    OverbookingReached."""
    seats = Seat.objects.open().filter(opportunity=proposal.opportunity_id).count()
    if not seats:
        raise SeatsFilled
    out = truth.calls[proposal.opportunity_id]
    if not call_size([truth.chance_of(proposal)], seats, limit_ppm=limit_ppm, outstanding_ppm=out).offers:
        raise OverbookingReached(limit_ppm=limit_ppm, seats=seats, calls=len(out))


def _chosen(run: AllocationRun, proposal_ids: Sequence[UUID] | None) -> list[Proposal]:
    """The proposals to send, best first, without those that an earlier commit settled. Raises NotFound, or InvalidInput
    for those that staff excluded."""
    rows = list(Proposal.objects.filter(run=run).order_by("-value", "pk").select_for_update(no_key=True))
    if proposal_ids is None:
        return [row for row in rows if row.state in _OPEN]
    wanted = set(proposal_ids)
    if wanted - {row.public_id for row in rows}:
        raise NotFound("proposal")
    chosen = [row for row in rows if row.public_id in wanted]
    if any(row.state == ProposalState.EXCLUDED for row in chosen):
        raise InvalidInput("proposalIds", "must be proposed or pinned")
    return [row for row in chosen if row.state in _OPEN]
