"""Waves of offers: who is asked first, and how long each wave has to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_WAVES = 10
MOST_PER_SEAT = 100
USUAL_PER_SEAT = 3


class Who(StrEnum):
    FAVOURITES = "favourites"  # on a favourites list of the posting or the hiring organisation
    TOP = "top"  # those who suit best: so many for each seat to fill
    REST = "rest"  # everybody who suits


@dataclass(frozen=True, slots=True)
class Wave:
    """Offers to `who` that expire after so many `hours`. `per_seat`: how many people for each seat are the top; those
    who suit as well as the last of them belong to it, too."""

    who: Who
    hours: int
    per_seat: int = USUAL_PER_SEAT

    def to_data(self) -> dict[str, Any]:
        return {"who": self.who.value, "hours": self.hours, "per_seat": self.per_seat}


def waves_from_data(data: Iterable[Mapping[str, Any]]) -> tuple[Wave, ...]:
    """Stored waves, in their order."""
    return tuple(Wave(Who(one["who"]), one["hours"], one["per_seat"]) for one in data)
