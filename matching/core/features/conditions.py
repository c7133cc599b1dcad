"""What the work offers and asks, against what a person wants and can: pay, hours, experience, when and where."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features.declaring import (
    ALL_HEADS,
    FULL,
    NEUTRAL,
    WISHES,
    Feature,
    Names,
    cents,
    plain,
    share,
    thousandths,
)

LATE_DAYS = 90  # available this many days after the start is as bad as never
OFFICE_HOURS = (9 * 60, 17 * 60)  # local minutes after midnight, assumed where working hours are not known
OTHER_REGION = 250  # same country as an allowed region, another region


def experience(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Years of experience ÷ years asked."""
    if terms.years_experience is None or candidate.years_experience is None:
        return NEUTRAL
    return share(thousandths(candidate.years_experience), thousandths(terms.years_experience))


def _experience_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if not terms.years_experience:
        return "no years of experience are asked for"
    if candidate.years_experience is None:
        return f"{plain(terms.years_experience)} years of experience are asked for; theirs are not known"
    return f"has {plain(candidate.years_experience)} of {plain(terms.years_experience)} years of experience asked for"


def pay_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 where the highest pay reaches the rate asked, falling to 0 where it is half of that rate."""
    if terms.max_hourly_pay is None or candidate.hourly_rate is None:
        return NEUTRAL
    pay, rate = cents(terms.max_hourly_pay), cents(candidate.hourly_rate)
    if pay >= rate:
        return FULL
    return max(2 * pay - rate, 0) * FULL // rate


def _pay_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if terms.max_hourly_pay is None:
        return "the pay is not stated"
    pay = f"pays up to {plain(terms.max_hourly_pay)} EUR an hour"
    if candidate.hourly_rate is None:
        return f"{pay}; the rate they ask is not known"
    return f"{pay}, they ask {plain(candidate.hourly_rate)}"


def hours_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Free hours a week ÷ hours asked; all hours wanted count as free where the free ones are not known."""
    free = _free_hours(candidate)
    if terms.weekly_hours is None or free is None:
        return NEUTRAL
    return share(free, terms.weekly_hours)


def _free_hours(candidate: CandidateFacts) -> int | None:
    return candidate.weekly_hours if candidate.free_hours is None else candidate.free_hours


def _hours_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    free = _free_hours(candidate)
    if terms.weekly_hours is None:
        return "the weekly hours are not stated"
    if free is None:
        return f"{terms.weekly_hours} hours a week are asked for; their free hours are not known"
    return f"has {free} free hours a week, {terms.weekly_hours} are asked for"


# --- when and where


def availability_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 where available by the start, less 1000 ÷ 90 for every day after it."""
    if terms.starts_on is None or candidate.available_from is None:
        return NEUTRAL
    late = (candidate.available_from - terms.starts_on).days
    return FULL if late <= 0 else max(LATE_DAYS - late, 0) * FULL // LATE_DAYS


def _availability_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if terms.starts_on is None:
        return "no start date is given"
    if candidate.available_from is None:
        return f"starts on {terms.starts_on}; when they are available is not known"
    late = (candidate.available_from - terms.starts_on).days
    if late <= 0:
        return f"is available by the start on {terms.starts_on}"
    return f"is available {late} day{'s' if late > 1 else ''} after the start on {terms.starts_on}"


def location_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 in an allowed place (or anywhere, if remote), 0 in an excluded or another one.

    250 in another region of an allowed region's country; neutral where the place of either is not known.
    """
    places = {place for place in (candidate.country, candidate.region) if place}
    if places & terms.excluded_places:
        return 0
    if not terms.allowed_places:
        return FULL if terms.arrangement == "remote" else NEUTRAL
    if not places:
        return NEUTRAL
    if places & terms.allowed_places:
        return FULL
    in_country = any(place.split("-")[0] == candidate.country for place in terms.allowed_places)
    if not in_country:
        return 0
    return NEUTRAL if candidate.region is None else OTHER_REGION


