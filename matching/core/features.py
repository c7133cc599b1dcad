"""What scoring looks at, each feature declared once: its unit, its range, what a missing fact means, its sentence.

A value is an integer in thousandths, 0 to 1000, made by integer arithmetic with divisions that round down, from
facts quantised first (years to thousandths, pay to cents). SQL can therefore repeat every value exactly.
500 is neutral: a fact is missing, or nothing was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from matching.core.facts import CandidateFacts, OpportunityTerms, SkillTerm

FULL = 1000
NEUTRAL = 500
LATE_DAYS = 90  # available this many days after the start is as bad as never
OFFICE_HOURS = (9 * 60, 17 * 60)  # local minutes after midnight, assumed where working hours are not known
OTHER_REGION = 250  # same country as an allowed region, another region

Names = Mapping[int, str]  # skill id → label


@dataclass(frozen=True, slots=True)
class Feature:
    """`value` gives thousandths from 0 to 1000; `sentence` says the same for people, without a full stop."""

    name: str
    heads: frozenset[str]  # the outputs of a model that may weigh it
    unit: str
    missing: str  # what an absent fact means
    value: Callable[[CandidateFacts, OpportunityTerms], int]
    sentence: Callable[[CandidateFacts, OpportunityTerms, Names], str]


ALL_HEADS = frozenset({"fit", "interest", "acceptance"})


def thousandths(number: Decimal) -> int:
    """A decimal in whole thousandths, rounded towards zero."""
    return int(number * 1000)


def cents(amount: Decimal) -> int:
    """An amount in whole cents, rounded towards zero."""
    return int(amount * 100)


def share(has: int, asked: int) -> int:
    """`has` ÷ `asked` in thousandths, at most 1000; 1000 where nothing is asked."""
    if asked <= 0 or has >= asked:
        return FULL
    return max(has, 0) * FULL // asked


# --- skills


def skill_credit(candidate: CandidateFacts, term: SkillTerm) -> int:
    """Thousandths of one asked skill: level ÷ level asked × years ÷ years asked, 0 without the skill.

    Years that are asked but not known count as neutral.
    """
    fact = candidate.skills.get(term.skill_id)
    if fact is None:
        return 0
    credit = share(fact.level, term.min_level)
    if term.min_years is not None and term.min_years > 0:
        years = NEUTRAL if fact.years is None else share(thousandths(fact.years), thousandths(term.min_years))
        credit = credit * years // FULL
    return credit


def _coverage(candidate: CandidateFacts, terms: OpportunityTerms, required: bool) -> int:
    asked = [term for term in terms.skills if term.required is required]
    weight = sum(term.weight for term in asked)
    if weight <= 0:
        return NEUTRAL
    return sum(term.weight * skill_credit(candidate, term) for term in asked) // weight


def _coverage_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names, required: bool) -> str:
    kind = "required" if required else "preferred"
    asked = [term for term in terms.skills if term.required is required]
    if not asked:
        return f"no {kind} skills are asked for"
    missing = [_skill(term, names) for term in asked if term.skill_id not in candidate.skills]
    short = [
        f"{_skill(term, names)} ({_shortfall(candidate, term)})"
        for term in asked
        if term.skill_id in candidate.skills and skill_credit(candidate, term) < FULL
    ]
    sentence = f"has {len(asked) - len(missing)} of {len(asked)} {kind} skill{'s' if len(asked) > 1 else ''}"
    if missing:
        sentence += f"; missing: {', '.join(missing)}"
    if short:
        sentence += f"; below what is asked: {', '.join(short)}"
    return sentence


def _skill(term: SkillTerm, names: Names) -> str:
    return names.get(term.skill_id, f"skill {term.skill_id}")


def _shortfall(candidate: CandidateFacts, term: SkillTerm) -> str:
    fact, parts = candidate.skills[term.skill_id], []
    if fact.level < term.min_level:
        parts.append(f"level {fact.level} of {term.min_level}")
    if term.min_years is not None and fact.years is None:
        parts.append("years unknown")
    elif term.min_years is not None and fact.years is not None and fact.years < term.min_years:
        parts.append(f"{plain(fact.years)} of {plain(term.min_years)} years")
    return ", ".join(parts) or "slightly short"


def required_skills(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return _coverage(candidate, terms, required=True)


def preferred_skills(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return _coverage(candidate, terms, required=False)


def _required_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    return _coverage_sentence(candidate, terms, names, required=True)


def _preferred_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    return _coverage_sentence(candidate, terms, names, required=False)


# --- experience, pay, hours


def experience(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Years of experience ÷ years asked."""
    if terms.years_experience is None or candidate.years_experience is None:
        return NEUTRAL
    return share(thousandths(candidate.years_experience), thousandths(terms.years_experience))


def _experience_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if terms.years_experience is None:
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
    shift = terms.utc_offset_minutes - candidate.utc_offset_minutes
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


def plain(number: Decimal) -> str:
    """A number for people: at most two decimals, no trailing zeros."""
    text = f"{number:.2f}"
    return text.rstrip("0").rstrip(".")


_DECLARED = (
    Feature(
        "required_skills",
        ALL_HEADS,
        "share of required skills, by weight, level and years",
        "a skill not listed counts as not had; nothing asked is neutral",
        required_skills,
        _required_sentence,
    ),
    Feature(
        "preferred_skills",
        ALL_HEADS,
        "share of preferred skills, by weight, level and years",
        "a skill not listed counts as not had; nothing asked is neutral",
        preferred_skills,
        _preferred_sentence,
    ),
    Feature("experience", ALL_HEADS, "share of the years asked", "neutral", experience, _experience_sentence),
    Feature("pay_fit", ALL_HEADS, "how near the pay comes to the rate asked", "neutral", pay_fit, _pay_sentence),
    Feature("hours_fit", ALL_HEADS, "share of the weekly hours asked", "neutral", hours_fit, _hours_sentence),
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
        ALL_HEADS,
        "whether they want this kind of commitment",
        "neutral",
        commitment_fit,
        _commitment_sentence,
    ),
)

FEATURES: Mapping[str, Feature] = MappingProxyType({feature.name: feature for feature in _DECLARED})


def feature_values(candidate: CandidateFacts, terms: OpportunityTerms) -> dict[str, int]:
    """Every declared feature of one pair, in order of declaration."""
    return {name: feature.value(candidate, terms) for name, feature in FEATURES.items()}
