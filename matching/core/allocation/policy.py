"""What a policy is worth paying for: the expected value of giving one person one seat.

The formula is written out in `docs/allocation.md`. It is integer arithmetic with one division at the end, so that
the scalar and the array form, and SQL, give the same integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.errors import InvalidPolicy, ValueOutOfRange

PPM = 1_000_000
HALF_PROMPT_DAYS = 30  # a start this many days away is worth half of a start today
MAX_DAYS = 36_500

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Policy:
    """Three weights in thousandths that sum to 1000: how much quality, fill and speed matter."""

    quality: int = 600
    fill: int = 300
    speed: int = 100

    def __post_init__(self) -> None:
        weights = (self.quality, self.fill, self.speed)
        if any(type(weight) is not int or weight < 0 for weight in weights) or sum(weights) != 1000:
            raise InvalidPolicy(weights=[repr(weight) for weight in weights])

    def to_data(self) -> dict[str, int]:
        return {"quality": self.quality, "fill": self.fill, "speed": self.speed}


def edge_value(policy: Policy, fit_ppm: int, acceptance_ppm: int, days_to_start: int, urgency: int) -> int:
    """The expected value of offering one seat to one person, from 0 to 2,000,000.

    `fit_ppm` and `acceptance_ppm` are probabilities in millionths; `days_to_start` are days from now until this
    person could start (a date that has passed counts as 0); `urgency` of the opportunity is in thousandths, 0 for
    ordinary, 1000 counts twice. Raises `ValueOutOfRange`.
    """
    for field, value, limit in (
        ("fit_ppm", fit_ppm, PPM),
        ("acceptance_ppm", acceptance_ppm, PPM),
        ("urgency", urgency, 1000),
    ):
        if type(value) is not int or not 0 <= value <= limit:
            raise ValueOutOfRange(field=field, limit=limit)
    if type(days_to_start) is not int:
        raise ValueOutOfRange(field="days_to_start", limit=MAX_DAYS)
    days = min(max(days_to_start, 0), MAX_DAYS)
    prompt_ppm = PPM * HALF_PROMPT_DAYS // (HALF_PROMPT_DAYS + days)
    worth = policy.quality * fit_ppm + policy.fill * PPM + policy.speed * prompt_ppm
    return acceptance_ppm * worth * (1000 + urgency) // (PPM * 1000 * 1000)


def edge_values(
    policy: Policy,
    fit_ppm: Sequence[int] | NDArray[Any],
    acceptance_ppm: Sequence[int] | NDArray[Any],
    days_to_start: Sequence[int] | NDArray[Any] | int,
    urgency: Sequence[int] | NDArray[Any] | int,
) -> Integers:
    """`edge_value` of many edges at once: the same integers. Scalars are repeated for every edge."""
    columns: list[Integers] = []
    for field, values, limit in (
        ("fit_ppm", fit_ppm, PPM),
        ("acceptance_ppm", acceptance_ppm, PPM),
        ("urgency", urgency, 1000),
    ):
        column = np.asarray(values)
        if column.size and (column.dtype.kind not in "iu" or column.min() < 0 or column.max() > limit):
            raise ValueOutOfRange(field=field, limit=limit)
        columns.append(column.astype(np.int64))
    days = np.asarray(days_to_start)
    if days.size and days.dtype.kind not in "iu":
        raise ValueOutOfRange(field="days_to_start", limit=MAX_DAYS)
    fit, acceptance, urgent = columns
    prompt = PPM * HALF_PROMPT_DAYS // (HALF_PROMPT_DAYS + np.clip(days, 0, MAX_DAYS).astype(np.int64))
    # At most 10^6 · 10^9 · 2000 = 2·10^18, below 2^63.
    worth = policy.quality * fit + policy.fill * PPM + policy.speed * prompt
    return np.asarray(acceptance * worth * (1000 + urgent) // (PPM * 1000 * 1000), dtype=np.int64)
