"""Exchange rates, as staff publish them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from marketplace.actions import checks
from marketplace.core.codes import check_currency
from marketplace.models import ExchangeRate, ExchangeRateSet


def publish_rates(
    *, actor: Actor, on: date, source: str, rates: Mapping[str, Decimal], now: datetime
) -> ExchangeRateSet:
    """A new set of rates, in units for one euro, that holds from a day on. The newest set of a day counts.

    Sets are never changed: verdicts and runs name the one they used. Raises InvalidInput, NotPermitted.
    """
    require_staff(actor)
    on = checks.day(on, field="on")
    source = clean_line(source, field="source", max_length=100)
    if not rates:
        raise InvalidInput("rates", "must not be empty")
    checked = {}
    for currency, per_euro in rates.items():
        code = check_currency(currency, field=f"rates.{str(currency)[:8]}")
        if code == "EUR":
            raise InvalidInput("rates.EUR", "is always 1")
        number = checks.decimal(per_euro, field=f"rates.{code}", low=0, high=10**9, places=8)
        if number == 0:
            raise InvalidInput(f"rates.{code}", "must be above 0")
        checked[code] = number
    with transaction.atomic():
        rate_set = ExchangeRateSet.objects.create(on=on, source=source, created_by_id=actor.user_id)
        ExchangeRate.objects.bulk_create(
            [
                ExchangeRate(rate_set=rate_set, currency=code, per_euro=number)
                for code, number in sorted(checked.items())
            ]
        )
        by = ActorKind.SYSTEM if actor.is_system else ActorKind.STAFF
        append(rate_set, "RatesPublished", actor=actor, by=by, now=now, payload={"on": on.isoformat()})
    return rate_set
