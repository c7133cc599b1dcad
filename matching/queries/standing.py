"""Where somebody stands among all whom an opportunity may be matched with, as they are or as they might be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matching.core.columns.scoring import Best, standing
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.queries.contenders import contenders
from matching.queries.projection import projected_facts
from matching.queries.roster import keeper
from matching.queries.scorable import Basics, Scorable, pool_of


def standings_of(scorable: Scorable, basics: Basics, people: Sequence[CandidateFacts]) -> list[int | None]:
    """The rank of each of these by fit, as the opportunity's linear model has it, or the one that comes nearest. They
    need not be as the tables say: each is set in the place of the candidate whose id they have, among everybody else
    whom the opportunity may be matched with. None for those whom the rule refuses.

    Whether they can be found, or want nothing to do with the organisation, is not asked of them. In a constant number
    of statements over the roster; without one, everybody is read. Where the model is not linear, the linear one that
    comes nearest ranks.
    """
    admitted = [_is_admitted(scorable, basics, facts) for facts in people]
    if not any(admitted):
        return [None] * len(people)
    everybody = _everybody(scorable, basics)
    return [
        _rank(scorable, basics, facts, everybody) if is_in else None
        for facts, is_in in zip(people, admitted, strict=True)
    ]


def _is_admitted(scorable: Scorable, basics: Basics, facts: CandidateFacts) -> bool:
    return facts.candidate_id in scorable.waived or truth(scorable.rule, facts, on=basics.on) is not False


def _everybody(scorable: Scorable, basics: Basics) -> Best:
    crowd = keeper.crowd_once_built()
    if crowd is not None:
        for found in contenders([scorable], basics, crowd):
            return found.scores()
    pool = pool_of(scorable, basics).values_list("pk", flat=True)
    scored = [(one.candidate_id, scorable.near_score_of("fit", one)) for one in projected_facts(pool)]
    return Best(*np.array(scored, np.int64).reshape(-1, 2).T)


def _rank(scorable: Scorable, basics: Basics, facts: CandidateFacts, everybody: Best) -> int:
    score = scorable.near_score_of("fit", facts)
    return standing(everybody, facts.candidate_id, score, opportunity_id=scorable.pk, key=basics.key)
