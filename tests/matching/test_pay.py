"""What an allocation offers: the rate that is asked, within the band that holds where the person lives."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketplace.actions.terms import PayBandInput
from marketplace.core.money import Pay
from matching.queries.pay import pay_for
from tests.marketplace.factories import a_candidate, a_draft

pytestmark = pytest.mark.django_db

RATES = {"USD": Decimal("1.25"), "JPY": Decimal(160), "EUR": Decimal(1)}


def offered(band: PayBandInput, rate: Pay | None = None, **facts) -> Pay | None:
    return pay_for(a_candidate(rate=rate, **facts), a_draft(pay_bands=[band]), RATES)


def a_band(low: int, high: int, currency: str = "EUR", period: str = "hour", places=()) -> PayBandInput:
    return PayBandInput(
        minimum=Decimal(low), maximum=Decimal(high), currency=currency, period=period, places=list(places)
    )


@pytest.mark.parametrize(
    ("asked", "amount"),
    [(Decimal(25), "25.00"), (Decimal(10), "20"), (Decimal(90), "30"), (Decimal("24.125"), "24.13")],
)
def test_the_rate_asked_is_kept_within_the_band(asked, amount):
    assert offered(a_band(20, 30), Pay(asked, "EUR", "hour")) == Pay(Decimal(amount), "EUR", "hour")


def test_a_rate_is_converted_to_the_bands_currency_and_period():
    assert offered(a_band(20, 90), Pay(Decimal(50), "USD", "hour")) == Pay(Decimal("40.00"), "EUR", "hour")
    assert offered(a_band(30_000, 99_000, "USD", "year"), Pay(Decimal(20), "EUR", "hour")) == Pay(
        Decimal("52000.00"), "USD", "year"
    )
    assert offered(a_band(1000, 9000, "JPY"), Pay(Decimal("20.33"), "EUR", "hour")) == Pay(Decimal(3253), "JPY", "hour")


def test_who_asks_for_nothing_comparable_is_offered_the_middle():
    assert offered(a_band(20, 31)) == Pay(Decimal("25.50"), "EUR", "hour")
    assert offered(a_band(100, 200, period="project"), Pay(Decimal(20), "EUR", "hour")) == Pay(
        Decimal("150.00"), "EUR", "project"
    )
    assert offered(a_band(20, 30), Pay(Decimal(20), "GBP", "hour")) == Pay(Decimal("25.00"), "EUR", "hour")


def test_the_band_of_the_smallest_place_holds():
    bands = [a_band(10, 20), a_band(20, 30, places=["DE"]), a_band(30, 40, places=["DE-BE"])]
    opportunity = a_draft(pay_bands=bands)
    rate = Pay(Decimal(100), "EUR", "hour")
    for place, amount in (
        ({"country": "DE", "region": "DE-BE"}, 40),
        ({"country": "DE", "region": "DE-BY"}, 30),
        ({"country": "FR"}, 20),
        ({}, 20),
    ):
        pay = pay_for(a_candidate(rate=rate, **place), opportunity, RATES)
        assert pay is not None
        assert pay.amount == amount


def test_nothing_is_offered_where_no_band_holds():
    assert offered(a_band(20, 30, places=["DE"]), country="FR") is None
