"""From scores to probabilities: monotone, in integers, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matching.core.scoring.errors import InvalidModel, check_integer

MILLION = 1_000_000
MAX_SCORE = 10**15  # micro-log-odds: more than any weights of any features add up to
MOST_KNOTS = 1000

_STEP = 15_625  # micro-log-odds between two knots of the logistic curve: 1/64
_LAST_KNOT = 1024  # at 16 log-odds the probability is below a millionth from 1


@dataclass(frozen=True, slots=True)
class Curve:
    """What scores of one head stand for, as measured: `knots` are (score in micro-log-odds, probability in millionths),
    both ascending. Linear between two of them, constant beyond the first and the last. Raises `InvalidModel`."""

    knots: tuple[tuple[int, int], ...]

    @classmethod
    def from_json(cls, path: str, data: object) -> Curve:
        """Reads `[[score, millionths], …]`. Raises `InvalidModel` naming the path."""
        if not isinstance(data, Sequence) or isinstance(data, str | bytes) or not 2 <= len(data) <= MOST_KNOTS:
            raise InvalidModel(path, f"must be a list of 2 to {MOST_KNOTS} pairs of score and millionths")
        before: tuple[int, int] | None = None
        for place, pair in enumerate(data):
            where = f"{path}[{place}]"
            if not isinstance(pair, Sequence) or isinstance(pair, str | bytes) or len(pair) != 2:
                raise InvalidModel(where, "must be a pair of score and millionths")
            check_integer(f"{where}[0]", pair[0], -MAX_SCORE, MAX_SCORE)
            check_integer(f"{where}[1]", pair[1], 0, MILLION)
            if before is not None and not (before[0] < pair[0] and before[1] <= pair[1]):
                raise InvalidModel(where, "must have a higher score than the pair before, and no lower probability")
            before = pair[0], pair[1]
        return cls(tuple((pair[0], pair[1]) for pair in data))

    def to_json(self) -> list[list[int]]:
        return [list(knot) for knot in self.knots]

    def probabilities_ppm(self, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        """Probabilities in millionths, rounded down."""
        at_scores, at_ppm = np.array(self.knots, dtype=np.int64).T
        bounded = np.clip(np.asarray(scores, dtype=np.int64), at_scores[0], at_scores[-1])
        at = np.clip(np.searchsorted(at_scores, bounded, side="right") - 1, 0, len(at_scores) - 2)
        # Below 2·10¹⁵ × 10⁶ a product fits no 64 bits, so the rise goes by whole and rest of a division.
        width, rise = at_scores[at + 1] - at_scores[at], at_ppm[at + 1] - at_ppm[at]
        return np.asarray(at_ppm[at] + _share(rise, bounded - at_scores[at], width), dtype=np.int64)


def _share(rise: NDArray[np.int64], part: NDArray[np.int64], width: NDArray[np.int64]) -> NDArray[np.int64]:
    """rise × part ÷ width, rounded down, exactly: in Python's integers where 64 bits would not do."""
    if int(part.max(initial=0)) < 2**63 // MILLION:
        return rise * part // width
    exact = [a * b // c for a, b, c in zip(rise.tolist(), part.tolist(), width.tolist(), strict=True)]
    return np.array(exact, dtype=np.int64)


def probability_ppm(score: int) -> int:
    """The probability that a score in log-odds stands for, in millionths: 1 ÷ (1 + e^−score).

    Monotone, from 0 to 1,000,000, and within 4 millionths of the curve: linear between knots every 1/64 of
    log-odds, in integers, so that it is the same on every machine.
    """
    at, rest = divmod(max(min(score, _LAST_KNOT * _STEP - 1), -_LAST_KNOT * _STEP) + _LAST_KNOT * _STEP, _STEP)
    low, high = _known_knots()[at : at + 2]
    return low + (high - low) * rest // _STEP


def probabilities_ppm(scores: NDArray[np.int64]) -> NDArray[np.int64]:
    """`probability_ppm` of many scores."""
    knots = _knots()
    bounded = np.clip(np.asarray(scores, dtype=np.int64), -_LAST_KNOT * _STEP, _LAST_KNOT * _STEP - 1)
    at, rest = np.divmod(bounded + _LAST_KNOT * _STEP, _STEP)
    return np.asarray(knots[at] + (knots[at + 1] - knots[at]) * rest // _STEP, dtype=np.int64)


@cache
def _known_knots() -> list[int]:
    """The same for one score: what numpy takes to set out is longer than the way."""
    knots: list[int] = _knots().tolist()
    return knots


@cache
def _knots() -> NDArray[np.int64]:
    """The curve at its knots. Decimal's exp is correctly rounded everywhere, unlike the C library's."""
    context = Context(prec=28)
    upper = []
    for knot in range(_LAST_KNOT + 1):
        odds = context.exp(Decimal(knot) / 64)
        upper.append(int((odds / (1 + odds) * MILLION).to_integral_value()))
    lower = [MILLION - value for value in reversed(upper[1:])]
    return np.array(lower + upper, dtype=np.int64)
