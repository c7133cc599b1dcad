"""What to offer somebody: the pay band that holds where they live, and their own rate within it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from marketplace.core.money import Pay, hourly_eur
from marketplace.models import Candidate, Opportunity, PayBand


def pay_for(candidate: Candidate, opportunity: Opportunity, rates: Mapping[str, Decimal]) -> Pay | None:
    """Exact pay for one person: the rate they ask, in the currency and period of the band that holds for their region,
    else their country, else everywhere; raised to the band's minimum, cut to its maximum.

    Somebody who asks for nothing, or whose rate cannot be compared with the band (a project, a currency without a
    rate), is offered the middle of it. None where no band holds for their place. Amounts are rounded to the currency's
    smallest unit.
    """
    band = band_for(candidate, opportunity.pay_bands.prefetch_related("places"))
    if band is None:
        return None
    asked = _in_terms_of(band, candidate, rates)
    amount = asked if asked is not None else (band.minimum + band.maximum) / 2
    unit = Decimal(1).scaleb(-get_currency_precision(band.currency))
    amount = min(max(amount.quantize(unit, ROUND_HALF_UP), band.minimum), band.maximum)
    return Pay(amount, band.currency, band.period)


def band_for(candidate: Candidate, bands: Iterable[PayBand]) -> PayBand | None:
    """The band of the smallest place that the candidate lives in; the one for everywhere else comes last."""
    by_place = {place.place: band for band in bands for place in band.places.all()}
    for place in (candidate.region, candidate.country, ""):
        if place in by_place:
            return by_place[place]
    return None


def _in_terms_of(band: PayBand, candidate: Candidate, rates: Mapping[str, Decimal]) -> Decimal | None:
    """What the candidate asks, in a band's currency and period."""
    if candidate.rate_amount is None:
        return None
    if (candidate.rate_currency, candidate.rate_period) == (band.currency, band.period):
        return candidate.rate_amount
    scale = Decimal(1_000_000)  # euros an hour come with four decimals: enough of them
    asked = hourly_eur(candidate.rate_amount * scale, candidate.rate_currency, candidate.rate_period, rates)
    one = hourly_eur(scale, band.currency, band.period, rates)
    return asked / one if asked is not None and one else None
