"""The market as an allocation reads it: open seats, people who may be offered them, and what each pair is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db.models import Count, Exists, OuterRef, QuerySet

from marketplace.models import Opportunity, Seat
from marketplace.queries.rates import rates_of
from marketplace.queries.rules import ceilings_of, resolved_draft
from matching.core.allocation import CandidateNode, Edges, Limit, OpportunityNode, Problem, Share
from matching.core.rules import load
from matching.core.run_policy import RunPolicy
from matching.errors import ScoresNotComparable
from matching.models import AllocationRun, ScoringModel
from matching.queries.between import Between, Pair
from matching.queries.candidates_at_hand import ANY_HOURS, AtHand, at_hand
from matching.queries.offering import call_sizes, in_its_wave
from matching.queries.open_calls import chances_of_open_calls, expected_from_open_calls
from matching.queries.pairings import Pairings, pairings_of
from matching.queries.pins import lost_pins
from matching.queries.scorable import Basics, Scorable, opportunities_by_model, scorables
from matching.queries.serving import Served, Serving


@dataclass(frozen=True)
class Market:
    """A problem with what it was made of. `lost_pins` are pinned pairs that can no longer be, with the reason."""

    problem: Problem
    policy: RunPolicy
    pairings: Pairings
    at_hand: AtHand
    between: Between
    scorables: Mapping[int, Scorable]
    lost_pins: Mapping[Pair, str]
    open_calls: Mapping[int, int]
    basics: Basics

    def models(self) -> list[ScoringModel]:
        """Those that scored."""
        return list({one.model.pk: one.model for _, one in sorted(self.scorables.items())}.values())

    def snapshot(self) -> dict[str, Any]:
        """All that planning read, as JSON: ids, numbers and rules, no personal value. The columns under `scores` go
        with the problem's edges: `fit` orders people for an opportunity, `wants` opportunities for a person."""
        met = np.isin(self.at_hand.ids, self.problem.candidate_keys())
        people = zip(self.at_hand.ids[met].tolist(), self.at_hand.revision[met].tolist(), strict=True)
        return {
            "problem": json.loads(self.problem.to_json()),
            "policy": self.policy.to_data(),
            "scores": {"fit": self.pairings.fit.tolist(), "wants": self.pairings.wants.tolist()},
            "on": self.basics.on.isoformat(),
            "models": opportunities_by_model(self.scorables.values()),
            "rate_set": self.basics.rates.pk if self.basics.rates else None,
            "taxonomy": self.basics.taxonomy,
            "revisions": {str(pk): one.terms.revision for pk, one in sorted(self.scorables.items())},
            "open_calls": {str(pk): expected for pk, expected in sorted(self.open_calls.items())},
            "people": [list(one) for one in people],
            "lost_pins": [[*pair, reason] for pair, reason in sorted(self.lost_pins.items())],
        }


def open_opportunities(run: AllocationRun, basics: Basics) -> dict[int, Scorable]:
    """Those in the scope of a run that take offers at present."""
    return scorables(opportunities_in_scope(run, basics.now), basics)


def opportunities_in_scope(run: AllocationRun, now: datetime) -> QuerySet[Opportunity]:
    rows = Opportunity.objects.open_at(now).filter(posting_organisation__suspended_at=None)
    if run.organisation_id is not None:
        rows = rows.filter(posting_organisation_id=run.organisation_id)
    chosen = list(run.opportunities.values_list("pk", flat=True))
    return rows.filter(pk__in=chosen) if chosen else rows


def check_scope(run: AllocationRun, serving: Serving, now: datetime) -> None:
    """Raises ScoresNotComparable where models without a common calibration score what a run is about."""
    if len({one.scorer.calibration for one in serving.served}) > 1:
        seated = opportunities_in_scope(run, now).filter(Exists(Seat.objects.open().filter(opportunity=OuterRef("pk"))))
        ids = list(seated.values_list("pk", flat=True))
        check_comparable(serving.of(ids, on=now.astimezone(UTC).date()).values())


