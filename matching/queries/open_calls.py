"""Open calls under way: how likely they are accepted, and how many seats they are expected to fill."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from marketplace.models import Offer
from marketplace.queries.facts import facts_of
from matching.core.allocation import call_size
from matching.core.allocation.policy import PPM
from matching.core.scoring import UNSCORED
from matching.queries.scorable import Basics, Scorable
from matching.queries.totals import totals_of


def chances_of_open_calls(
    opportunities: Mapping[int, Scorable], among: Collection[int], basics: Basics
) -> dict[int, list[int]]:
    """Opportunity → the probability of each of its live open calls to be accepted, in millionths; of these `among`
    them that have any. Calls that the model has no number for are left out."""
    calls: dict[int, list[int]] = {}
    live = Offer.objects.live().filter(kind=Offer.Kind.OPEN_CALL, opportunity__in=list(among)).order_by("pk")
    for opportunity_id, candidate_id in live.values_list("opportunity_id", "candidate_id"):
        calls.setdefault(opportunity_id, []).append(candidate_id)
    if not calls:
        return {}
    facts = facts_of(sorted(set().union(*calls.values())), on=basics.on, rate_set=basics.rates)
    chances = {}
    for pk, candidate_ids in sorted(calls.items()):
        one = opportunities[pk]
        scores = totals_of([(one, facts[who]) for who in candidate_ids if who in facts], "acceptance")["acceptance"]
        chances[pk] = one.scorer.probabilities_ppm("acceptance", scores[scores != UNSCORED]).tolist()
    return chances


def expected_from_open_calls(chances: Mapping[int, Collection[int]], seats: Mapping[int, int]) -> dict[int, int]:
    """Opportunity → how many of its open seats its live open calls are expected to fill, rounded down: the mean of
    min(acceptances, seats), where each call is accepted on its own with its own probability."""
    return {
        pk: call_size((), seats[pk], limit_ppm=PPM, outstanding_ppm=list(ppm)).expected_ppm // PPM
        for pk, ppm in chances.items()
    }
