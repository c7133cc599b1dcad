"""What an allocation run is to keep to, as data: weights, limits, reserved shares, mechanism.

Organisations and opportunities are named by inner id. The stored form is JSON with whole numbers and rules only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from matching.core.allocation import Policy, Proposing

MOST_AT_ONCE = 10  # offers
MOST_URGENT_DAYS = 365
MOST_SECONDS = 3600
MOST_SEATS = 1_000_000
MOST_LIMITS = 1000
MOST_SHARES = 200


class Mechanism(StrEnum):
    OPTIMAL = "optimal"  # the greatest expected value
    STABLE = "stable"  # deferred acceptance over both sides' orders


@dataclass(frozen=True, slots=True)
class ReservedShare:
    """Of an opportunity's seats so many are for those who also meet `rule`, which is stored JSON."""

    opportunity: int
    seats: int
    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """`min_fit_ppm`: the least fit, as a probability in millionths, at which somebody is offered a seat.
    `offers_at_once`: live offers from allocations that one person may hold; above 1, their hours together must fit into
    the person's. `urgent_days`: how long before its deadline an opportunity begins to press, 0 for never.
    `most_per_organisation`: seats that a run gives to any one hiring organisation; `limits` are those of named ones and
    come before it. `seconds`: how long the solver may take by the clock.
    """

    weights: Policy = field(default_factory=Policy)
    min_fit_ppm: int = 100_000
    offers_at_once: int = 1
    urgent_days: int = 0
    mechanism: Mechanism = Mechanism.OPTIMAL
    proposing: Proposing = Proposing.CANDIDATES
    most_per_organisation: int | None = None
    limits: Mapping[int, int] = field(default_factory=dict)
    shares: tuple[ReservedShare, ...] = ()
    seconds: int | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether it asks for more than seats and one of them a person: stable assignments are made for no more."""
        return self.offers_at_once > 1 or self.most_per_organisation is not None or bool(self.limits or self.shares)

    def most_for(self, organisation: int) -> int | None:
        """The most seats that a hiring organisation is given; None: any number."""
        return self.limits.get(organisation, self.most_per_organisation)

    def urgency(self, deadline: date | None, on: date) -> int:
        """Thousandths: 0 with `urgent_days` or more to go, or without a deadline, rising evenly to 1000 on the day."""
        if deadline is None or not self.urgent_days:
            return 0
        left = max((deadline - on).days, 0)
        return 1000 * max(self.urgent_days - left, 0) // self.urgent_days

    def to_data(self) -> dict[str, Any]:
        return {
            **self.weights.to_data(),
            "min_fit_ppm": self.min_fit_ppm,
            "offers_at_once": self.offers_at_once,
            "urgent_days": self.urgent_days,
            "mechanism": self.mechanism.value,
            "proposing": self.proposing.value,
            "most_per_organisation": self.most_per_organisation,
            "limits": [[organisation, seats] for organisation, seats in sorted(self.limits.items())],
            "shares": [
                {"opportunity": share.opportunity, "seats": share.seats, "rule": dict(share.rule)}
                for share in sorted(self.shares, key=lambda share: share.opportunity)
            ],
            "seconds": self.seconds,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RunPolicy:
        """A stored policy. What an older one does not say is as it was then: nothing was limited."""
        names = ("min_fit_ppm", "offers_at_once", "urgent_days", "most_per_organisation", "seconds")
        return cls(
            weights=Policy(data["quality"], data["fill"], data["speed"]),
            mechanism=Mechanism(data.get("mechanism", Mechanism.OPTIMAL)),
            proposing=Proposing(data.get("proposing", Proposing.CANDIDATES)),
            limits=dict(data.get("limits", ())),
            shares=tuple(
                ReservedShare(one["opportunity"], one["seats"], one["rule"]) for one in data.get("shares", ())
            ),
            **{name: data[name] for name in names if name in data},
        )
