"""What a service token may do besides reading what its organisation may read."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One each for what a mutation does. A mutation without a scope is for people alone."""

    OPPORTUNITIES = "opportunities"
    APPLICATIONS = "applications"
    OFFERS = "offers"
    PLACEMENTS = "placements"
    ALLOCATION = "allocation"
