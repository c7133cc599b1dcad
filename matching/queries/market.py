"""The market as an allocation reads it: open seats, people who may be offered them, and what each pair is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from numpy.typing import NDArray

from marketplace.core.workflow import ApplicationStatus, OfferState
from marketplace.models import Application, Offer, Opportunity, Placement, Seat
from marketplace.queries.facts import facts_of
from matching.compile_sql import compile_rule
from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Policy, Problem, edge_values
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.core.scoring import UNSCORED
from matching.errors import ScoresNotComparable
from matching.models import AllocationRun, CandidateProjection, ScoringModel
from matching.queries.scorable import Basics, Scorable, refused_pairs, scorables
from matching.queries.serving import Served, Serving
from matching.queries.totals import totals_of

MILLION = 1_000_000
Pair = tuple[int, int]  # inner ids of opportunity and candidate


def min_fit_ppm() -> int:
    """The least fit, as a probability in millionths, at which somebody is offered a seat unasked or asked."""
    value: int = settings.ALLOCATION_MIN_FIT_PPM
    return value


def offers_at_once() -> int:
    """How many live offers from allocations one person may hold."""
    value: int = settings.ALLOCATION_OFFERS_AT_ONCE
    return value


@dataclass(frozen=True, slots=True)
class Edge:
    """One pair that may be matched. Scores in micro-units of log-odds."""

    fit: int
    acceptance: int
    value: int


@dataclass(frozen=True)
class Market:
    """A problem with what it was made of. `lost_pins` are pinned pairs that can no longer be, with the reason."""

    problem: Problem
    edges: Mapping[Pair, Edge]
    facts: Mapping[int, CandidateFacts]
    scorables: Mapping[int, Scorable]
    applications: Mapping[Pair, int]
    lost_pins: Mapping[Pair, str]
    open_calls: Mapping[int, int]
    basics: Basics

    def models(self) -> list[ScoringModel]:
        """Those that scored."""
        return list({one.model.pk: one.model for _, one in sorted(self.scorables.items())}.values())

    def opportunities_by_model(self) -> dict[str, list[int]]:
        """By version, whose opportunities it scored."""
        found: dict[str, list[int]] = {}
        for pk, one in sorted(self.scorables.items()):
            found.setdefault(one.model.version, []).append(pk)
        return found

    def snapshot(self) -> dict[str, Any]:
        """All that planning read, as JSON: ids, numbers and digests, no personal value."""
        return {
            "problem": json.loads(self.problem.to_json()),
            "on": self.basics.on.isoformat(),
            "models": self.opportunities_by_model(),
            "rate_set": self.basics.rates.pk if self.basics.rates else None,
            "taxonomy": self.basics.taxonomy,
            "min_fit_ppm": min_fit_ppm(),
            "revisions": {str(pk): one.terms.revision for pk, one in sorted(self.scorables.items())},
            "open_calls": {str(pk): expected for pk, expected in sorted(self.open_calls.items())},
            "facts": {str(pk): digest_of(facts) for pk, facts in sorted(self.facts.items())},
            "lost_pins": [[*pair, reason] for pair, reason in sorted(self.lost_pins.items())],
        }


def open_opportunities(run: AllocationRun, basics: Basics) -> dict[int, Scorable]:
    """Those in the scope of a run that take offers at present."""
    return scorables(_in_scope(run, basics.now), basics)


def _in_scope(run: AllocationRun, now: datetime) -> QuerySet[Opportunity]:
    rows = Opportunity.objects.open_at(now).filter(posting_organisation__suspended_at=None)
    if run.organisation_id is not None:
        rows = rows.filter(posting_organisation_id=run.organisation_id)
    chosen = list(run.opportunities.values_list("pk", flat=True))
    return rows.filter(pk__in=chosen) if chosen else rows


def check_scope(run: AllocationRun, serving: Serving, now: datetime) -> None:
    """Raises ScoresNotComparable where models without a common calibration score what a run is about."""
    if len({one.scorer.calibration for one in serving.served}) > 1:
        seated = _in_scope(run, now).filter(Exists(Seat.objects.open().filter(opportunity=OuterRef("pk"))))
        ids = list(seated.values_list("pk", flat=True))
        check_comparable(serving.of(ids, on=now.astimezone(UTC).date()).values())


def gather(
    run: AllocationRun,
    policy: Policy,
    basics: Basics,
    *,
    pinned: Collection[Pair],
    excluded: Collection[Pair],
    told: Callable[[int], None] = lambda done: None,
) -> Market:
    """The problem of a run, in a number of queries that grows with the opportunities only (one each). `told` hears of
    how many opportunities are done."""
    opportunities = open_opportunities(run, basics)
    open_calls = _expected_from_open_calls(opportunities, basics)
    seats = {
        row["opportunity_id"]: row["seats"]
        for row in Seat.objects.open()
        .filter(opportunity__in=list(opportunities))
        .order_by()
        .values("opportunity_id")
        .annotate(seats=Count("pk"))
    }
    seats = {pk: max(count - open_calls.get(pk, 0), 0) for pk, count in sorted(seats.items())}
    opportunities = {pk: opportunities[pk] for pk, count in seats.items() if count}
    check_comparable(one.served for one in opportunities.values())

    pools = {pk: _pool(one, basics) for pk, one in opportunities.items()}
    facts = facts_of(sorted(set().union(*pools.values())), on=basics.on, rate_set=basics.rates)
    people = Between(list(opportunities), list(facts))
    edges: dict[Pair, Edge] = {}
    for number, (pk, one) in enumerate(opportunities.items(), start=1):
        there = [facts[candidate_id] for candidate_id in pools[pk] if candidate_id in facts]
        suited = [fact for fact in there if people.may_meet(one, fact.candidate_id) and _suits(one, fact, basics)]
        edges |= _edges(one, suited, policy, basics)
        told(number)
    lost = _lost_pins(pinned, edges, seats, excluded)
    problem = Problem(
        opportunities=tuple(OpportunityNode(pk, seats[pk]) for pk in opportunities),
        candidates=tuple(CandidateNode(pk) for pk in sorted({pair[1] for pair in edges})),
        edges=_columns(edges, list(opportunities)),
        policy=policy,
        pinned=tuple(pair for pair in pinned if pair not in lost),
        excluded=tuple(excluded),
        salt=run.public_id.bytes,  # ties fall differently in another run, and the same in this one's replay
    )
    met = {pair[1] for pair in edges}
    return Market(
        problem=problem,
        edges=edges,
        facts={pk: fact for pk, fact in facts.items() if pk in met},
        scorables=opportunities,
        applications=people.applications,
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


def live_allocation_offers(candidate_ids: Collection[int]) -> dict[int, int]:
    """Candidate → how many live offers they hold that an allocation sent."""
    return dict(
        Offer.objects.live()
        .filter(candidate__in=candidate_ids, proposal__isnull=False)
        .order_by()
        .values_list("candidate_id")
        .annotate(offers=Count("pk"))
    )


def ruled_out_pairs(opportunity_ids: Collection[int], candidate_ids: Collection[int]) -> set[Pair]:
    """Pairs between which no new offer is due: one is out already, or they work there; or, where nobody has applied
    anew since, an offer was turned down or ran out, or the application was rejected or withdrawn."""
    scope = {"opportunity__in": opportunity_ids, "candidate__in": candidate_ids}
    over = [ApplicationStatus.REJECTED, ApplicationStatus.WITHDRAWN, ApplicationStatus.HIRED]
    unwanted = [OfferState.DECLINED, OfferState.EXPIRED]
    ended = {
        *_pairs(Application.objects.filter(**scope, status__in=over)),
        *_pairs(Offer.objects.filter(**scope, state__in=unwanted)),
    }
    ended -= _pairs(Application.objects.live().filter(**scope))
    return ended | _pairs(Offer.objects.live().filter(**scope)) | _pairs(Placement.objects.live().filter(**scope))


def _pairs(rows: QuerySet[Any]) -> set[Pair]:
    return set(rows.order_by().values_list("opportunity_id", "candidate_id"))


def digest_of(facts: CandidateFacts) -> str:
    """Tells whether facts are the same as those that were read, and nothing else about them."""
    data = asdict(facts)
    data["skills"] = sorted((pk, asdict(fact)) for pk, fact in facts.skills.items())
    data["languages"] = sorted(facts.languages.items())
    data["work_authorisations"] = sorted((place, str(day)) for place, day in facts.work_authorisations.items())
    data["vetting"] = sorted((check, str(result)) for check, result in facts.vetting.items())
    data["commitments"], data["groups"] = sorted(facts.commitments), sorted(facts.groups)
    return blake2b(repr(sorted(data.items())).encode(), digest_size=16).hexdigest()


class Between:
    """What stands between opportunities and candidates: blocks, lists, history, other offers."""

    def __init__(self, opportunity_ids: list[int], candidate_ids: list[int]) -> None:
        self.refused = refused_pairs(candidate_ids)
        self.ruled_out = ruled_out_pairs(opportunity_ids, candidate_ids)
        self.offers = live_allocation_offers(candidate_ids)
        self.limit = offers_at_once()
        self.applications: dict[Pair, int] = {
            (opportunity_id, candidate_id): pk
            for opportunity_id, candidate_id, pk in Application.objects.live()
            .filter(opportunity__in=opportunity_ids, candidate__in=candidate_ids)
            .values_list("opportunity_id", "candidate_id", "pk")
        }

    def is_engaged(self, candidate_id: int) -> bool:
        """Whether the person already holds as many offers from allocations as one may."""
        return self.offers.get(candidate_id, 0) >= self.limit

    def engage(self, candidate_id: int) -> None:
        """Count an offer that has just been sent."""
        self.offers[candidate_id] = self.offers.get(candidate_id, 0) + 1

    def may_meet(self, one: Scorable, candidate_id: int) -> bool:
        return (
            (one.pk, candidate_id) not in self.ruled_out
            and not self.is_engaged(candidate_id)
            and self.refused.get(candidate_id, set()).isdisjoint(one.organisations)
        )


def _pool(one: Scorable, basics: Basics) -> list[int]:
    """Who may be offered a seat, by the projection: live applicants; where the opportunity is not for the invited
    alone, also those open to offers. It may miss somebody for a moment; the facts decide whom it admits."""
    applied = Exists(Application.objects.live().filter(opportunity_id=one.pk, candidate_id=OuterRef("pk")))
    reachable = Q(applied)
    if one.opportunity.visibility != Opportunity.Visibility.INVITED:
        reachable |= Q(discoverable=True, open_to_offers=True)
    passing = compile_rule(one.rule, on=basics.on).is_true
    if one.waived:
        passing |= Q(pk__in=sorted(one.waived))
    rows = CandidateProjection.objects.filter(
        reachable,
        passing,
        present=True,
        candidate__merged_into=None,
        candidate__suspended_at=None,
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _suits(one: Scorable, facts: CandidateFacts, basics: Basics) -> bool:
    """Surely eligible by the present facts, with the hours to spare."""
    if hours_short(one, facts):
        return False
    return facts.candidate_id in one.waived or truth(one.rule, facts, on=basics.on) is True


def hours_short(one: Scorable, facts: CandidateFacts) -> bool:
    """Whether the person surely lacks the hours. Somebody who stated none is not limited."""
    hours = one.terms.weekly_hours
    return hours is not None and facts.free_hours is not None and facts.free_hours < hours


def _days_to_start(one: Scorable, facts: CandidateFacts, basics: Basics) -> int:
    return (max(one.terms.starts_on or basics.on, facts.available_from or basics.on, basics.on) - basics.on).days


def _edges(one: Scorable, people: Collection[CandidateFacts], policy: Policy, basics: Basics) -> dict[Pair, Edge]:
    """What an opportunity could have with each of them; those below the least fit, and those whom the model
    has no number for, are left out."""
    if not people:
        return {}
    totals = totals_of([(one, facts) for facts in people], "fit", "acceptance")
    fits, acceptances = totals["fit"].tolist(), totals["acceptance"].tolist()
    days = np.array([_days_to_start(one, facts, basics) for facts in people], dtype=np.int64)
    fit_ppm = _probabilities(one, "fit", fits)
    worth = edge_values(policy, fit_ppm, _probabilities(one, "acceptance", acceptances), days, 0)
    least = min_fit_ppm()
    return {
        (one.pk, facts.candidate_id): Edge(fit, acceptance, value)
        for facts, fit, acceptance, value, ppm in zip(
            people, fits, acceptances, worth.tolist(), fit_ppm.tolist(), strict=True
        )
        if ppm >= least and fit != UNSCORED
    }


def _probabilities(one: Scorable, head: str, scores: Collection[int]) -> NDArray[np.int64]:
    return one.scorer.probabilities_ppm(head, np.array(scores, dtype=np.int64))


def _columns(edges: Mapping[Pair, Edge], opportunity_ids: list[int]) -> Edges:
    row_of = {pk: row for row, pk in enumerate(opportunity_ids)}
    person_of = {pk: row for row, pk in enumerate(sorted({pair[1] for pair in edges}))}
    return Edges.of((row_of[pair[0]], person_of[pair[1]], edge.value) for pair, edge in edges.items())


def _lost_pins(
    pinned: Iterable[Pair], edges: Mapping[Pair, Edge], seats: Mapping[int, int], excluded: Collection[Pair]
) -> dict[Pair, str]:
    """Pins that the market no longer bears, taken in order, so that the rest can be kept together."""
    lost: dict[Pair, str] = {}
    left, taken = dict(seats), set()
    for pair in sorted(pinned):
        if pair in excluded:
            lost[pair] = "It is excluded."
        elif not left.get(pair[0]):
            lost[pair] = "There is no open seat left for it."
        elif pair not in edges:
            lost[pair] = "The candidate may no longer be offered this opportunity."
        elif pair[1] in taken:
            lost[pair] = "The candidate is pinned to another opportunity."
        else:
            left[pair[0]] -= 1
            taken.add(pair[1])
    return lost


def _expected_from_open_calls(opportunities: Mapping[int, Scorable], basics: Basics) -> dict[int, int]:
    """Opportunity → how many seats its live open calls are expected to fill: the sum of the probabilities that each is
    accepted, rounded down."""
    calls: dict[int, list[int]] = {}
    for opportunity_id, candidate_id in (
        Offer.objects.live()
        .filter(kind=Offer.Kind.OPEN_CALL, opportunity__in=list(opportunities))
        .order_by("pk")
        .values_list("opportunity_id", "candidate_id")
    ):
        calls.setdefault(opportunity_id, []).append(candidate_id)
    if not calls:
        return {}
    facts = facts_of(sorted(set().union(*calls.values())), on=basics.on, rate_set=basics.rates)
    expected = {}
    for pk, candidate_ids in sorted(calls.items()):
        opportunity = opportunities[pk]
        pairs = [(opportunity, facts[one]) for one in candidate_ids if one in facts]
        scores = totals_of(pairs, "acceptance")["acceptance"]
        expected[pk] = int(_probabilities(opportunity, "acceptance", scores).sum()) // MILLION
    return expected
