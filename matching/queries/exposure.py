"""What all features say of pairs, for the log of what was shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from marketplace.queries.facts import facts_of, terms_of
from marketplace.queries.rates import current_rate_set
from matching.core.features import feature_values
from matching.queries.projection import projected_facts

Pair = tuple[int, int]
"""Opportunity and candidate, by inner ids."""


def values_of_pairs(pairs: Collection[Pair], now: datetime, *, projected: bool) -> dict[Pair, dict[str, int]]:
    """Every declared feature of each pair, in thousandths, in order of declaration; pairs of which either is gone, or
    has no terms yet, are left out. A constant number of statements.

    People are read from where ranking read them: from their projections where they were ranked, from the tables where
    something was ranked for them.
    """
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    candidates = {candidate for _, candidate in pairs}
    if projected:
        facts = {one.candidate_id: one for one in projected_facts(candidates)}
    else:
        facts = facts_of(candidates, on=on, rate_set=rates)
    terms = terms_of({opportunity for opportunity, _ in pairs}, rate_set=rates, on=on)
    return {
        (opportunity, candidate): feature_values(facts[candidate], terms[opportunity])
        for opportunity, candidate in pairs
        if candidate in facts and opportunity in terms
    }
