"""Writes of the marketplace, by noun."""

import strawberry

from marketplace.api.mutations.applications import ApplicationMutation
from marketplace.api.mutations.candidates import CandidateMutation
from marketplace.api.mutations.notifications import NotificationMutation
from marketplace.api.mutations.offers import OfferMutation
from marketplace.api.mutations.opportunities import OpportunityMutation
from marketplace.api.mutations.persons import PersonMutation
from marketplace.api.mutations.placements import PlacementMutation


@strawberry.type
class MarketplaceMutation(
    CandidateMutation,
    OpportunityMutation,
    ApplicationMutation,
    OfferMutation,
    PlacementMutation,
    NotificationMutation,
    PersonMutation,
):
    pass
