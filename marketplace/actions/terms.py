"""What an opportunity says: its fields as they are handed in, checked, and written to their rows.

Everything here runs in the transaction of `marketplace.actions.opportunities`, under the opportunity's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.validators import slug_re

from accounts.access import access_organisation
from accounts.core.actor import Actor
from accounts.core.text import clean_line, clean_text
from accounts.core.unset import UNSET, Unset
from accounts.errors import InvalidInput
from accounts.models import Membership
from marketplace.actions import checks
from marketplace.core.codes import check_country, check_currency, check_place, check_region, check_timezone
from marketplace.core.money import Money, check_amount, check_money, check_period
from marketplace.models import (
    Occupation,
    Opportunity,
    OpportunityLocation,
    OpportunityMember,
    OpportunitySkill,
    PayBand,
    PayBandPlace,
    ScreeningQuestion,
    Skill,
)
from marketplace.models.candidate import Commitment

MOST_ROWS = 100
RESERVED_KEYS = frozenset({"facts"})
"""Keys that no screening question may have: answers use them for something else."""


@dataclass(frozen=True, slots=True)
class PayBandInput:
    """`places` are ISO 3166-1 or 3166-2 codes; none: everywhere that no other band names."""

    minimum: Decimal
    maximum: Decimal
    currency: str
    period: str
    places: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LocationInput:
    kind: str  # allowed, excluded
    country: str
    region: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class SkillTermInput:
    skill_id: UUID
    required: bool = True
    weight: int = 1  # 1–10
    min_level: int = 1  # 1–5
    min_years: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QuestionInput:
    key: str
    prompt: str
    kind: str = "text"  # text, yes_no, number, choice
    choices: Sequence[str] = field(default_factory=tuple)
    required: bool = True


@dataclass(frozen=True, slots=True)
class LeadInput:
    """Who looks after the opportunity: a member of its organisation, by e-mail address."""

    email: str
    public_title: str = ""
    public_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityFields:
    """Lists replace what was there; None clears."""

    title: str | Unset = UNSET
    description: str | Unset | None = UNSET
    hiring_organisation_id: UUID | Unset | None = UNSET
    occupation_id: UUID | Unset | None = UNSET
    commitment: str | Unset | None = UNSET
    arrangement: str | Unset | None = UNSET
    visibility: str | Unset = UNSET
    weekly_hours: int | Unset | None = UNSET
    years_experience: Decimal | Unset | None = UNSET
    timezone: str | Unset | None = UNSET
    starts_on: date | Unset | None = UNSET
    ends_on: date | Unset | None = UNSET
    opens_at: datetime | Unset | None = UNSET
    closes_at: datetime | Unset | None = UNSET
    referral_reward: Money | Unset | None = UNSET
    replaces_ended_placements: bool | Unset = UNSET
    seats: int | Unset = UNSET  # of a draft; later they are changed by an action of their own
    pay_bands: Sequence[PayBandInput] | Unset | None = UNSET
    locations: Sequence[LocationInput] | Unset | None = UNSET
    skills: Sequence[SkillTermInput] | Unset | None = UNSET
    questions: Sequence[QuestionInput] | Unset | None = UNSET
    lead: LeadInput | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class CheckedFields:
    columns: dict[str, Any]
    rows: dict[str, Any]

    def write_columns(self, opportunity: Opportunity) -> list[str]:
        """Set what differs; the names of what does. The caller saves."""
        changed = [name for name, value in self.columns.items() if getattr(opportunity, name) != value]
        for name in changed:
            setattr(opportunity, name, self.columns[name])
        return changed

    def write_rows(self, opportunity: Opportunity) -> list[str]:
        """Replace the lists that differ; their names."""
        return [name for name, values in self.rows.items() if _WRITE[name](opportunity, values)]


def check_fields(given: OpportunityFields, opportunity: Opportunity, *, actor: Actor) -> CheckedFields:
    """Clean what is given, without writing. Raises InvalidInput, NotFound, NotPermitted."""
    columns: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for one in fields(given):
        value = getattr(given, one.name)
        if value is UNSET or one.name == "seats":
            continue
        if one.name in _COLUMNS:
            columns[one.name] = _COLUMNS[one.name](value)
        elif one.name == "referral_reward":
            columns |= _reward(value)
        elif one.name == "hiring_organisation_id":
            # One posts for an organisation that one belongs to, not in the name of strangers.
            hiring = access_organisation(actor, value) if value is not None else opportunity.posting_organisation
            columns[one.name] = hiring.pk
        elif one.name == "occupation_id":
            keys = checks.primary_keys(Occupation, [value], kind="occupation") if value is not None else {}
            columns[one.name] = keys.get(value)
        elif one.name == "lead":
            rows["lead"] = _lead(value, opportunity)
        else:
            rows[one.name] = _ROWS[one.name](value)
    _check_order(columns, opportunity, "starts_on", "ends_on", "endsOn", may_equal=True)
    _check_order(columns, opportunity, "opens_at", "closes_at", "closesAt", may_equal=False)
    return CheckedFields(columns, rows)


def _check_order(
    columns: dict[str, Any], opportunity: Opportunity, first: str, last: str, field: str, *, may_equal: bool
) -> None:
    low, high = (columns.get(name, getattr(opportunity, name)) for name in (first, last))
    if low is not None and high is not None and (high < low or (high == low and not may_equal)):
        raise InvalidInput(field, "must be later than the start" if not may_equal else "must not be before the start")


# Columns


def _text(value: Any) -> Any:
    return "" if value is None else value


def _choice(name: str, among: Sequence[str]) -> Callable[[Any], str]:
    return lambda value: "" if value in (None, "") else checks.choice(value, field=name, among=among)


def _optional(check: Callable[..., Any], name: str, **bounds: Any) -> Callable[[Any], Any]:
    return lambda value: None if value is None else check(value, field=name, **bounds)


_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "title": lambda value: clean_line(value, field="title", max_length=200),
    "description": lambda value: clean_text(_text(value), field="description", max_length=20_000),
    "commitment": _choice("commitment", Commitment.values),
    "arrangement": _choice("arrangement", Opportunity.Arrangement.values),
    "visibility": lambda value: checks.choice(value, field="visibility", among=Opportunity.Visibility.values),
    "weekly_hours": _optional(checks.whole, "weeklyHours", low=1, high=168),
    "years_experience": _optional(checks.decimal, "yearsExperience", low=0, high=80),
    "timezone": lambda value: "" if value in (None, "") else check_timezone(value, field="timezone"),
    "starts_on": _optional(checks.day, "startsOn"),
    "ends_on": _optional(checks.day, "endsOn"),
    "opens_at": _optional(checks.instant, "opensAt"),
    "closes_at": _optional(checks.instant, "closesAt"),
    "replaces_ended_placements": lambda value: checks.flag(value, field="replacesEndedPlacements"),
}


def _reward(reward: Money | None) -> dict[str, Any]:
    if reward is None:
        return {"referral_reward_amount": None, "referral_reward_currency": ""}
    reward = check_money(reward, field="referralReward")
    return {"referral_reward_amount": reward.amount, "referral_reward_currency": reward.currency}


# Lists of rows, as plain values that can be compared with what is there


def _pay_bands(value: Sequence[PayBandInput] | None) -> list[dict[str, Any]]:
    bands: list[dict[str, Any]] = []
    taken: set[str] = set()
    for at, band in enumerate(checks.several(value, field="payBands", at_most=MOST_ROWS)):
        path = f"payBands[{at}]"
        minimum = check_amount(band.minimum, field=f"{path}.minimum")
        maximum = check_amount(band.maximum, field=f"{path}.maximum")
        if minimum > maximum:
            raise InvalidInput(f"{path}.minimum", "must not be above the maximum")
        given = checks.several(band.places, field=f"{path}.places", at_most=300)
        places = sorted({check_place(place, field=f"{path}.places") for place in given} or {""})
        twice = sorted(taken.intersection(places))
        if twice:
            raise InvalidInput(f"{path}.places", f"{twice[0] or 'everywhere else'} has a pay band already")
        taken.update(places)
        bands.append(
            {
                "minimum": minimum,
                "maximum": maximum,
                "currency": check_currency(band.currency, field=f"{path}.currency"),
                "period": check_period(band.period, field=f"{path}.period"),
                "places": places,
            }
        )
    return bands


def _locations(value: Sequence[LocationInput] | None) -> list[dict[str, Any]]:
    locations: list[dict[str, Any]] = []
    for at, one in enumerate(checks.several(value, field="locations", at_most=MOST_ROWS)):
        path = f"locations[{at}]"
        country = check_country(one.country, field=f"{path}.country")
        locations.append(
            {
                "kind": checks.choice(one.kind, field=f"{path}.kind", among=OpportunityLocation.Kind.values),
                "country": country,
                "region": check_region(one.region, field=f"{path}.region", country=country) if one.region else "",
                "city": clean_line(_text(one.city), field=f"{path}.city", max_length=100, required=False),
            }
        )
    checks.once_each([(one["country"], one["region"], one["city"]) for one in locations], field="locations")
    return locations


def _skills(value: Sequence[SkillTermInput] | None) -> list[dict[str, Any]]:
    given = checks.several(value, field="skills", at_most=MOST_ROWS)
    keys = checks.primary_keys(Skill, [term.skill_id for term in given], kind="skill")
    checks.once_each([term.skill_id for term in given], field="skills")
    return [
        {
            "skill_id": keys[term.skill_id],
            "required": checks.flag(term.required, field=f"skills[{at}].required"),
            "weight": checks.whole(term.weight, field=f"skills[{at}].weight", low=1, high=10),
            "min_level": checks.whole(term.min_level, field=f"skills[{at}].minLevel", low=1, high=5),
            "min_years": _optional(checks.decimal, f"skills[{at}].minYears", low=0, high=80)(term.min_years),
        }
        for at, term in enumerate(given)
    ]


def _questions(value: Sequence[QuestionInput] | None) -> list[dict[str, Any]]:
    questions: list[dict[str, Any]] = []
    for at, one in enumerate(checks.several(value, field="questions", at_most=50)):
        path = f"questions[{at}]"
        key = clean_line(one.key, field=f"{path}.key", max_length=40)
        if not slug_re.match(key) or key in RESERVED_KEYS:
            raise InvalidInput(f"{path}.key", "must be letters, digits, - and _, and not 'facts'")
        kind = checks.choice(one.kind, field=f"{path}.kind", among=ScreeningQuestion.Kind.values)
        choices = [
            clean_line(choice, field=f"{path}.choices", max_length=100)
            for choice in checks.several(one.choices, field=f"{path}.choices", at_most=50)
        ]
        checks.once_each(choices, field=f"{path}.choices")
        if (kind == ScreeningQuestion.Kind.CHOICE) is not bool(choices):
            raise InvalidInput(f"{path}.choices", "belong to a question of kind choice, and to no other")
        questions.append(
            {
                "key": key,
                "prompt": clean_line(one.prompt, field=f"{path}.prompt", max_length=300),
                "kind": kind,
                "choices": choices,
                "required": checks.flag(one.required, field=f"{path}.required"),
                "position": at,
            }
        )
    checks.once_each([one["key"] for one in questions], field="questions")
    return questions


_ROWS: dict[str, Callable[[Any], Any]] = {
    "pay_bands": _pay_bands,
    "locations": _locations,
    "skills": _skills,
    "questions": _questions,
}


def _lead(lead: LeadInput | None, opportunity: Opportunity) -> dict[str, Any] | None:
    if lead is None:
        return None
    email = clean_line(lead.email, field="lead.email", max_length=254)
    membership = Membership.objects.filter(
        organisation_id=opportunity.posting_organisation_id, user__email=email, user__is_service=False
    ).first()
    if membership is None:
        raise InvalidInput("lead.email", "is nobody of this organisation")
    return {
        "user_id": membership.user_id,
        "public_title": clean_line(_text(lead.public_title), field="lead.publicTitle", max_length=100, required=False),
        "public_link": checks.web_address(_text(lead.public_link), field="lead.publicLink"),
    }


# Writing rows. Each says whether anything changed.


def _write_pay_bands(opportunity: Opportunity, wanted: list[dict[str, Any]]) -> bool:
    before = [
        {
            "minimum": band.minimum,
            "maximum": band.maximum,
            "currency": band.currency,
            "period": band.period,
            "places": sorted(place.place for place in band.places.all()),
        }
        for band in opportunity.pay_bands.prefetch_related("places").order_by("pk")
    ]
    if before == wanted:
        return False
    opportunity.pay_bands.all().delete()
    for one in wanted:
        places = one["places"]
        band = PayBand.objects.create(
            opportunity=opportunity, **{name: value for name, value in one.items() if name != "places"}
        )
        PayBandPlace.objects.bulk_create(
            [PayBandPlace(band=band, opportunity=opportunity, place=place) for place in places]
        )
    return True


def _write_list(model: Any) -> Callable[[Opportunity, list[dict[str, Any]]], bool]:
    def write(opportunity: Opportunity, wanted: list[dict[str, Any]]) -> bool:
        rows = model.objects.filter(opportunity=opportunity)
        before = list(rows.order_by("pk").values(*wanted[0])) if wanted else []
        if before == wanted and (wanted or not rows.exists()):
            return False
        rows.delete()
        model.objects.bulk_create([model(opportunity=opportunity, **one) for one in wanted])
        return True

    return write


def _write_lead(opportunity: Opportunity, wanted: dict[str, Any] | None) -> bool:
    leads = opportunity.members.filter(role=OpportunityMember.Role.LEAD)
    before = leads.values("user_id", "public_title", "public_link").first()
    if before == wanted:
        return False
    leads.delete()
    if wanted is not None:
        columns = {name: value for name, value in wanted.items() if name != "user_id"}
        opportunity.members.update_or_create(
            user_id=wanted["user_id"], defaults={"role": OpportunityMember.Role.LEAD, **columns}
        )
    return True


_WRITE: dict[str, Callable[[Opportunity, Any], bool]] = {
    "pay_bands": _write_pay_bands,
    "locations": _write_list(OpportunityLocation),
    "skills": _write_list(OpportunitySkill),
    "questions": _write_list(ScreeningQuestion),
    "lead": _write_lead,
}