def _location_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    place = candidate.region or candidate.country
    if place and {candidate.country, candidate.region} & terms.excluded_places:
        return f"lives in {place}, which is excluded"
    if not terms.allowed_places:
        return "can be done from anywhere" if terms.arrangement == "remote" else "no place is given"
    allowed = ", ".join(sorted(terms.allowed_places))
    if place is None:
        return f"is offered in {allowed}; where they live is not known"
    match location_fit(candidate, terms):
        case 1000:
            return f"lives in {place}, where it is offered"
        case 500:
            return f"lives in {place}, region not known; it is offered in {allowed}"
        case _:
            return f"lives in {place}; it is offered in {allowed}"


def shared_minutes(candidate: CandidateFacts, terms: OpportunityTerms) -> int | None:
    """Minutes a day in which the candidate's working hours meet office hours at the opportunity."""
    if candidate.utc_offset_minutes is None or terms.utc_offset_minutes is None:
        return None
    begins, ends = OFFICE_HOURS
    if candidate.work_starts_minute is not None and candidate.work_ends_minute is not None:
        begins, ends = candidate.work_starts_minute, candidate.work_ends_minute
        if ends <= begins:  # works across midnight
            ends += 24 * 60
    return _meeting(begins, ends, terms.utc_offset_minutes - candidate.utc_offset_minutes)


@lru_cache(maxsize=4096)  # thousands of people have the same few working days
def _meeting(begins: int, ends: int, shift: int) -> int:
    """Minutes of a day from `begins` to `ends` that lie within office hours of a clock ahead by `shift`."""
    office_begins, office_ends = OFFICE_HOURS
    minutes = 0
    for day in (-2, -1, 0, 1, 2):  # offsets differ by at most 26 hours
        offset = shift + day * 24 * 60
        minutes += max(min(ends + offset, office_ends) - max(begins + offset, office_begins), 0)
    return min(minutes, office_ends - office_begins)


def timezone_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Minutes of the working day in common ÷ eight hours."""
    minutes = shared_minutes(candidate, terms)
    return NEUTRAL if minutes is None else share(minutes, OFFICE_HOURS[1] - OFFICE_HOURS[0])


def _timezone_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    minutes = shared_minutes(candidate, terms)
    if minutes is None:
        return "the hours in common are not known"
    return f"shares {plain(Decimal(minutes) / 60)} of 8 office hours"


def commitment_fit(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 where the kind of commitment is one they want, otherwise 0."""
    if terms.commitment is None or not candidate.commitments:
        return NEUTRAL
    return FULL if terms.commitment in candidate.commitments else 0


def _commitment_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if terms.commitment is None:
        return "the kind of commitment is not stated"
    offered = terms.commitment.replace("_", " ")
    if not candidate.commitments:
        return f"is {offered}; what they want is not known"
    wanted = ", ".join(sorted(candidate.commitments)).replace("_", " ")
    return (
        f"is {offered}, as they want"
        if terms.commitment in candidate.commitments
        else f"is {offered}; they want {wanted}"
    )


CONDITIONS = (
    Feature("experience", ALL_HEADS, "share of the years asked", "neutral", experience, _experience_sentence),
    Feature("pay_fit", WISHES, "how near the pay comes to the rate asked", "neutral", pay_fit, _pay_sentence),
    Feature(
        "hours_fit",
        ALL_HEADS,
        "share of the weekly hours asked",
        "neutral",
        hours_fit,
        _hours_sentence,
        reads=("free_hours",),
    ),
    Feature(
        "availability_fit",
        ALL_HEADS,
        "how soon after the start they are available",
        "neutral",
        availability_fit,
        _availability_sentence,
    ),
    Feature(
        "location_fit", ALL_HEADS, "whether they live where it is offered", "neutral", location_fit, _location_sentence
    ),
    Feature("timezone_fit", ALL_HEADS, "share of office hours in common", "neutral", timezone_fit, _timezone_sentence),
    Feature(
        "commitment_fit",
        WISHES,
        "whether they want this kind of commitment",
        "neutral",
        commitment_fit,
        _commitment_sentence,
    ),
)
