"""Amounts of money, what they are paid for, and what they come to in euros an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType

from accounts.errors import InvalidInput
from marketplace.core.codes import check_currency

HOURS_IN: Mapping[str, Decimal | None] = MappingProxyType(
    {
        "hour": Decimal(1),
        "day": Decimal(8),
        "week": Decimal(40),
        "month": Decimal("173.333"),
        "year": Decimal(2080),
        "project": None,  # nobody knows how many hours a project or a task takes
        "task": None,
    }
)
"""Paid hours of full-time work in each period: eight a day, five days, 52 weeks."""

LARGEST = Decimal(10) ** 12  # what the columns hold: 15 digits, three of them decimals
RATE_STEP = Decimal("0.0001")  # of hourly rates in euros


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str  # ISO 4217


@dataclass(frozen=True, slots=True)
class Pay:
    """Exact pay: so much, in a currency, for each period."""

    amount: Decimal
    currency: str  # ISO 4217
    period: str  # hour, day, week, month, year, project, task


def check_amount(amount: object, *, field: str) -> Decimal:
    """A finite amount that is not negative and has at most three decimals. Raises InvalidInput."""
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal | str):
        raise InvalidInput(field, "must be an amount")
    try:
        number = Decimal(amount) if not isinstance(amount, str) else Decimal(amount[:40])
    except InvalidOperation as error:
        raise InvalidInput(field, "must be an amount") from error
    if not number.is_finite():
        raise InvalidInput(field, "must be an amount")
    if number < 0:
        raise InvalidInput(field, "must not be negative")
    if number >= LARGEST:
        raise InvalidInput(field, "must be below 1,000,000,000,000")
    if number != number.quantize(Decimal("0.001")):
        raise InvalidInput(field, "must have at most three decimals")
    return number


def check_money(money: Money, *, field: str) -> Money:
    return Money(
        check_amount(money.amount, field=f"{field}.amount"), check_currency(money.currency, field=f"{field}.currency")
    )


def check_period(period: object, *, field: str) -> str:
    if not isinstance(period, str) or period not in HOURS_IN:
        raise InvalidInput(field, f"must be one of {', '.join(HOURS_IN)}")
    return str(period)


def check_pay(pay: Pay, *, field: str) -> Pay:
    """Raises InvalidInput naming the part that is wrong."""
    return Pay(
        check_amount(pay.amount, field=f"{field}.amount"),
        check_currency(pay.currency, field=f"{field}.currency"),
        check_period(pay.period, field=f"{field}.period"),
    )


def hourly_eur(amount: Decimal, currency: str, period: str, rates: Mapping[str, Decimal]) -> Decimal | None:
    """Euros an hour, to four decimals. `rates` are units of a currency for one euro.

    None where it cannot be known: pay by project or task, or a currency without a rate.
    """
    hours = HOURS_IN.get(period)
    per_euro = Decimal(1) if currency == "EUR" else rates.get(currency)
    if hours is None or per_euro is None:
        return None
    return (amount / per_euro / hours).quantize(RATE_STEP)


WEEKS_A_YEAR, MONTHS_A_YEAR = 52, 12
FULL_TIME_HOURS, HOURS_A_DAY = 40, 8


def yearly_eur_cents(
    amount: Decimal, currency: str, period: str, weekly_hours: int | None, rates: Mapping[str, Decimal]
) -> int | None:
    """What pay comes to in a year of so many hours a week, in cents of euros; full time where these are not stated.

    None where it cannot be known: pay by project or task, or a currency without a rate.
    """
    per_euro = Decimal(1) if currency == "EUR" else rates.get(currency)
    hours = Decimal(weekly_hours or FULL_TIME_HOURS)
    times = {
        "hour": hours * WEEKS_A_YEAR,
        "day": hours / HOURS_A_DAY * WEEKS_A_YEAR,
        "week": Decimal(WEEKS_A_YEAR),
        "month": Decimal(MONTHS_A_YEAR),
        "year": Decimal(1),
    }.get(period)
    if times is None or per_euro is None:
        return None
    return int((amount * times * 100 / per_euro).to_integral_value(ROUND_HALF_UP))


def amount_text(amount: Decimal, currency: str) -> str:
    """`45,000 EUR`, `19.5 USD`."""
    return f"{_plain(amount)} {currency}"


def pay_text(minimum: Decimal, maximum: Decimal, currency: str, period: str) -> str:
    """`20–30 EUR an hour`."""
    least = "" if minimum == maximum else f"{_plain(minimum)}–"
    return f"{least}{amount_text(maximum, currency)} {'an' if period == 'hour' else 'a'} {period}"


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), ",f")