def gather(
    run: AllocationRun,
    policy: RunPolicy,
    basics: Basics,
    *,
    pinned: Collection[Pair],
    excluded: Collection[Pair],
    told: Callable[[int], None] = lambda done: None,
) -> Market:
    """The problem of a run. A constant number of statements, whatever the number of people and opportunities. `told`
    hears of how many opportunities are done."""
    opportunities = open_opportunities(run, basics)
    open_seats = _open_seats(opportunities)
    called = chances_of_open_calls(opportunities, open_seats, basics)
    open_calls = expected_from_open_calls(called, open_seats)
    seats = {pk: count - open_calls.get(pk, 0) for pk, count in open_seats.items()}
    if run.most_seats is not None:
        seats = {pk: min(count, run.most_seats) for pk, count in seats.items()}
    opportunities = {pk: opportunities[pk] for pk, count in seats.items() if count > 0}
    check_comparable(one.served for one in opportunities.values())

    people = at_hand(opportunities, basics)
    between = Between(list(opportunities), people.ids.tolist(), policy.offers_at_once)
    pairings = pairings_of(opportunities, people, between, policy, basics, told)
    pairings = in_its_wave(run, opportunities, seats, pairings)
    if run.overbooking_ppm is not None:  # then a seat to give is an offer to make
        seats = call_sizes(run, open_seats, pairings, called)
    keys, met = list(opportunities), np.unique(pairings.candidate)
    nodes = _candidates(met, pairings, people, between)
    several = any(node.most > 1 for node in nodes)
    edges = Edges(
        np.searchsorted(np.array(keys, np.int64), pairings.opportunity).astype(np.int64),
        np.searchsorted(met, pairings.candidate).astype(np.int64),
        pairings.value,
        pairings.hours if several else None,  # of one seat alone it was asked whether they have the hours for it
    )
    limits = _limits(opportunities, seats, policy)
    shares = _shares(opportunities, seats, pairings, people, policy, basics)
    lost = lost_pins(pinned, excluded, pairings, seats=seats, nodes=nodes, limits=limits, shares=shares)
    problem = Problem(
        opportunities=tuple(OpportunityNode(pk, seats[pk]) for pk in keys),
        candidates=nodes,
        edges=edges,
        policy=policy.weights,
        pinned=tuple(pair for pair in pinned if pair not in lost),
        excluded=tuple(excluded),
        salt=run.public_id.bytes,  # ties fall differently in another run, and the same in this one's replay
        limits=limits,
        shares=shares,
    )
    return Market(
        problem=problem,
        policy=policy,
        pairings=pairings,
        at_hand=people,
        between=between,
        scorables=opportunities,
        lost_pins=lost,
        open_calls=open_calls,
        basics=basics,
    )


def check_comparable(served: Iterable[Served]) -> None:
    """An allocation weighs a pair against every other, so all must be measured on one scale. Raises
    ScoresNotComparable."""
    scales = {one.model.version: one.scorer.calibration for one in served}
    if len(set(scales.values())) > 1:
        raise ScoresNotComparable(calibrations=dict(sorted(scales.items())))


def _open_seats(opportunity_ids: Collection[int]) -> dict[int, int]:
    rows = Seat.objects.open().filter(opportunity__in=list(opportunity_ids))
    counted = rows.order_by().values_list("opportunity_id").annotate(seats=Count("pk"))
    return dict(sorted(counted))


def _candidates(
    met: np.ndarray[Any, np.dtype[np.int64]], pairings: Pairings, people: AtHand, between: Between
) -> tuple[CandidateNode, ...]:
    """Whoever has a pair. Hours and a number of seats are said of those alone who could take several."""
    if between.limit == 1:
        return tuple(CandidateNode(pk) for pk in met.tolist())
    left = people.hours_left(between.hours)[people.rows_of(met.tolist())].tolist()
    pairs = np.bincount(np.searchsorted(met, pairings.candidate), minlength=len(met)).tolist()
    nodes = []
    for pk, hours, degree in zip(met.tolist(), left, pairs, strict=True):
        most = min(between.limit - between.offers.get(pk, 0), degree)
        stated = hours < ANY_HOURS // 2
        nodes.append(CandidateNode(pk, max(hours, 0) if stated and most > 1 else None, most))
    return tuple(nodes)


def _limits(opportunities: Mapping[int, Scorable], seats: Mapping[int, int], policy: RunPolicy) -> tuple[Limit, ...]:
    """By hiring organisation. Those that have fewer seats anyway are not limited: it makes the problem harder."""
    hiring: dict[int, list[int]] = {}
    for pk, one in opportunities.items():
        hiring.setdefault(one.opportunity.hiring_organisation_id, []).append(pk)
    found = []
    for organisation, keys in sorted(hiring.items()):
        most = policy.most_for(organisation)
        if most is not None and most < sum(seats[pk] for pk in keys):
            found.append(Limit(organisation, tuple(keys), most))
    return tuple(found)


def _shares(
    opportunities: Mapping[int, Scorable],
    seats: Mapping[int, int],
    pairings: Pairings,
    people: AtHand,
    policy: RunPolicy,
    basics: Basics,
) -> tuple[Share, ...]:
    """Whom reserved seats are for, of those who may have one of the seats at all. Where fewer seats are left than are
    reserved, all of them are; where everybody may have them, nothing has to be kept."""
    rates, found = rates_of(basics.rates), []
    for share in policy.shares:
        one = opportunities.get(share.opportunity)
        if one is None or one.opportunity.current_revision is None:
            continue
        rule = resolved_draft(load(dict(share.rule)), ceilings_of(one.opportunity.current_revision.terms, rates))
        low, high = np.searchsorted(pairings.opportunity, [one.pk, one.pk + 1]).tolist()
        passing = pairings.candidate[low:high]
        members = passing[people.accepted(rule)[people.rows_of(passing.tolist())]]
        if len(members) < len(passing):
            found.append(Share(one.pk, min(share.seats, seats[one.pk]), tuple(members.tolist())))
    return tuple(found)
