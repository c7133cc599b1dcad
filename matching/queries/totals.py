"""Scores of many pairs at once, whatever kind of model serves each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matching.core.facts import CandidateFacts
from matching.core.scoring import UNSCORED, LinearModel, PairValues, Scorer
from matching.queries.scorable import Scorable

Pairing = tuple[Scorable, CandidateFacts]


def totals_of(pairs: Sequence[Pairing], *heads: str) -> dict[str, NDArray[np.int64]]:
    """Head → the score of each pair, `UNSCORED` where its model has no number. For workers.

    A model that is not linear is run once for all pairs that it serves: by itself each would take a run of its own.
    """
    found = {head: np.full(len(pairs), UNSCORED, dtype=np.int64) for head in heads}
    together: dict[int, tuple[Scorer, list[int]]] = {}
    for place, (scorable, facts) in enumerate(pairs):
        scorer = scorable.scorer
        if isinstance(scorer, LinearModel):
            values = PairValues(facts, scorable.terms)
            for head in heads:
                found[head][place] = scorer.total(head, values)
        else:
            together.setdefault(id(scorer), (scorer, []))[1].append(place)
    for scorer, places in together.values():
        rows = [PairValues(pairs[place][1], pairs[place][0].terms) for place in places]
        columns = {name: np.array([row[name] for row in rows], dtype=np.int64) for name in scorer.features}
        totals = scorer.totals_many(columns)
        for head in heads:
            found[head][places] = totals[head]
    return found
