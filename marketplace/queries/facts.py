"""Gathering what deciding reads: facts of candidates and terms of opportunities, many at a time.

The number of SQL statements does not depend on how many are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from django.db.models import F
from django.utils import timezone

from marketplace.core.money import hourly_eur
from marketplace.models import ExchangeRateSet, Opportunity, OpportunityLocation, OpportunitySkill, PayBand
from marketplace.queries.gathering import gathered
from marketplace.queries.mentions import described_by
from marketplace.queries.near import kinship
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.record import RECORDED
from marketplace.queries.skills import survivors
from matching.core.attributes import ATTRIBUTES, SEVERAL
from matching.core.clock import utc_offset_minutes
from matching.core.facts import (
    EVERYTHING,
    HUNG,
    CandidateFacts,
    OpportunityTerms,
    Reading,
    SkillFact,
    SkillTerm,
    SomeSkills,
    VettingFact,
)
from matching.core.titles import title_words

__all__ = [
    "current_rate_set",
    "facts_of",
    "free_hours",
    "hourly_eur",
    "merged_skill_facts",
    "own_facts",
    "terms_of",
]


def facts_of(
    candidate_ids: Collection[int], *, on: date, rate_set: ExchangeRateSet | None, reading: Reading = EVERYTHING
) -> dict[int, CandidateFacts]:
    """Facts by candidate (inner ids) on a day, rates in EUR at a set's. Candidates that do not exist are left out.

    Of the facts that hang on a candidate those are gathered that are said to be read, which may take a third of the
    time; whoever reads another one gets `NotGathered`.
    """
    rows = gathered(candidate_ids, reading)
    rates = rates_of(rate_set)
    became: dict[int, int] = {}
    if rows and rows[0].merges:
        became = survivors({key for one in rows for key in (*(one.skill_ids or ()), *(one.mentioned or ()))})
    read = [(fact, made) for fact, made in _HUNG.items() if fact in reading.facts]
    found = {}
    for one in rows:
        facts = own_facts(one, on=on, rates=rates)
        facts.update([(fact, made(one, became, reading)) for fact, made in read])
        found[one.candidate_id] = CandidateFacts.of_some(one.candidate_id, facts)
    return found


def own_facts(row: Any, *, on: date, rates: Mapping[str, Decimal]) -> dict[str, Any]:
    """What a candidate's row, or a row of its history, says by itself, by fact.

    A declared attribute that neither hangs on it nor is computed here is the row's column of the same name.
    """
    rate = row.rate_amount
    found: dict[str, Any] = {
        "revision": row.revision,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "work_starts_minute": row.work_starts_minute,
        "work_ends_minute": row.work_ends_minute,
        "utc_offset_minutes": utc_offset_minutes(row.timezone, on),
        "hourly_rate": None if rate is None else hourly_eur(rate, row.rate_currency, row.rate_period, rates),
    }
    for fact, is_set in _OF_THE_ROW:
        value = getattr(row, fact)
        found[fact] = frozenset(value) if is_set else None if value == "" else value  # an empty text says nothing
    return found


_COMPUTED = HUNG | {"utc_offset_minutes", "hourly_rate"}
_OF_THE_ROW = tuple((one.fact, one.kind in SEVERAL) for one in ATTRIBUTES.values() if one.fact not in _COMPUTED)


def free_hours(wanted: int | None, taken: int | None) -> int | None:
    """Hours a week that are left of those wanted, where placements take some."""
    return None if wanted is None else max(wanted - (taken or 0), 0)


def _skills(one: Any, became: dict[int, int], reading: Reading) -> Mapping[int, SkillFact]:
    columns = (one.skill_ids or (), one.skill_levels or (), one.skill_years or (), one.skill_days or ())
    stated = [(pk, SkillFact(level, years, day)) for pk, level, years, day in sorted(zip(*columns, strict=True))]
    skills = merged_skill_facts(stated, became) if became else dict(stated)
    if reading.skills is None:
        return skills
    if one.merges:  # then all of them were gathered
        skills = {pk: fact for pk, fact in skills.items() if pk in reading.skills}
    return SomeSkills(skills, reading.skills)


def _mentioned_skills(one: Any, became: dict[int, int], reading: Reading) -> frozenset[int]:
    mentioned, declared = (frozenset(became.get(pk, pk) for pk in ids or ()) for ids in (one.mentioned, one.skill_ids))
    return mentioned - declared


def _vetting(one: Any, *_: object) -> dict[str, VettingFact]:
    results = map(VettingFact, one.checks_passed or (), one.check_days or ())
    return dict(zip(one.checks or (), results, strict=True))


def _recorded(fact: str) -> _Made:
    return lambda one, *_: getattr(one, fact) or 0


_Made: TypeAlias = Callable[[Any, dict[int, int], Reading], Any]
"""A fact of what was gathered of a candidate, of what merged skills became, and of what is read."""

_HUNG: Mapping[str, _Made] = {
    "skills": _skills,
    "languages": lambda one, *_: dict(zip(one.languages or (), one.language_levels or (), strict=True)),
    "work_authorisations": lambda one, *_: dict(zip(one.countries or (), one.country_days or (), strict=True)),
    "free_hours": lambda one, *_: free_hours(one.weekly_hours, one.hours_taken),
    "groups": lambda one, *_: frozenset(one.groups or ()),
    "vetting": _vetting,
    "title_words": lambda one, *_: title_words([one.headline, *(one.titles or ())]),
    "occupations": lambda one, *_: frozenset((*(one.occupations or ()), *(one.titled or ()))) - {None},
    "mentioned_skills": _mentioned_skills,
    **{fact: _recorded(fact) for fact in RECORDED},
    "worked_for": lambda one, *_: frozenset(one.worked_for or ()),
    "last_active_on": lambda one, *_: one.last_active_on,
}


def terms_of(
    opportunity_ids: Collection[int], *, rate_set: ExchangeRateSet | None, on: date | None = None
) -> dict[int, OpportunityTerms]:
    """Terms by opportunity (inner ids). `on` is the day on which facts are judged, and whose clock counts for the
    offset from UTC: today if None."""
    ids = list(opportunity_ids)
    on = on or timezone.now().date()
    rates = rates_of(rate_set)
    rows = list(OpportunitySkill.objects.filter(opportunity_id__in=ids).order_by("opportunity_id", "skill_id"))
    described = described_by(ids)
    became = survivors({*(row.skill_id for row in rows), *(key for found in described.values() for key in found)})
    kin = kinship()
    skills: dict[int, dict[int, SkillTerm]] = defaultdict(dict)
    for row in rows:
        skill_id = became.get(row.skill_id, row.skill_id)
        term = SkillTerm(skill_id, row.required, row.weight, row.min_level, row.min_years, kin.near(skill_id))
        known = skills[row.opportunity_id].get(skill_id)
        skills[row.opportunity_id][skill_id] = _stricter(known, term) if known else term
    places: dict[tuple[int, str], set[str]] = defaultdict(set)
    for opportunity_id, kind, country, region in OpportunityLocation.objects.filter(opportunity_id__in=ids).values_list(
        "opportunity_id", "kind", "country", "region"
    ):
        places[opportunity_id, kind].add(region or country)
    pay: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for band in PayBand.objects.filter(opportunity_id__in=ids):
        low = hourly_eur(band.minimum, band.currency, band.period, rates)
        high = hourly_eur(band.maximum, band.currency, band.period, rates)
        if low is not None and high is not None:
            pay[band.opportunity_id].append((low, high))
    return {
        opportunity.pk: OpportunityTerms(
            opportunity_id=opportunity.pk,
            revision=opportunity.current_revision.number if opportunity.current_revision else 0,
            commitment=opportunity.commitment or None,
            arrangement=opportunity.arrangement or None,
            weekly_hours=opportunity.weekly_hours,
            years_experience=opportunity.years_experience,
            starts_on=opportunity.starts_on,
            utc_offset_minutes=utc_offset_minutes(opportunity.timezone, on),
            allowed_places=frozenset(places.get((opportunity.pk, OpportunityLocation.Kind.ALLOWED), ())),
            excluded_places=frozenset(places.get((opportunity.pk, OpportunityLocation.Kind.EXCLUDED), ())),
            min_hourly_pay=min((low for low, _ in pay.get(opportunity.pk, ())), default=None),
            max_hourly_pay=max((high for _, high in pay.get(opportunity.pk, ())), default=None),
            skills=tuple(skills[opportunity.pk][skill_id] for skill_id in sorted(skills.get(opportunity.pk, ()))),
            on=on,
            title_words=title_words((opportunity.title,)),
            occupation=opportunity.occupation_id or _only(opportunity.titled),
            described_skills=frozenset(became.get(key, key) for key in described.get(opportunity.pk, ())).difference(
                skills.get(opportunity.pk, ())
            ),
            organisations=frozenset({opportunity.posting_organisation_id, opportunity.hiring_organisation_id}),
        )
        for opportunity in Opportunity.objects.filter(pk__in=ids)
        .select_related("current_revision")
        .annotate(titled=F("mentions__occupation_ids"))
    }


def _only(occupation_ids: list[int] | None) -> int | None:
    """The occupation that a title names, where it names one alone."""
    return occupation_ids[0] if occupation_ids and len(occupation_ids) == 1 else None


def merged_skill_facts(facts: Iterable[tuple[int, SkillFact]], became: dict[int, int]) -> dict[int, SkillFact]:
    """Facts by unmerged skill, ascending. Of two that have become one, the best of each part counts."""
    merged: dict[int, SkillFact] = {}
    for stated, fact in facts:
        skill_id = became.get(stated, stated)
        other = merged.get(skill_id)
        if other is None:
            merged[skill_id] = fact
        else:
            merged[skill_id] = SkillFact(
                level=max(fact.level, other.level),
                years=max((years for years in (fact.years, other.years) if years is not None), default=None),
                last_used_on=max(
                    (on for on in (fact.last_used_on, other.last_used_on) if on is not None), default=None
                ),
            )
    return dict(sorted(merged.items()))


def _stricter(one: SkillTerm, other: SkillTerm) -> SkillTerm:
    years = [term.min_years for term in (one, other) if term.min_years is not None]
    return replace(
        one,
        required=one.required or other.required,
        weight=max(one.weight, other.weight),
        min_level=max(one.min_level, other.min_level),
        min_years=max(years, default=None),
    )
