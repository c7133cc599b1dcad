"""Who of many people is among an opportunity's best.

A linear model ranks everybody. Any other ranks those whom the linear model that comes nearest to it puts first: the
best of these are among the best of all as far as the two agree, which `scoring.onnx_recall` measures.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.conf import settings

from matching.core.facts import CandidateFacts
from matching.core.scoring import UNSCORED, LinearModel, NotScored
from matching.models import Match, UnscoredPair
from matching.queries.matches import Place, match_of, place_of
from matching.queries.scorable import Basics, Scorable, most_kept
from matching.queries.totals import totals_of

NO_NUMBER = "the model gives no number"


def retrieved_for(scorable: Scorable) -> int:
    """How many of an opportunity's best by the linear model are looked at."""
    if isinstance(scorable.scorer, LinearModel):
        return most_kept()
    return max(settings.ONNX_POOL, most_kept())


def nearest_of(scorable: Scorable, people: Iterable[CandidateFacts], basics: Basics) -> list[CandidateFacts]:
    """The best of these by the linear model, as many as are looked at, in no order of merit."""
    k = retrieved_for(scorable)
    places = ((_near_place(scorable, facts, basics), facts) for facts in people)
    return [facts for _, facts in heapq.nsmallest(k, places, key=lambda one: one[0])]


@dataclass(frozen=True, slots=True)
class Kept:
    """Who is matched with an opportunity, and whom its model has no number for."""

    people: list[CandidateFacts]
    unscored: list[CandidateFacts] = field(default_factory=list)


def kept_of(
    scorable: Scorable, people: Collection[CandidateFacts], applicants: Collection[int], basics: Basics
) -> Kept:
    """The best of these by the opportunity's own model, as many as are kept, and all who applied."""
    fits = totals_of([(scorable, facts) for facts in people], "fit")["fit"].tolist()
    scored: list[tuple[Place, CandidateFacts]] = []
    unscored = []
    for facts, fit in zip(people, fits, strict=True):
        if fit == UNSCORED:
            unscored.append(facts)
        else:
            scored.append((place_of(fit, scorable, facts.candidate_id, basics.key), facts))
    best = [facts for _, facts in heapq.nsmallest(most_kept(), scored, key=lambda one: one[0])]
    others = set(applicants) - {facts.candidate_id for facts in best}
    return Kept(best + [facts for _, facts in scored if facts.candidate_id in others], unscored)


def explained(scorable: Scorable, kept: Kept, basics: Basics) -> tuple[list[Match], list[UnscoredPair]]:
    """Their matches, not stored; and the pairs that have none, since there is no number."""
    rows: list[Match] = []
    unscored = [unscored_pair(scorable, facts, basics) for facts in kept.unscored]
    for facts in kept.people:
        try:
            rows.append(match_of(facts, scorable, basics))
        except NotScored as failure:
            unscored.append(unscored_pair(scorable, facts, basics, str(failure)))
    return rows, unscored


def unscored_pair(scorable: Scorable, facts: CandidateFacts, basics: Basics, reason: str = NO_NUMBER) -> UnscoredPair:
    return UnscoredPair(
        model=scorable.model,
        opportunity_id=scorable.pk,
        candidate_id=facts.candidate_id,
        reason=reason[:200],
        at=basics.now,
    )


def _near_place(scorable: Scorable, facts: CandidateFacts, basics: Basics) -> Place:
    return place_of(scorable.near_score_of("fit", facts), scorable, facts.candidate_id, basics.key)
