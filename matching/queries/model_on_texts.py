"""What a scoring model makes of texts: the facts that can be read of them, scored for fit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from matching.core.affinity.ranker import Text
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import FEATURES
from matching.core.scoring import Scorer

_UNSAID_LEVEL = 3
"""Of a skill that a text names, from 1 to 5."""


def terms_in_text(text: Text) -> OpportunityTerms:
    """Every skill that is named is asked for, with the same weight. What no text says is left open."""
    return OpportunityTerms(
        opportunity_id=0,
        years_experience=None if text.read.years is None else Decimal(text.read.years),
        skills=tuple(SkillTerm(skill, required=True) for skill in sorted(text.skills)),
        title_words=frozenset(text.read.title),
    )


def facts_in_text(text: Text) -> CandidateFacts:
    return CandidateFacts(
        candidate_id=0,
        years_experience=None if text.read.years is None else Decimal(text.read.years),
        skills={skill: SkillFact(level=_UNSAID_LEVEL) for skill in sorted(text.skills)},
        title_words=frozenset(text.read.title),
    )


class ModelOnTexts:
    """Ranks by the fit of one version; scores are micro-log-odds. Pairs that it has no number for come last."""

    def __init__(self, scorer: Scorer, queries: Sequence[Text], candidates: Sequence[Text]) -> None:
        self._scorer = scorer
        self._terms = [terms_in_text(text) for text in queries]
        self._facts = [facts_in_text(text) for text in candidates]

    def scores(self, query: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        terms = self._terms[query]
        values = {
            name: np.array([FEATURES[name].value(self._facts[place], terms) for place in places], dtype=np.int64)
            for name in sorted(self._scorer.features)
        }
        return self._scorer.totals_many(values)["fit"]
