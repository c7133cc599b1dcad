"""Order across opportunities whose scores need not be on one scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from matching.queries.scorable import Scorable


def unlikeliness(scored: Mapping[int, Scorable], head: str, scores: Mapping[int, int]) -> dict[int, int]:
    """What goes before the score in an order, by opportunity: −probability in millionths where models of different
    calibrations scored, since in nothing else their scores can be compared; 0 for all where they have one in common.

    Probabilities rise with scores, so among those of one model the order stays that of their scores.
    """
    if len({one.linear.calibration for one in scored.values()}) < 2:
        return dict.fromkeys(scores, 0)
    by_model: dict[int, list[int]] = defaultdict(list)
    for pk in scores:
        by_model[scored[pk].model.pk].append(pk)
    found: dict[int, int] = {}
    for ids in by_model.values():
        column = np.array([scores[pk] for pk in ids], dtype=np.int64)
        found |= dict(zip(ids, (-scored[ids[0]].linear.probabilities_ppm(head, column)).tolist(), strict=True))
    return found
