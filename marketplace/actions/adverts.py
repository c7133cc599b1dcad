"""A job advert becomes a draft that a recruiter completes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.core.actor import Actor
from marketplace.actions.opportunities import draft_opportunity
from marketplace.actions.terms import LocationInput, OpportunityFields, PayBandInput, SkillTermInput
from marketplace.core.advert import ReadAdvert, read_advert
from marketplace.core.money import Money
from marketplace.models import Opportunity, Skill
from marketplace.queries.taxonomy import recogniser

MOST_SKILLS = 100
REQUIRED_WEIGHT, PREFERRED_WEIGHT = 3, 1


class DraftedAdvert(NamedTuple):
    opportunity: Opportunity
    advert: ReadAdvert
    created: bool  # False where the organisation has a draft of this very advert already


def advert_fields(advert: ReadAdvert) -> OpportunityFields:
    """What was read, as an opportunity takes it; what was not stays empty."""
    keys = [*advert.required, *advert.preferred][:MOST_SKILLS]
    public_ids = dict(Skill.objects.filter(pk__in=keys).values_list("pk", "public_id"))
    required = set(advert.required)
    return OpportunityFields(
        title=advert.title or "Untitled advert",
        description=advert.description,
        arrangement=advert.arrangement or None,
        commitment=advert.commitment or None,
        weekly_hours=advert.weekly_hours,
        years_experience=advert.years_experience,
        referral_reward=Money(*advert.referral_reward) if advert.referral_reward else None,
        seats=1,
        pay_bands=[
            PayBandInput(pay.minimum, pay.maximum, pay.currency, pay.period, [place.code for place in pay.places])
            for pay in advert.pay
        ],
        locations=[LocationInput("allowed", place.country, place.region, place.city) for place in advert.locations],
        skills=[
            SkillTermInput(
                public_ids[key],
                required=key in required,
                weight=REQUIRED_WEIGHT if key in required else PREFERRED_WEIGHT,
            )
            for key in keys
        ],
    )


def draft_advert(*, actor: Actor, organisation_id: UUID, text: str, now: datetime) -> DraftedAdvert:
    """Read an advert's text against the taxonomy and draft the opportunity; the same text is drafted once.

    Raises what drafting raises: InvalidInput, NotFound, NotPermitted.
    """
    advert = read_advert(text, recogniser())
    fields = advert_fields(advert)
    with transaction.atomic():
        there = Opportunity.objects.filter(
            posting_organisation__public_id=organisation_id, title=fields.title, description=advert.description
        ).first()
        if there is not None:
            return DraftedAdvert(there, advert, created=False)
        opportunity = draft_opportunity(actor=actor, organisation_id=organisation_id, fields=fields, now=now)
    return DraftedAdvert(opportunity, advert, created=True)
