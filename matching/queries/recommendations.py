"""What of all that is open a candidate would want most, computed when it is asked for.

Models that are not linear run in workers alone: here the linear one that comes nearest stands in for them, for order,
scores and contributions alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from marketplace.core.workflow import ApplicationStatus
from marketplace.models import Application, Candidate, EligibilityWaiver, Opportunity
from marketplace.queries.facts import facts_of
from matching.core.eligibility import Outcome
from matching.core.facts import CandidateFacts
from matching.models import Match
from matching.queries.across import unlikeliness
from matching.queries.matches import match_of, place_of
from matching.queries.open_rules import accepting
from matching.queries.scorable import Basics, Scorable, refused_pairs, scorables

MOST = 3000
"""Of how many opportunities the best are found: of the most recently published, where more accept somebody."""

Standing = tuple[int, int, int, str, int]
"""Where an opportunity stands for one candidate: how unlikely they want it, where models of different calibrations
scored; −interest, −fit, tie-break, opportunity."""


@dataclass(frozen=True)
class Recommendations:
    """Opportunities by what a candidate wants most, best first, and all that explains why."""

    candidate: Candidate
    facts: CandidateFacts
    basics: Basics
    scored: Mapping[int, Scorable]
    standings: list[Standing]

    def matches(self, standings: list[Standing]) -> list[Match]:
        """The matches of some of them, not stored, with explanations. Their inner ids stand for no row."""
        rows = [self._match(self.scored[opportunity_id]) for *_, opportunity_id in standings]
        for row, (unwanted, *_) in zip(rows, standings, strict=True):
            row.pk, row.candidate = -row.opportunity_id, self.candidate
            row.unwanted = unwanted  # type: ignore[attr-defined]  # for the cursor
        return rows

    def _match(self, scorable: Scorable) -> Match:
        return match_of(self.facts, scorable, self.basics, scorer=scorable.linear)


def recommendations_for(candidate: Candidate, basics: Basics) -> Recommendations:
    """All that anybody may find now, whose rule accepts the candidate or may, or into which they were waived: by
    interest, then by fit. A constant number of statements.

    What they applied to already is left out, unless that application lapsed or was withdrawn; so are organisations
    that they blocked, or that do not want to hire them again.
    """
    facts = facts_of([candidate.pk], on=basics.on, rate_set=basics.rates)[candidate.pk]
    if candidate.suspended_at is not None or candidate.merged_into_id is not None:
        return Recommendations(candidate, facts, basics, {}, [])
    scored = scorables(Opportunity.objects.filter(pk__in=_open_to(candidate, facts, basics)), basics)
    interests = {pk: one.near_score_of("interest", facts) for pk, one in scored.items()}
    unwanted = unlikeliness(scored, "interest", interests)
    standings = []
    for pk, one in scored.items():
        fit, tie_break, _ = place_of(one.near_score_of("fit", facts), one, candidate.pk, basics.key)
        standings.append((unwanted[pk], -interests[pk], fit, tie_break, pk))
    return Recommendations(candidate, facts, basics, scored, sorted(standings))


def recommendation(candidate: Candidate, opportunity: Opportunity, basics: Basics) -> Match | None:
    """One of them, by itself; None where the rule does not accept the candidate any more."""
    scored = scorables(Opportunity.objects.public().open_at(basics.now).filter(pk=opportunity.pk), basics)
    facts = facts_of([candidate.pk], on=basics.on, rate_set=basics.rates)[candidate.pk]
    found = Recommendations(candidate, facts, basics, scored, [(0, 0, 0, "", pk) for pk in scored])
    rows = found.matches(found.standings)
    return rows[0] if rows and rows[0].outcome != Outcome.INELIGIBLE else None


def _open_to(candidate: Candidate, facts: CandidateFacts, basics: Basics) -> list[int]:
    """Inner ids of what may be recommended, the most recently published if they are too many."""
    waived = EligibilityWaiver.objects.in_force(basics.now).filter(candidate=candidate)
    applied = Application.objects.filter(candidate=candidate, opportunity_id=OuterRef("pk")).exclude(
        status__in=[ApplicationStatus.LAPSED, ApplicationStatus.WITHDRAWN]
    )
    refused = refused_pairs([candidate.pk]).get(candidate.pk, set())
    accepted = accepting(facts, now=basics.now, rate_set=basics.rates)
    rows = (
        Opportunity.objects.public()
        .open_at(basics.now)
        .filter(Q(pk__in=list(accepted)) | Q(pk__in=waived.values("opportunity_id")))
        .filter(~Exists(applied))
        .exclude(Q(posting_organisation__in=refused) | Q(hiring_organisation__in=refused))
    )
    return list(rows.order_by("-published_at", "-pk").values_list("pk", flat=True)[:MOST])
