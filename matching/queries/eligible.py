"""What a candidate is eligible for, of all that anybody may find."""

from __future__ import annotations

from datetime import UTC, datetime

from marketplace.models import Candidate, EligibilityWaiver
from marketplace.queries.facts import facts_of
from marketplace.queries.rates import current_rate_set
from matching.core.eligibility import Outcome
from matching.queries.open_rules import accepting


def eligible_openings(candidate: Candidate, now: datetime) -> frozenset[int]:
    """Inner ids of the opportunities that are open now and whose rules surely accept the candidate, or into which they
    were waived."""
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    facts = facts_of([candidate.pk], on=on, rate_set=rates)[candidate.pk]
    outcomes = accepting(facts, now=now, rate_set=rates)
    waived = EligibilityWaiver.objects.in_force(now).filter(candidate=candidate)
    return frozenset(pk for pk, outcome in outcomes.items() if outcome is Outcome.ELIGIBLE) | frozenset(
        waived.values_list("opportunity_id", flat=True)
    )
