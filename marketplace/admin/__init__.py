"""The staff's pages of the marketplace, by noun."""

from marketplace.admin import (
    applications,
    candidates,
    duplicates,
    facts,
    groups,
    invitations,
    notifications,
    offers,
    opportunities,
    placements,
    rates,
    seats,
    taxonomy,
    terms,
    vetting,
)

__all__ = [
    "applications",
    "candidates",
    "duplicates",
    "facts",
    "groups",
    "invitations",
    "notifications",
    "offers",
    "opportunities",
    "placements",
    "rates",
    "seats",
    "taxonomy",
    "terms",
    "vetting",
]
