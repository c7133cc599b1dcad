"""Where one person could go now, and what a seat there is worth to others: the last run's prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from marketplace.models import Candidate, Opportunity
from marketplace.queries.facts import facts_of
from matching.core.allocation import edge_value
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.core.run_policy import RunPolicy
from matching.core.scoring import UNSCORED
from matching.core.workflow import RunState
from matching.models import AllocationRun
from matching.queries.between import Between
from matching.queries.pairings import Edge, deadline_of
from matching.queries.scorable import Basics, Scorable
from matching.queries.totals import totals_of

PRICED = (RunState.PLANNED.value, RunState.COMMITTED.value, RunState.EXPIRED.value)


@dataclass(frozen=True, slots=True)
class Prices:
    """`run` was planned last of its scope. `of` opportunities, by inner id: what one more seat would have added."""

    run: AllocationRun
    of: Mapping[int, int]


def last_prices(organisation_id: int | None) -> Prices | None:
    """Of the last run of an organisation, or of the whole market, that somebody asked for; None where there is none."""
    runs = AllocationRun.objects.filter(
        organisation=organisation_id, cause=AllocationRun.Cause.ASKED, state__in=PRICED, solution__isnull=False
    )
    run = runs.defer("snapshot", "solution", "diagnosis").order_by("-planned_at", "-pk").first()
    if run is None:
        return None
    stored = AllocationRun.objects.filter(pk=run.pk).values_list("solution__seat_prices", "solution__scale")
    [(prices, scale)] = stored
    return Prices(run, {key: -(-price // (scale or 1)) for key, price in prices})


def edges_of(
    candidate: Candidate,
    opportunities: Mapping[int, Scorable],
    between: Between,
    policy: RunPolicy,
    basics: Basics,
) -> dict[int, Edge]:
    """Opportunity → what the pair is worth, of those that the person could be offered now: surely eligible, with the
    hours to spare, not set aside, and no worse than the least fit. As an allocation reads the market, of one person."""
    facts = facts_of([candidate.pk], on=basics.on, rate_set=basics.rates).get(candidate.pk)
    if facts is None:
        return {}
    open_to = [one for _, one in sorted(opportunities.items()) if _may_have(one, facts, between, basics)]
    totals = totals_of([(one, facts) for one in open_to], "fit", "acceptance")
    found = {}
    for one, fit, acceptance in zip(open_to, totals["fit"], totals["acceptance"], strict=True):
        if UNSCORED in (fit, acceptance):
            continue
        fit_ppm = int(one.scorer.probabilities_ppm("fit", np.array([fit]))[0])
        acceptance_ppm = int(one.scorer.probabilities_ppm("acceptance", np.array([acceptance]))[0])
        if fit_ppm < policy.min_fit_ppm:
            continue
        urgency = policy.urgency(deadline_of(one), basics.on)
        value = edge_value(policy.weights, fit_ppm, acceptance_ppm, _days(one, facts, basics), urgency)
        found[one.pk] = Edge(int(fit), int(acceptance), value)
    return found


def _may_have(one: Scorable, facts: CandidateFacts, between: Between, basics: Basics) -> bool:
    applied = (one.pk, facts.candidate_id) in between.applications
    if one.opportunity.visibility == Opportunity.Visibility.INVITED and not applied:
        return False
    asked, free = one.terms.weekly_hours, facts.free_hours
    if asked is not None and free is not None and free < asked:
        return False
    if not between.may_meet(one, facts.candidate_id):
        return False
    return facts.candidate_id in one.waived or truth(one.rule, facts, on=basics.on) is True


def _days(one: Scorable, facts: CandidateFacts, basics: Basics) -> int:
    days = [day for day in (one.terms.starts_on, facts.available_from) if day is not None]
    return (max([*days, basics.on]) - basics.on).days
