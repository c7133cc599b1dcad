"""How far down people look, estimated from what they answered.

A yes takes two things: that somebody looked at the rank, and that they liked what they saw. Low ranks get few yeses
partly because few look. So P(yes | rank, features) = examined(rank) · p(features), the position-based model (Craswell
et al., 2008, "An experimental comparison of click position-bias models"), and what is learned is p. Both are estimated
at once, by maximum likelihood. The first rank counts as always looked at; no rank is looked at more than one above it;
and no chance falls below `LEAST`, so that no yes ever stands for more than twenty.

Under a deterministic order only the features within a rank tell the two apart: how many people an opportunity has, and
how good they are, must vary. An experiment that randomises ranks would tell more; its propensities enter as weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RANKS = np.array([1, 2, 3, 4, 6, 11, 21, 51, 101])
"""Where the stretches of ranks begin that are looked at alike."""

LEAST = 0.05


@dataclass(frozen=True)
class Examination:
    """The chance that somebody looks, by stretch of ranks."""

    chances: tuple[float, ...]

    @classmethod
    def from_drops(cls, drops: Floats, numbers: NDArray[np.int64]) -> Examination:
        """`drops`: by how much the logarithm falls from each stretch to the next. Of a stretch without examples nothing
        is known, so that it is as the one above it."""
        known = np.where(numbers[1:] > 0, drops, 0.0)
        chances = np.maximum(np.exp(-np.concatenate([[0.0], np.cumsum(known)])), LEAST)
        return cls(tuple(float(one) for one in chances))

    def of(self, ranks: NDArray[np.int64]) -> Floats:
        found: Floats = np.array(self.chances)[stretches(ranks)]
        return found

    def to_json(self) -> list[dict[str, float]]:
        return [
            {"from_rank": int(rank), "chance": round(chance, 6)}
            for rank, chance in zip(RANKS, self.chances, strict=True)
        ]


EVERYBODY = Examination((1.0,) * len(RANKS))
"""Where each example was put to somebody by itself."""

BEGIN = Examination(tuple(float(one) for one in RANKS**-0.3))
"""Where the search for the likeliest begins."""


def drops_of(examination: Examination) -> Floats:
    found: Floats = -np.diff(np.log(examination.chances))
    return found


def stretches(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.searchsorted(RANKS, ranks, side="right") - 1
    return found
