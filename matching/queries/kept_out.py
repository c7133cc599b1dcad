"""Of whom an opportunity's rule would have: whom one ground alone keeps from being offered a seat, and by how much."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import ROUND_CEILING, Decimal

import numpy as np

from matching.core.allocation import KeptOut
from matching.core.facts import CandidateFacts
from matching.core.rules import RateWithinPay, Rule, literals, normal
from matching.core.rules.normal import Normal, Quorum
from matching.core.run_policy import RunPolicy
from matching.core.truth import NO_RATE, pay_range
from matching.models import CandidateProjection
from matching.queries.between import Between
from matching.queries.candidates_at_hand import AtHand, Mask
from matching.queries.pairings import passing, reachable, scored_pairings, without_hours
from matching.queries.scorable import Basics, Scorable

_HUNDRED = Decimal(100)


def kept_out(
    opportunities: Collection[Scorable], at_hand: AtHand, between: Between, policy: RunPolicy, basics: Basics
) -> dict[int, KeptOut]:
    """By opportunity (inner id). Whom it is not to be brought together with counts nowhere, and nobody whom two grounds
    keep out. Pay is told in hundredths of a euro an hour. At most two statements, however many are asked about."""
    grounds = {one.pk: _Grounds(one, at_hand, between) for one in sorted(opportunities, key=lambda one: one.pk)}
    rows = {pk: np.flatnonzero(found.one_at_most) for pk, found in grounds.items()}
    scored = scored_pairings({one.pk: one for one in opportunities}, rows, at_hand, policy, basics)
    pay = _missing_pay(grounds, at_hand)
    told = {}
    for pk, found in grounds.items():
        at = slice(*np.searchsorted(scored.opportunity, [pk, pk + 1]).tolist())
        there = at_hand.rows_of(scored.candidate[at].tolist())
        lacks = policy.min_fit_ppm - scored.fit_ppm[at]
        suited = np.zeros(at_hand.people, np.bool_)
        suited[there[lacks <= 0]] = True
        asked = found.one.terms.weekly_hours or 0
        told[pk] = KeptOut(
            pay=tuple(pay[pk, person] for person in at_hand.ids[found.pay & suited].tolist() if (pk, person) in pay),
            hours=tuple((asked - at_hand.free_hours[found.hours & suited]).tolist()),
            min_fit=tuple(lacks[(lacks > 0) & found.none[there]].tolist()),
            elsewhere=int(np.count_nonzero(found.elsewhere & suited)),
        )
    return told


class _Grounds:
    """Who can be reached and passes the rule, but for what it says of pay: by the one ground that keeps them out."""

    def __init__(self, one: Scorable, at_hand: AtHand, between: Between) -> None:
        self.one = one
        passes = passing(one, at_hand)
        among = reachable(one, at_hand, between) & (passes | at_hand.accepted_by_copy(_without_pay(one.rule)))
        among[at_hand.rows_of(between.set_aside(one))] = False
        asked = one.terms.weekly_hours or 0
        busy = without_hours(one, at_hand, between) & (at_hand.weekly_hours >= asked)  # work that they have takes them
        busy[at_hand.rows_of(between.engaged())] = True
        grounds = (~passes, without_hours(one, at_hand, between) & (at_hand.weekly_hours < asked), busy)
        number = np.sum(grounds, axis=0)
        self.none: Mask = among & (number == 0)
        self.one_at_most: Mask = among & (number <= 1)
        self.pay, self.hours, self.elsewhere = (ground & self.one_at_most for ground in grounds)


def _without_pay(rule: Rule) -> Normal:
    def loosened(node: Normal) -> Normal:
        if isinstance(node, Quorum):
            return Quorum(node.n, tuple(map(loosened, node.of)), node.path)
        return Quorum(0, (), node.path) if isinstance(node.criterion, RateWithinPay) else node

    return loosened(normal(rule))


def _missing_pay(grounds: Mapping[int, _Grounds], at_hand: AtHand) -> dict[tuple[int, int], int]:
    """By opportunity and person: by how many hundredths of a euro an hour they ask for more than it pays where they
    live. Not those of whom it is not known, and not where no pay would do."""
    people = np.unique(np.concatenate([np.empty(0, np.int64), *(at_hand.ids[one.pay] for one in grounds.values())]))
    if not len(people):
        return {}
    rows = CandidateProjection.objects.filter(pk__in=people.tolist(), hourly_rate__isnull=False)
    stated = {row[0]: row for row in rows.values_list("pk", "hourly_rate", "country", "region")}
    found = {}
    for pk, one in grounds.items():
        ceilings = [
            literal.criterion.ceilings
            for literal in literals(normal(one.one.rule))
            if isinstance(literal.criterion, RateWithinPay)
        ]
        for person in at_hand.ids[one.pay].tolist() if ceilings else ():
            if person not in stated:
                continue
            _, rate, country, region = stated[person]
            _, highest = pay_range(ceilings[0], CandidateFacts(person, country=country, region=region))
            if rate is not None and highest > NO_RATE and rate > highest:
                found[pk, person] = int(((rate - highest) * _HUNDRED).to_integral_value(ROUND_CEILING))
    return found
