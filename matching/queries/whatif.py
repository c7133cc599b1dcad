"""What if a candidate's facts were other than they are: verdict, scores and rank for one opportunity, before and after.

Nothing is written. In place of a model that is not linear the linear one that comes nearest scores and ranks, both
times. What a reader may not know of a rule must not be found out by supposing: where a criterion is hidden from them,
no verdict on supposed facts is told, and the rank is that which the fit alone would give, whatever the rule says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from marketplace.models import Candidate, Opportunity, Skill
from marketplace.queries.facts import facts_of
from marketplace.queries.naming import names_of
from matching.core.eligibility import Verdict
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.features import FEATURES, skills_told_of
from matching.core.names import Names
from matching.core.rules import Disclosure
from matching.core.rules.disclosing import strictest
from matching.core.scoring import LinearModel, Scored, probability_ppm, score
from matching.core.suppression import FEWEST
from matching.core.whatif import Changes, asked_for, fits_told, ranks_told, told, with_changes
from matching.queries.matches import verdict_of
from matching.queries.scorable import Basics, Scorable, pool_of, scorables
from matching.queries.standing import standings_of

MOST_TRIED = 30  # changes of which the best are suggested


@dataclass(frozen=True)
class Supposed:
    """How a pair stands by some facts. `verdict` is None where it must not be told, `rank` where it must not, or where
    the rule refuses them."""

    facts: CandidateFacts
    scored: Scored
    verdict: Verdict | None
    rank: int | None


@dataclass(frozen=True)
class WhatIf:
    """`ranks_hidden` and `is_near` (not by the model itself) hold for both sides."""

    scorable: Scorable
    before: Supposed
    after: Supposed
    sentence: str
    names: Mapping[int, str]
    ranks_hidden: bool
    is_near: bool


@dataclass(frozen=True)
class Suggestion:
    """One skill as it is asked for, and what having it so would do."""

    skill_id: int
    fact: SkillFact
    required: bool
    fit: int
    rank: int | None
    sentence: str


class Pair:
    """One candidate and one opportunity, seen by an audience."""

    def __init__(self, scorable: Scorable, facts: CandidateFacts, basics: Basics, audience: Disclosure) -> None:
        self.scorable, self.facts, self.basics = scorable, facts, basics
        self.is_concealed = not strictest(scorable.rule).is_open_to(audience)
        self.ranks_hidden = audience is Disclosure.PUBLIC and self._are_few()

    def what_if(self, changes: Changes) -> WhatIf:
        """Statements do not depend on what is changed."""
        supposed = with_changes(self.facts, changes, on=self.basics.on)
        ranks = self.ranks([self.facts, supposed])
        model = self.scorable.linear
        scored = [score(facts, self.scorable.terms, model=model) for facts in (self.facts, supposed)]
        names = self._names([self.facts, supposed], changes)
        before = Supposed(self.facts, scored[0], verdict_of(self.facts, self.scorable, self.basics), ranks[0])
        verdict = None if self.is_concealed else verdict_of(supposed, self.scorable, self.basics)
        after = Supposed(supposed, scored[1], verdict, ranks[1])
        return WhatIf(
            scorable=self.scorable,
            before=before,
            after=after,
            sentence=self._sentence(told(changes, self.facts, names), before, after),
            names=names.skills,
            ranks_hidden=self.ranks_hidden,
            is_near=not isinstance(self.scorable.scorer, LinearModel),
        )

    def suggestions(self, most: int) -> list[Suggestion]:
        """The single changes that the opportunity asks for and that raise the rank most; where ranks are hidden, the
        fit. What raises neither is left out."""
        changes = list(asked_for(self.facts, self.scorable.terms, on=self.basics.on))[:MOST_TRIED]
        everybody = [self.facts, *(with_changes(self.facts, one, on=self.basics.on) for one in changes)]
        ranks = self.ranks(everybody)
        fits = [self.scorable.near_score_of("fit", facts) for facts in everybody]
        names = self._names(everybody[:1], *changes)
        required = {term.skill_id for term in self.scorable.terms.skills if term.required}
        found = []
        for one, rank, fit in zip(changes, ranks[1:], fits[1:], strict=True):
            if fit <= fits[0] and rank == ranks[0]:
                continue
            [(skill_id, fact)] = one.skills.items()
            assert fact is not None  # nothing is asked for by being without it
            sentence = self._told(told(one, self.facts, names), (ranks[0], rank), (fits[0], fit))
            found.append(Suggestion(skill_id, fact, skill_id in required, fit, rank, sentence))
        found.sort(key=lambda one: (one.rank is None, one.rank or 0, -one.fit, one.skill_id))
        return found[:most]

    def ranks(self, people: Sequence[CandidateFacts]) -> list[int | None]:
        if self.ranks_hidden:
            return [None] * len(people)
        scorable = self.scorable
        if self.is_concealed:
            scorable = replace(scorable, waived=scorable.waived | {self.facts.candidate_id})
        return standings_of(scorable, self.basics, people)

    def _are_few(self) -> bool:
        """Whether a rank would tell of so few people that they might be known."""
        others = pool_of(self.scorable, self.basics).exclude(pk=self.facts.candidate_id)
        return len(others.values_list("pk", flat=True)[:FEWEST]) < FEWEST

    def _sentence(self, changes: str, before: Supposed, after: Supposed) -> str:
        return self._told(changes, (before.rank, after.rank), (before.scored.fit.score, after.scored.fit.score))

    def _told(self, changes: str, ranks: tuple[int | None, int | None], fits: tuple[int, int]) -> str:
        if self.ranks_hidden:
            return fits_told(changes, probability_ppm(fits[0]), probability_ppm(fits[1]))
        return ranks_told(changes, *ranks)

    def _names(self, people: Sequence[CandidateFacts], *changes: Changes) -> Names:
        asked = {skill for facts in people for skill in skills_told_of(facts, self.scorable.terms, FEATURES)}
        asked |= {skill for one in changes for skill in one.skills}
        return names_of(dict(Skill.objects.filter(pk__in=asked).values_list("pk", "name")))


def pair_of(candidate: Candidate, opportunity: Opportunity, basics: Basics, audience: Disclosure) -> Pair | None:
    """None where the opportunity has no terms yet."""
    scorable = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics).get(opportunity.pk)
    if scorable is None:
        return None
    facts = facts_of([candidate.pk], on=basics.on, rate_set=basics.rates)[candidate.pk]
    return Pair(scorable, facts, basics, audience)
