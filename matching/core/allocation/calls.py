"""How many to ask at once where whoever says yes first gets a seat: an open call.

Of independent people who accept with probabilities p₁ … pₙ, the number who do has the Poisson binomial distribution
(Wang 1993; Hong 2013). It is computed exactly, one person after the other, by the recursion of the latter's section
2.2, cut off at the number of seats: what lies beyond is counted in one sum that only grows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.errors import NegativeNumber, ValueOutOfRange
from matching.core.allocation.policy import PPM
from matching.core.allocation.problem import Integers, integers

# Sums of positive products err by some steps · 2⁻⁵² of themselves: what is a whole number of millionths is seen as one.
_ERROR = 1e-11


@dataclass(frozen=True, slots=True)
class CallSize:
    """`offers`: how many to ask, from the first on. With them `overrun_ppm` is the chance, rounded up, that more accept
    than there are seats, and `expected_ppm` the expected number of seats filled, rounded down; both in millionths."""

    offers: int
    overrun_ppm: int
    expected_ppm: int


def call_size(
    acceptance_ppm: Sequence[int] | Integers,
    seats: int,
    *,
    limit_ppm: int,
    outstanding_ppm: Sequence[int] | Integers = (),
) -> CallSize:
    """The largest number of people, asked in order, such that more than `seats` accept with a chance of at most
    `limit_ppm`.

    `acceptance_ppm` are the probabilities that each would accept, in millionths, most preferred first;
    `outstanding_ppm` those of people who were asked before, for the same seats, and have not answered: they count,
    and are not counted among the offers. Nobody is asked for no seats, or if those who were asked are too many already.
    Never fewer for a higher limit, for more seats, or for people who accept less probably. Takes offers · seats steps.
    Raises `NotAnInteger`, `NegativeNumber` and `ValueOutOfRange`.
    """
    people = _probabilities("acceptance_ppm", acceptance_ppm)
    before = _probabilities("outstanding_ppm", outstanding_ppm)
    (most,) = _checked("seats", seats)
    (limit,) = _checked("limit_ppm", limit_ppm, PPM)
    most = min(most, len(before) + len(people))  # seats for more than everybody are no different
    accepting = np.zeros(most + 1)  # accepting[k]: the chance that k have accepted so far
    accepting[0] = 1.0
    overrun = 0.0
    for one in before.tolist():
        overrun += accepting[-1] * one
        _one_more(accepting, one)
    offers = 0
    for one in people.tolist() if most else ():
        more = overrun + accepting[-1] * one
        if _ppm_up(more) > limit:
            break
        overrun = more
        _one_more(accepting, one)
        offers += 1
    filled = math.fsum((np.arange(most + 1) * accepting).tolist()) + most * overrun
    return CallSize(offers, _ppm_up(overrun), math.floor(filled * PPM * (1 + _ERROR)))


def _one_more(accepting: NDArray[np.float64], one: float) -> None:
    """The distribution once one more is asked, who accepts with this probability."""
    yes = accepting[:-1] * one
    accepting *= 1.0 - one
    accepting[1:] += yes


def _ppm_up(probability: float) -> int:
    return min(math.ceil(probability * PPM * (1 - _ERROR)), PPM)


def _probabilities(field: str, values: Sequence[int] | Integers) -> NDArray[np.float64]:
    column = integers(field, values)
    if column.size and (column.min() < 0 or column.max() > PPM):
        raise ValueOutOfRange(field=field, limit=PPM)
    return column / PPM


def _checked(field: str, value: int, limit: int | None = None) -> list[int]:
    (number,) = integers(field, [value]).tolist()
    if number < 0:
        raise NegativeNumber(field=field, at=number)
    if limit is not None and number > limit:
        raise ValueOutOfRange(field=field, limit=limit)
    return [number]
