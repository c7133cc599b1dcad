"""Everybody whom an opportunity may be matched with, judged and scored over the roster.

They are whom `pool_of` finds in SQL, and their scores and order are those that scoring person by person gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accounts.queries.planned import array_of, cursor_for
from marketplace.core.workflow import ApplicationStatus
from marketplace.models import CandidateGroup
from matching.core.columns import Crowd
from matching.core.columns.bits import Bits
from matching.core.columns.passing import passing
from matching.core.columns.scoring import Best, best, first, scored_by_columns, scores
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.core.rules import normal
from matching.core.scoring import Head, LinearModel
from matching.models import CandidateProjection
from matching.queries.projection import facts_from
from matching.queries.scorable import Basics, Scorable


def linear_head(scorable: Scorable, name: str = "fit") -> Head | None:
    """What ranks the opportunity's people, where it can be told for everybody at once: the model's own head where it is
    linear, else that of the linear one which comes nearest to it."""
    head = scorable.linear.heads[name]
    return head if scored_by_columns(head) else None


@dataclass(frozen=True, eq=False)
class Contenders:
    """Those whom one opportunity may be matched with: `among` the crowd, and `unseen`, who applied without letting
    themselves be found. `applied` are all who did. Scores are by `head`, and so near ones where the model itself is not
    linear: then whoever wants its own order has the first of many more scored by it."""

    scorable: Scorable
    basics: Basics
    head: Head
    crowd: Crowd
    among: Bits
    unseen: tuple[CandidateFacts, ...]
    applied: frozenset[int]

    @property
    def is_exact(self) -> bool:
        """Whether the scores are the model's own."""
        return isinstance(self.scorable.scorer, LinearModel)

    def best(self, k: int) -> Best:
        """The first k in the total order."""
        terms, key = self.scorable.terms, self.basics.key
        found = best(self.crowd, self.among, terms, self.head, k=k, key=key)
        if not self.unseen:
            return found
        return first(_together(found, self._unseen), k, opportunity_id=terms.opportunity_id, key=key)

    def scores(self) -> Best:
        """Everybody with their score, in no order of merit."""
        return _together(scores(self.crowd, self.among, self.scorable.terms, self.head), self._unseen)

    def applicants(self) -> set[int]:
        """Who of them applied."""
        found = self.crowd.ids_of(self.crowd.those(self.applied) & self.among) if self.applied else []
        return {*found, *(facts.candidate_id for facts in self.unseen)}

    @cached_property
    def _unseen(self) -> Best:
        totals = [self.scorable.near_score_of("fit", facts) for facts in self.unseen]
        ids = [facts.candidate_id for facts in self.unseen]
        return Best(np.array(ids, np.int64), np.array(totals, np.int64))


def contenders(scored: Collection[Scorable], basics: Basics, crowd: Crowd) -> Iterator[Contenders]:
    """Of each of these opportunities, in turn; those that weigh what columns do not tell are left out. The crowd is
    everybody who can be found. A constant number of statements."""
    applied, refused = _applied_and_refused(scored)
    facts = _out_of_sight(crowd, set().union(*applied.values()))
    for one in scored:
        head = linear_head(one)
        if head is None:
            continue
        theirs = applied.get(one.pk, frozenset())
        among = passing(normal(one.rule), crowd, basics.on)
        if one.waived:
            among = among | crowd.those(one.waived)
        unwanted = set().union(*(refused.get(organisation, ()) for organisation in one.organisations)) - theirs
        if unwanted:
            among = among & ~crowd.those(unwanted)
        unseen = tuple(facts[pk] for pk in sorted(theirs & facts.keys()) if _passes(one, facts[pk], basics))
        yield Contenders(one, basics, head, crowd, among, unseen, theirs)


def _passes(scorable: Scorable, facts: CandidateFacts, basics: Basics) -> bool:
    return facts.candidate_id in scorable.waived or truth(scorable.rule, facts, on=basics.on) is not False


def _together(one: Best, other: Best) -> Best:
    if not len(other.ids):
        return one
    return Best(np.concatenate([one.ids, other.ids]), np.concatenate([one.scores, other.scores]))


_APPLIED_AND_REFUSED = f"""
    SELECT true, opportunity_id, candidate_id FROM marketplace_application
    WHERE opportunity_id = ANY(%(opportunities)s::bigint[]) AND status = '{ApplicationStatus.ACTIVE.value}'
    UNION ALL
    SELECT false, organisation_id, candidate_id FROM marketplace_candidate_blocked_organisations
    WHERE organisation_id = ANY(%(organisations)s::bigint[])
    UNION ALL
    SELECT false, unwanted.organisation_id, membership.candidate_id
    FROM marketplace_candidategroup unwanted
    JOIN marketplace_candidategroupmembership membership ON membership.group_id = unwanted.id
    WHERE unwanted.organisation_id = ANY(%(organisations)s::bigint[])
        AND unwanted.kind = '{CandidateGroup.Kind.DO_NOT_REHIRE.value}'
"""


def _applied_and_refused(
    scored: Collection[Scorable],
) -> tuple[Mapping[int, frozenset[int]], Mapping[int, set[int]]]:
    """By opportunity who has a live application; by organisation who blocked it, and whom it does not want to hire
    again. One statement."""
    found: tuple[dict[int, set[int]], dict[int, set[int]]] = (defaultdict(set), defaultdict(set))
    organisations = {organisation for one in scored for organisation in one.organisations}
    with cursor_for(len(scored)) as cursor:
        cursor.execute(
            _APPLIED_AND_REFUSED,
            {"opportunities": array_of(one.pk for one in scored), "organisations": array_of(sorted(organisations))},
        )
        for has_applied, owner_id, candidate_id in cursor.fetchall():
            found[0 if has_applied else 1][owner_id].add(candidate_id)
    return {pk: frozenset(candidates) for pk, candidates in found[0].items()}, found[1]


def _out_of_sight(crowd: Crowd, applied: set[int]) -> Mapping[int, CandidateFacts]:
    """The facts of those present who cannot be found, by candidate."""
    missing = applied - set(crowd.ids_of(crowd.those(applied))) if applied else set()
    if not missing:
        return {}
    return {row.pk: facts_from(row) for row in CandidateProjection.objects.filter(present=True, pk__in=missing)}
