"""The demo market's opportunities, drafted by their organisations' owners. Publishing is the evening's part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction

from accounts.core.actor import Actor
from accounts.models import Membership, Organisation
from marketplace.actions.adverts import draft_advert
from marketplace.actions.opportunities import draft_opportunity
from marketplace.actions.revisions import set_eligibility_rule
from marketplace.actions.terms import LocationInput, OpportunityFields, PayBandInput, SkillTermInput
from marketplace.demo.loading import Progress, missing_drafts
from marketplace.demo.market import DemoMarket, DemoOpportunity
from marketplace.demo.people import ORGANISATIONS
from marketplace.models import Occupation, Skill


def owner_of(organisation: Organisation) -> Actor:
    membership = organisation.memberships.filter(role=Membership.Role.OWNER).order_by("pk").first()
    return Actor(user_id=membership.user_id) if membership else Actor.system()


def demo_organisation() -> Organisation | None:
    """The first of the demo market, where adverts go that nobody else was named for."""
    return Organisation.objects.filter(name=ORGANISATIONS[0][0]).order_by("pk").first()


def load_drafts(market: DemoMarket, *, now: datetime, progress: Progress) -> int:
    missing = [market.opportunities[number] for number in missing_drafts(market)]
    organisations = {
        each.slug: each for each in Organisation.objects.filter(slug__in={job.organisation for job in missing})
    }
    owners = {slug: owner_of(organisation) for slug, organisation in organisations.items()}
    skills = dict(
        Skill.objects.filter(pk__in={term.skill for job in missing for term in job.terms}).values_list(
            "pk", "public_id"
        )
    )
    occupations = dict(
        Occupation.objects.filter(pk__in={job.occupation for job in missing}).values_list("pk", "public_id")
    )
    for count, job in enumerate(missing, 1):
        actor = owners[job.organisation]
        with transaction.atomic():
            opportunity = draft_opportunity(
                actor=actor,
                organisation_id=organisations[job.organisation].public_id,
                fields=_fields(job, skills, occupations),
                now=now,
            )
            if job.rule:
                set_eligibility_rule(actor=actor, opportunity_id=opportunity.public_id, rule=job.rule, now=now)
        progress("drafts", count)
    return len(missing)


def _fields(job: DemoOpportunity, skills: dict, occupations: dict) -> OpportunityFields:
    return OpportunityFields(
        title=job.title,
        description=job.description,
        occupation_id=occupations[job.occupation],
        commitment=job.commitment,
        arrangement=job.arrangement,
        weekly_hours=job.weekly_hours,
        years_experience=job.years_experience,
        timezone=job.town.timezone,
        seats=job.seats,
        pay_bands=[
            PayBandInput(band.minimum, band.maximum, band.currency, band.period, band.places) for band in job.bands
        ],
        locations=[LocationInput("allowed", country, region, city) for country, region, city in job.locations],
        skills=[
            SkillTermInput(skills[term.skill], required=term.required, weight=term.weight, min_level=term.min_level)
            for term in job.terms
        ],
    )


def load_adverts(paths: Sequence[Path], *, now: datetime, progress: Progress) -> int:
    organisation = demo_organisation()
    if organisation is None:
        return 0
    created = 0
    for count, path in enumerate(paths, 1):
        text = path.read_text(encoding="utf-8")
        created += draft_advert(
            actor=owner_of(organisation), organisation_id=organisation.public_id, text=text, now=now
        ).created
        progress("adverts", count)
    return created
