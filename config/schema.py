"""The GraphQL schema: what the apps contribute, merged."""

import logging
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from accounts.api.mutations import AccountsMutation
from accounts.api.queries import AccountsQuery
from accounts.api.scalars import SCALARS
from accounts.api.service_tokens import ServiceTokenMutation
from accounts.errors import DomainError
from config.graphql_columns import ReadColumns
from config.graphql_errors import cause_of
from config.graphql_execution import Executor
from config.graphql_operations import KeyedOperations, Parsing, PersonalReads
from marketplace.api.mutations import MarketplaceMutation
from marketplace.api.queries import MarketplaceQuery
from marketplace.api.subscriptions import MarketplaceSubscription
from matching.api.backfill import BackfillMutation, BackfillQuery
from matching.api.mutations import MatchingMutation
from matching.api.offering import OfferingMutation, OfferingQuery
from matching.api.queries import MatchingQuery
from matching.api.routing import RoutingMutation
from matching.api.subscriptions import MatchingSubscription
from matching.api.whatif import WhatIfQuery

logger = logging.getLogger("muster.graphql")


@strawberry.type(description="All that can be read.")
class Query(AccountsQuery, MarketplaceQuery, MatchingQuery, WhatIfQuery, BackfillQuery, OfferingQuery):
    pass


@strawberry.type(description="All that can be done. Each takes one input and answers with the thing or a refusal.")
class Mutation(
    AccountsMutation,
    ServiceTokenMutation,
    MarketplaceMutation,
    MatchingMutation,
    BackfillMutation,
    OfferingMutation,
    RoutingMutation,
):
    pass


@strawberry.type(description="All that can be followed while it happens: over server-sent events, at /graphql/stream.")
class Subscription(MarketplaceSubscription, MatchingSubscription):
    pass


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Log bugs with their traceback; refusals and malformed requests are no news."""
        for error in errors:
            cause = cause_of(error)
            if cause is not None and not isinstance(cause, DomainError):
                logger.error("%s at %s", type(cause).__name__, error.path, exc_info=cause)


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map=SCALARS, relay_max_results=100),
    extensions=[
        Parsing,
        ReadColumns,
        KeyedOperations,
        PersonalReads,
    ],  # the last within the transaction of the one before
    execution_context_class=Executor,
)
