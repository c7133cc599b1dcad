"""Exchange rates in force."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from marketplace.models import ExchangeRateSet


def current_rate_set(*, on: date | None = None, known_at: datetime | None = None) -> ExchangeRateSet | None:
    """The newest set, or the newest that held `on` a day and was published by a moment; None before the first."""
    sets = ExchangeRateSet.objects.all()
    if on is not None:
        sets = sets.filter(on__lte=on)
    if known_at is not None:
        sets = sets.filter(created_at__lte=known_at)
    return sets.order_by("-on", "-id").first()


def rates_of(rate_set: ExchangeRateSet | None) -> dict[str, Decimal]:
    """Units of each currency for one euro. Without a set, euros alone."""
    rates = dict(rate_set.rates.values_list("currency", "per_euro")) if rate_set is not None else {}
    return rates | {"EUR": Decimal(1)}
