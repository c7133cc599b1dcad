"""Scoring candidates who have changed: for the opportunities whose rules accept them, or may, and for those that they
are matched with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from marketplace.models import EligibilityWaiver
from marketplace.queries.facts import facts_of
from marketplace.queries.mentions import unread_candidates
from matching.actions import copies, projection
from matching.actions.models import serving_now
from matching.actions.rescoring.pairs import settle
from matching.core.attributes import Subject
from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.models import Match
from matching.queries.open_rules import OPEN_RULES
from matching.queries.reaching import may_reach
from matching.queries.scorable import Basics, basics_at


def rescore(candidate_ids: list[int], now: datetime) -> None:
    """Bring projections and matches of these candidates (inner ids) up to date; the caller holds the lock alone."""
    basics = basics_at(now, serving_now())
    unread = unread_candidates(candidate_ids, taxonomy=basics.taxonomy)
    renewed, read = projection.refreshed(unread, now) if unread else ([], {})
    facts = facts_of([pk for pk in candidate_ids if pk not in read], on=basics.on, rate_set=basics.rates)
    renewed += projection.catch_up(facts, basics.rates, now)
    copies.pass_on_renewed(Subject.CANDIDATE, renewed, now)
    facts |= read
    chosen, terms = _chosen(facts, basics)
    settle(chosen, facts, basics, terms)


def _chosen(
    facts: Mapping[int, CandidateFacts], basics: Basics
) -> tuple[dict[int, set[int]], dict[int, OpportunityTerms]]:
    """Opportunity → those of the candidates who may have a match with it now, or have one already; and the terms of
    some of these."""
    chosen: dict[int, set[int]] = defaultdict(set)
    judged, _ = OPEN_RULES.judge(facts.values(), on=basics.on, rate_set=basics.rates)
    for candidate_id, one in zip(facts, judged, strict=True):
        for keys in one:
            for opportunity_id in keys.tolist():
                chosen[opportunity_id].add(candidate_id)
    chosen, terms = may_reach(chosen, facts, basics)
    matched = Match.objects.filter(candidate__in=list(facts))
    waived = EligibilityWaiver.objects.in_force(basics.now).filter(candidate__in=list(facts))
    for rows in (matched, waived):
        for opportunity_id, candidate_id in rows.values_list("opportunity_id", "candidate_id"):
            chosen[opportunity_id].add(candidate_id)
    return chosen, terms
