"""Amounts, pay and exchange rates."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from accounts.api.fields import many
from accounts.api.nodes import Node, node_type, row_type
from accounts.api.peers import related_list
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.api.enums import PayPeriod
from marketplace.core.money import Money, Pay
from marketplace.models import ExchangeRate, ExchangeRateSet, PayBand


@row_type(Money, name="Money", description="An amount of money.")
class MoneyType:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="ISO 4217 code.")


@row_type(Pay, name="Pay", description="Exact pay: so much for each period.")
class PayType:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    period: PayPeriod = strawberry.field(description="For what.")


@row_type(PayBand, name="PayBand", description="What is paid at some places, from a minimum to a maximum.")
class PayBandType:
    minimum: Decimal = strawberry.field(description="The least.")
    maximum: Decimal = strawberry.field(description="The most.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    period: PayPeriod = strawberry.field(description="For what.")

    @strawberry.field(description="ISO 3166 codes of countries and regions it holds for; empty: everywhere else.")
    def places(root: strawberry.Parent[Any]) -> list[str]:
        return [place.place for place in related_list(root, "places") if place.place]


@row_type(ExchangeRate, name="ExchangeRate", description="One currency's rate.")
class ExchangeRateType:
    currency: str = strawberry.field(description="ISO 4217 code.")
    per_euro: Decimal = strawberry.field(description="Units for one euro.")


def _access_rates(actor: Actor, rates_id: Any) -> ExchangeRateSet:
    rates = ExchangeRateSet.objects.filter(public_id=rates_id).first()
    if rates is None:
        raise NotFound("set of exchange rates")
    return rates


@node_type(
    ExchangeRateSet,
    name="ExchangeRateSet",
    description="The exchange rates of a day. Verdicts, matches and runs name the set they used.",
    access=_access_rates,
)
class ExchangeRateSetType(Node):
    on: date = strawberry.field(description="The day from which they hold.")
    source: str = strawberry.field(description="Where they come from.")
    rates = many("rates", ExchangeRateType, "The rates.")
