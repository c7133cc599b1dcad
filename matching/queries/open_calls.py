"""Open calls under way: how many seats they are expected to fill."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.models import Offer
from marketplace.queries.facts import facts_of
from matching.core.allocation import call_size
from matching.core.allocation.policy import PPM
from matching.core.scoring import UNSCORED
from matching.queries.scorable import Basics, Scorable
from matching.queries.totals import totals_of


def expected_from_open_calls(
    opportunities: Mapping[int, Scorable], seats: Mapping[int, int], basics: Basics
) -> dict[int, int]:
    """Opportunity → how many of its open seats its live open calls are expected to fill, rounded down: the mean of
    min(acceptances, seats), where each call is accepted on its own with its own probability."""
    calls: dict[int, list[int]] = {}
    live = Offer.objects.live().filter(kind=Offer.Kind.OPEN_CALL, opportunity__in=list(seats)).order_by("pk")
    for opportunity_id, candidate_id in live.values_list("opportunity_id", "candidate_id"):
        calls.setdefault(opportunity_id, []).append(candidate_id)
    if not calls:
        return {}
    facts = facts_of(sorted(set().union(*calls.values())), on=basics.on, rate_set=basics.rates)
    expected = {}
    for pk, candidate_ids in sorted(calls.items()):
        one = opportunities[pk]
        scores = totals_of([(one, facts[who]) for who in candidate_ids if who in facts], "acceptance")["acceptance"]
        ppm = one.scorer.probabilities_ppm("acceptance", scores[scores != UNSCORED])
        expected[pk] = call_size((), seats[pk], limit_ppm=PPM, outstanding_ppm=ppm).expected_ppm // PPM
    return expected
