"""Between runs: somebody who has just become available is sent at once to where they are worth most beyond the price of
a seat, as the last run has it.

What becomes of it follows the opportunity's backfill policy: `automatic` sends the offer, `propose` lays it on the
table for whoever recruits, anything else only tells. Sent or proposed, it is a run of its own with one proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from accounts.actions.timers import set_timer
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from marketplace.access import access_candidate
from marketplace.errors import CandidateSuspended
from marketplace.models import Candidate, Offer, Opportunity, Seat
from matching.access import access_scope
from matching.actions.allocation import commit_allocation
from matching.actions.allocation.planning import max_age
from matching.actions.allocation.solving import digest_of
from matching.actions.models import serving_now
from matching.core.allocation import Arrival, Route, SeatPrice
from matching.core.allocation.arrival import answer
from matching.core.allocation.problem import parse_json
from matching.core.backfill import BackfillPolicy
from matching.core.run_policy import RunPolicy
from matching.core.workflow import RUN, ProposalState
from matching.errors import CandidateEngaged, NoPrices, NotOpenToOffers
from matching.models import AllocationRun, Proposal
from matching.queries.backfill import policies_of
from matching.queries.between import Between
from matching.queries.market import check_comparable, opportunities_in_scope
from matching.queries.pairings import Edge
from matching.queries.routes import Prices, edges_of, last_prices
from matching.queries.scorable import Basics, Scorable, basics_at, opportunities_by_model, scorables

MOST_SHOWN = 20


@dataclass(frozen=True)
class Option:
    """One opportunity with an open seat that the person could be offered: what the pair is worth, the price of a seat,
    and what is left of the one beyond the other."""

    opportunity: Opportunity
    value: int
    price: int

    @property
    def margin(self) -> int:
        return self.value - self.price


@dataclass(frozen=True)
class Routing:
    """`chosen` is None where no open seat is worth its price, or none is open to them. `options` are the best, the one
    with the greatest margin first. `run` holds the proposal where there is one, `proposal` says what became of it."""

    candidate: Candidate
    chosen: Option | None
    options: tuple[Option, ...]
    prices_of: AllocationRun
    policy: BackfillPolicy | None = None
    proposal: Proposal | None = None

    @property
    def offer(self) -> Offer | None:
        return self.proposal.offer if self.proposal is not None else None


def route_candidate(*, actor: Actor, candidate_id: UUID, organisation_id: UUID | None = None, now: datetime) -> Routing:
    """Send a person to the opportunity of an organisation, or of the whole market for staff, where they are worth most
    beyond the price of a seat.

    Raises NoPrices (no run of that scope was planned yet), NotOpenToOffers, CandidateEngaged, CandidateSuspended,
    ScoresNotComparable, NotFound, NotPermitted.
    """
    with transaction.atomic():
        organisation = access_scope(actor, organisation_id)
        candidate = access_candidate(actor, candidate_id)
        if candidate.suspended_at is not None or candidate.merged_into_id is not None:
            raise CandidateSuspended
        if not (candidate.open_to_offers and candidate.discoverable):
            raise NotOpenToOffers
        prices = last_prices(organisation.pk if organisation is not None else None)
        if prices is None:
            raise NoPrices
        policy = RunPolicy.from_data(prices.run.policy)
        basics = basics_at(now, serving_now())
        seats = dict(
            Seat.objects.open()
            .filter(opportunity__in=opportunities_in_scope(prices.run, now))
            .order_by()
            .values_list("opportunity_id")
            .annotate(seats=Count("pk"))
        )
        opportunities = scorables(Opportunity.objects.filter(pk__in=list(seats)), basics)
        check_comparable(one.served for one in opportunities.values())
        between = Between(list(opportunities), [candidate.pk], policy.offers_at_once)
        if between.is_engaged(candidate.pk):
            raise CandidateEngaged
        edges = edges_of(candidate, opportunities, between, policy, basics)
        options = _options(opportunities, edges, prices)
        known = {pk: SeatPrice(price=prices.of.get(pk, 0), seats=seats[pk], expected=0, left=seats[pk]) for pk in edges}
        worth = sorted((pk, edge.value) for pk, edge in edges.items())
        arrival = Arrival(tuple(worth), known, salt=prices.run.public_id.bytes)
        found = arrival.route()
        if found is None:
            return Routing(candidate, None, options, prices.run)
        chosen = Option(opportunities[found.opportunity].opportunity, found.value, found.price)
        says, _ = policies_of([chosen.opportunity])[chosen.opportunity.pk]
        if not says.looks_further:
            return Routing(candidate, chosen, options, prices.run, says)
        stored = _stored(arrival, found, prices, basics, [opportunities[pk] for pk in edges])
        proposal = _propose(candidate, chosen, edges[found.opportunity], stored, prices, actor, now)
        if says is BackfillPolicy.AUTOMATIC:
            commit_allocation(actor=actor, run_id=proposal.run.public_id, now=now)
            proposal = Proposal.objects.select_related("run", "offer").get(pk=proposal.pk)
        return Routing(candidate, chosen, options, prices.run, says, proposal)


def _options(opportunities: Mapping[int, Scorable], edges: Mapping[int, Edge], prices: Prices) -> tuple[Option, ...]:
    """The best of them; an opportunity that the run did not know has no price yet."""
    options = [Option(opportunities[pk].opportunity, edge.value, prices.of.get(pk, 0)) for pk, edge in edges.items()]
    return tuple(sorted(options, key=lambda one: (-one.margin, -one.value, one.opportunity.pk))[:MOST_SHOWN])


def _stored(
    arrival: Arrival, found: Route, prices: Prices, basics: Basics, scored: Sequence[Scorable]
) -> dict[str, Any]:
    """The columns that a replay needs: all that was read, no personal value, and beside it the answer."""
    read = {
        "prices_of": str(prices.run.public_id),
        "on": basics.on.isoformat(),
        "models": opportunities_by_model(scored),
        "arrival": parse_json(arrival.to_json()),
    }
    models = {one.model.pk: one.model for one in scored}
    return {
        "model": models.popitem()[1] if len(models) == 1 else None,  # of several, the snapshot names each
        "snapshot": {**read, "route": answer(found)},
        "snapshot_digest": digest_of(read),
    }


def _propose(
    candidate: Candidate,
    chosen: Option,
    edge: Edge,
    stored: Mapping[str, Any],
    prices: Prices,
    actor: Actor,
    now: datetime,
) -> Proposal:
    """A planned run with this proposal, which holds what it went by. One that waits already is returned as it is."""
    waiting = Proposal.objects.filter(
        candidate=candidate,
        opportunity=chosen.opportunity,
        state__in=[ProposalState.PROPOSED, ProposalState.PINNED],
        run__cause=AllocationRun.Cause.ROUTING,
        run__state="planned",
    )
    if (found := waiting.select_related("run", "offer").first()) is not None:
        return found
    system, by = Actor.system(), ActorKind.SYSTEM
    run = AllocationRun.objects.create(
        organisation_id=chosen.opportunity.posting_organisation_id,
        policy=prices.run.policy,
        offers_expire_hours=prices.run.offers_expire_hours,
        cause=AllocationRun.Cause.ROUTING,
        most_seats=1,
        created_by_id=actor.user_id,
        created_at=now,
    )
    run.opportunities.add(chosen.opportunity)
    move(run, RUN, "solve", actor=system, by=by, now=now)
    planned: dict[str, Any] = {
        **stored,
        "seats": 1,
        "proposed": 1,
        "value": edge.value,
        "bound": edge.value,
        "planned_at": now,
    }
    move(run, RUN, "plan", actor=system, by=by, now=now, extra_fields=planned)
    set_timer("allocation_expiry", run.pk, now + max_age())
    return Proposal.objects.create(
        run=run,
        opportunity=chosen.opportunity,
        candidate=candidate,
        value=edge.value,
        fit=edge.fit,
        acceptance=edge.acceptance,
    )
