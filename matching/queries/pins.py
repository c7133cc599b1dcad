"""Which pins of the plan before the market no longer bears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from matching.core.allocation import CandidateNode, Limit, Share
from matching.queries.between import Pair
from matching.queries.pairings import Pairings


def lost_pins(
    pinned: Collection[Pair],
    excluded: Collection[Pair],
    pairings: Pairings,
    *,
    seats: Mapping[int, int],
    nodes: Sequence[CandidateNode],
    limits: Sequence[Limit],
    shares: Sequence[Share],
) -> dict[Pair, str]:
    """Pins that can no longer be, with the reason. They are taken in order, so that the rest can be kept together."""
    lost: dict[Pair, str] = {}
    people, reserved = {node.key: node for node in nodes}, {share.opportunity: share for share in shares}
    members = {share.opportunity: set(share.candidates) for share in shares}
    limit_of = {opportunity: limit for limit in limits for opportunity in limit.opportunities}
    given, taken, hours, outside, under = Counter[int](), Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    forbidden = set(excluded)
    for pair in sorted(pinned):
        opportunity, candidate = pair
        at, share, limit = pairings.at(pair), reserved.get(opportunity), limit_of.get(opportunity)
        is_outside = share is not None and candidate not in members[opportunity]
        if pair in forbidden:
            lost[pair] = "It is excluded."
        elif given[opportunity] >= seats.get(opportunity, 0):
            lost[pair] = "There is no open seat left for it."
        elif at is None:
            lost[pair] = "The candidate may no longer be offered this opportunity."
        elif taken[candidate] >= people[candidate].most:
            lost[pair] = "The candidate is pinned to another opportunity."
        elif hours[candidate] + int(pairings.hours[at]) > _hours_of(people[candidate]):
            lost[pair] = "The candidate is pinned to others that leave too few hours for it."
        elif limit is not None and under[limit.key] >= limit.most:
            lost[pair] = "The organisation is given no more seats than its limit."
        elif share is not None and is_outside and outside[opportunity] >= seats[opportunity] - share.seats:
            lost[pair] = "The seats that are left are reserved for others."
        else:
            given[opportunity] += 1
            taken[candidate] += 1
            hours[candidate] += int(pairings.hours[at])
            outside[opportunity] += is_outside
            if limit is not None:
                under[limit.key] += 1
    return lost


def _hours_of(node: CandidateNode) -> float:
    return float("inf") if node.hours is None else node.hours
