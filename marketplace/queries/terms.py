"""The terms of an opportunity as a revision keeps them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.models import Opportunity

Terms = dict[str, Any]


def snapshot(opportunity: Opportunity) -> Terms:
    """All that candidates agree to, as JSON: equal terms give equal JSON. Amounts are decimal texts."""
    return {
        "title": opportunity.title,
        "description": opportunity.description,
        "hiringOrganisation": opportunity.hiring_organisation_id,
        "occupation": opportunity.occupation_id,
        "commitment": opportunity.commitment,
        "arrangement": opportunity.arrangement,
        "weeklyHours": opportunity.weekly_hours,
        "yearsExperience": _text(opportunity.years_experience),
        "timezone": opportunity.timezone,
        "startsOn": _text(opportunity.starts_on),
        "endsOn": _text(opportunity.ends_on),
        "referralReward": {
            "amount": _text(opportunity.referral_reward_amount),
            "currency": opportunity.referral_reward_currency,
        }
        if opportunity.referral_reward_amount is not None
        else None,
        "pay": [
            {
                "minimum": _text(band.minimum),
                "maximum": _text(band.maximum),
                "currency": band.currency,
                "period": band.period,
                "places": sorted(place.place for place in band.places.all()),
            }
            for band in opportunity.pay_bands.prefetch_related("places").order_by("id")
        ],
        "locations": [
            {"kind": location.kind, "country": location.country, "region": location.region, "city": location.city}
            for location in opportunity.locations.order_by("id")
        ],
        "skills": [
            {
                "skill": term.skill_id,
                "required": term.required,
                "weight": term.weight,
                "minLevel": term.min_level,
                "minYears": _text(term.min_years),
            }
            for term in opportunity.skill_terms.order_by("skill_id")
        ],
        "questions": [
            {
                "key": question.key,
                "prompt": question.prompt,
                "kind": question.kind,
                "choices": list(question.choices),
                "required": question.required,
            }
            for question in opportunity.questions.order_by("position", "id")
        ],
    }


def _text(value: Decimal | date | None) -> str | None:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")  # 20.000 and 20 are the same pay
    return None if value is None else value.isoformat()
