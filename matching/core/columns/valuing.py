"""The value of each feature for every case of a kind at once: the same integers as `matching.core.features` has.

`VALUED` names the features that depend on a person's profile alone, with the kind of case that each reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from matching.core.clock import DAY_MINUTES
from matching.core.columns.profiles import Cases, Whole
from matching.core.columns.segments import EPOCH, MISSING, SCALE
from matching.core.facts import OpportunityTerms
from matching.core.features import FULL, LATE_DAYS, NEUTRAL, OFFICE_HOURS, OTHER_REGION, cents, thousandths
from matching.core.features.declaring import MONTH_DAYS
from matching.core.features.record import RESTING, STRENGTH, USUAL_ACCEPTANCE, USUAL_COMPLETION, USUAL_RESPONSE
from matching.core.features.skills import FADED, FADING, FRESH_MONTHS

LARGEST = 10**12
"""No measure of a person is as large: whatever is asked beyond it is asked as much."""


def shares(has: Whole, asked: int) -> Whole:
    """`share` of the features, for many."""
    if asked <= 0:
        return np.full(len(has), FULL)
    asked = min(asked, LARGEST)
    return np.where(has >= asked, FULL, np.maximum(has, 0) * FULL // asked)


def towards_zero(values: Whole, divisor: int) -> Whole:
    return np.where(values < 0, -(-values // divisor), values // divisor)


def _where_known(values: Whole, found: Whole) -> Whole:
    return np.where(values == MISSING, NEUTRAL, found)


def _all_neutral(cases: Cases) -> Whole:
    return np.full(cases.count, NEUTRAL)


def share_of_years(years: Whole, asked: Decimal) -> Whole:
    """Of years in ten-thousandths; neutral where they are not known."""
    return _where_known(years, shares(towards_zero(years, SCALE // 1000), thousandths(asked)))


def _experience(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.years_experience is None:
        return _all_neutral(cases)
    [years] = cases.facts
    return share_of_years(years, terms.years_experience)


def _pay_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.max_hourly_pay is None:
        return _all_neutral(cases)
    [values] = cases.facts
    pay, rate = min(cents(terms.max_hourly_pay), LARGEST), towards_zero(values, SCALE // 100)
    part = np.maximum(2 * pay - rate, 0) * FULL // np.maximum(rate, 1)
    return _where_known(values, np.where(rate <= pay, FULL, part))


def _hours_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.weekly_hours is None:
        return _all_neutral(cases)
    [free] = cases.facts
    return _where_known(free, shares(free // SCALE, terms.weekly_hours))


def days(day: date) -> int:
    """Since 1970-01-01."""
    return day.toordinal() - EPOCH


def recencies(used: Whole, on: date) -> Whole:
    """`recency` of the features, for many last days of use."""
    months = np.maximum(days(on) - used // SCALE, 0) // MONTH_DAYS
    left = np.maximum(FULL - np.maximum(months - FRESH_MONTHS, 0) * FADING, FADED)
    return np.where(used == MISSING, FULL, left)


def _availability_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.starts_on is None:
        return _all_neutral(cases)
    [values] = cases.facts
    late = values // SCALE - days(terms.starts_on)
    return _where_known(values, np.where(late <= 0, FULL, np.maximum(LATE_DAYS - late, 0) * FULL // LATE_DAYS))


def _location_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    country, region = cases.facts
    countries, regions = cases.texts
    excluded = _among(countries, terms.excluded_places)[country] | _among(regions, terms.excluded_places)[region]
    if not terms.allowed_places:
        return np.where(excluded, 0, FULL if terms.arrangement == "remote" else NEUTRAL)
    allowed = _among(countries, terms.allowed_places)[country] | _among(regions, terms.allowed_places)[region]
    in_country = _among(countries, {place.split("-")[0] for place in terms.allowed_places})[country]
    nowhere = (country == 0) & (region == 0)
    near = np.where(in_country, np.where(region == 0, NEUTRAL, OTHER_REGION), 0)
    return np.where(excluded, 0, np.where(nowhere, NEUTRAL, np.where(allowed, FULL, near)))


def _among(texts: tuple[str, ...], places: Set[str]) -> npt.NDArray[np.bool_]:
    """Which codes, counted from one, are among some places; 0, where there is none, is not."""
    number = _numbers(texts)
    found = np.zeros(len(texts) + 1, np.bool_)
    found[[number[place] for place in places if place in number]] = True
    return found


@lru_cache(maxsize=64)  # each segment has its codes of countries and of regions
def _numbers(texts: tuple[str, ...]) -> dict[str, int]:
    return {text: number for number, text in enumerate(texts, start=1)}


def _timezone_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    """Working hours and office hours are laid side by side on a day that begins with the office's."""
    if terms.utc_offset_minutes is None:
        return _all_neutral(cases)
    offset, starts, minutes = cases.facts
    begins, ends = OFFICE_HOURS
    office = ends - begins
    start = np.where(starts == MISSING, begins - offset, starts)
    length = np.where(starts == MISSING, office, minutes)
    start = (start - begins + terms.utc_offset_minutes) % DAY_MINUTES
    today = np.maximum(np.minimum(start + length, office) - start, 0)
    tomorrow = np.clip(start + length - DAY_MINUTES, 0, office)
    return _where_known(offset, shares(np.minimum(today + tomorrow, office), office))


def _commitment_fit(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.commitment is None:
        return _all_neutral(cases)
    [kinds] = cases.texts
    wants = np.array(cases.facts)
    place = kinds.index(terms.commitment) if terms.commitment in kinds else None
    wanted = np.zeros(cases.count, np.int64) if place is None else wants[place]
    return np.where(wants.any(axis=0), FULL * wanted, NEUTRAL)


def _rate(usual: int) -> Callable[[Cases, OpportunityTerms], Whole]:
    """`shrunk` of the features, for many."""

    def rates(cases: Cases, terms: OpportunityTerms) -> Whole:
        successes, number = (np.maximum(each // SCALE, 0) for each in cases.facts)
        return (np.minimum(successes, number) * FULL + usual * STRENGTH) // (number + STRENGTH)

    return rates


def _activity(cases: Cases, terms: OpportunityTerms) -> Whole:
    if terms.on is None:
        return _all_neutral(cases)
    [active] = cases.facts
    months = np.maximum(days(terms.on) - active // SCALE, 0) // MONTH_DAYS
    return _where_known(active, np.maximum(FULL - months * RESTING, 0))


class Valued(NamedTuple):
    kind: str
    values: Callable[[Cases, OpportunityTerms], Whole]


VALUED: Mapping[str, Valued] = {
    "experience": Valued("experience", _experience),
    "pay_fit": Valued("rate", _pay_fit),
    "hours_fit": Valued("hours", _hours_fit),
    "availability_fit": Valued("start", _availability_fit),
    "location_fit": Valued("home", _location_fit),
    "timezone_fit": Valued("clock", _timezone_fit),
    "commitment_fit": Valued("commitments", _commitment_fit),
    "response_rate": Valued("responses", _rate(USUAL_RESPONSE)),
    "acceptance_rate": Valued("offers", _rate(USUAL_ACCEPTANCE)),
    "completion_rate": Valued("placements", _rate(USUAL_COMPLETION)),
    "activity": Valued("activity", _activity),
}
