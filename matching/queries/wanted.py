"""Which of what a search has found its owner is told of: what suits two people differently, though they ask for the
same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from marketplace.core.workflow import ApplicationStatus
from marketplace.models import Application, EligibilityWaiver, Opportunity, OpportunityRevision
from marketplace.queries.facts import facts_of
from marketplace.queries.rates import current_rate_set
from marketplace.queries.rules import resolved_rules
from matching.core.truth import truth
from matching.queries.scorable import organisations_of, refused_pairs


class Pair(NamedTuple):
    """Inner ids."""

    candidate: int
    opportunity: int


def wanted(pairs: Collection[Pair], opportunities: Collection[Opportunity]) -> frozenset[Pair]:
    """Without what they applied to already, unless that application lapsed or was withdrawn, and without organisations
    that they blocked or that do not want to hire them again: as recommendations are. Three statements."""
    people = {pair.candidate for pair in pairs}
    refused = refused_pairs(people)
    applied = Application.objects.filter(candidate__in=people, opportunity__in=opportunities).exclude(
        status__in=[ApplicationStatus.LAPSED, ApplicationStatus.WITHDRAWN]
    )
    taken = {Pair(*row) for row in applied.values_list("candidate_id", "opportunity_id")}
    posted_by = {one.pk: organisations_of(one) for one in opportunities}
    return frozenset(
        pair
        for pair in pairs
        if pair not in taken and refused.get(pair.candidate, set()).isdisjoint(posted_by[pair.opportunity])
    )


def eligible(
    pairs: Collection[Pair], revisions: Mapping[int, OpportunityRevision | None], *, now: datetime
) -> frozenset[Pair]:
    """Whom the rules accept, by revisions of the opportunities, and whom a waiver lets in. A missing fact that decides
    accepts nobody. A constant number of statements."""
    if not pairs:
        return frozenset()
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    rules = resolved_rules(revisions, rate_set=rates)
    facts = facts_of({pair.candidate for pair in pairs}, on=on, rate_set=rates)
    let_in = EligibilityWaiver.objects.in_force(now).filter(opportunity__in=list(revisions), candidate__in=list(facts))
    waived = {Pair(*row) for row in let_in.values_list("candidate_id", "opportunity_id")}

    def is_accepted(pair: Pair) -> bool:
        person = facts.get(pair.candidate)
        return person is not None and truth(rules[pair.opportunity], person, on=on) is True

    return frozenset(pair for pair in pairs if pair in waived or is_accepted(pair))
