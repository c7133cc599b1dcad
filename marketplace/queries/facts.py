"""Gathering what deciding reads: facts of candidates and terms of opportunities, many at a time.

The number of SQL statements does not depend on how many are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.db.models import F
from django.utils import timezone

from marketplace.core.money import hourly_eur
from marketplace.models import ExchangeRateSet, Opportunity, OpportunityLocation, OpportunitySkill, PayBand
from marketplace.queries.gathering import Gathered, Lists, gathered
from marketplace.queries.mentions import described_by
from marketplace.queries.near import kinship
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.skills import survivors
from matching.core.attributes import ATTRIBUTES, SEVERAL
from matching.core.clock import utc_offset_minutes
from matching.core.facts import (
    EVERYTHING,
    HUNG,
    UNGATHERED,
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
    "assemble",
    "current_rate_set",
    "facts_of",
    "hourly_eur",
    "merged_skill_facts",
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
        became = survivors(
            {key for one in rows for key in (*(one.lists.skill_ids or ()), *(one.lists.mentioned or ()))}
        )
    left_out = dict.fromkeys(HUNG - reading.facts, UNGATHERED)
    return {one.candidate_id: _facts(one, on, rates, became, reading, left_out) for one in rows}


def _facts(
    one: Gathered,
    on: date,
    rates: Mapping[str, Decimal],
    became: dict[int, int],
    reading: Reading,
    left_out: Mapping[str, Any],
) -> CandidateFacts:
    lists = one.lists
    skills = _skills(lists, became)
    hung: dict[str, Any] = {
        "skills": skills if reading.skills is None else SomeSkills(skills, reading.skills),
        "hours_taken": lists.hours_taken or 0,
        "languages": dict(zip(lists.languages or (), lists.language_levels or (), strict=True)),
        "work_authorisations": dict(zip(lists.countries or (), lists.country_days or (), strict=True)),
        "groups": frozenset(lists.groups or ()),
        "vetting": dict(
            zip(lists.checks or (), map(VettingFact, lists.checks_passed or (), lists.check_days or ()), strict=True)
        ),
    }
    scored: dict[str, Any] = {}
    if "title_words" in reading.facts:
        scored["title_words"] = title_words([one.row.headline, *(lists.titles or ())])
    if "occupations" in reading.facts:
        scored["occupations"] = frozenset((*(lists.occupations or ()), *(lists.titled or ()))) - {None}
    if "mentioned_skills" in reading.facts:
        mentioned = frozenset(became.get(key, key) for key in lists.mentioned or ())
        scored["mentioned_skills"] = mentioned.difference(skills)
    if one.record is not None:
        scored |= one.record | {"worked_for": frozenset(one.record["worked_for"] or ())}
    return assemble(one.row, one.candidate_id, on=on, rates=rates, **hung, scored={**scored, **left_out})


def _skills(lists: Lists, became: dict[int, int]) -> dict[int, SkillFact]:
    if lists.skill_ids is None:
        return {}
    columns = (lists.skill_ids, lists.skill_levels or (), lists.skill_years or (), lists.skill_days or ())
    stated = [(pk, SkillFact(level, years, day)) for pk, level, years, day in sorted(zip(*columns, strict=True))]
    return merged_skill_facts(stated, became) if became else dict(stated)


def assemble(
    row: Any,
    candidate_id: int,
    *,
    on: date,
    rates: Mapping[str, Decimal],
    languages: Mapping[str, int],
    work_authorisations: Mapping[str, date | None],
    skills: Mapping[int, SkillFact],
    groups: frozenset[int],
    vetting: Mapping[str, VettingFact],
    hours_taken: int,
    scored: Mapping[str, Any] = MappingProxyType({}),
) -> CandidateFacts:
    """Facts from a candidate's row, or from a row of its history, and what hangs on it.

    A declared attribute that is not computed or gathered here is the row's column of the same name. `scored` are the
    facts that only scoring reads, and any that are to stand in the place of others.
    """
    wanted, rate = row.weekly_hours, row.rate_amount
    found: dict[str, Any] = {
        "revision": row.revision,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "work_starts_minute": row.work_starts_minute,
        "work_ends_minute": row.work_ends_minute,
        "utc_offset_minutes": utc_offset_minutes(row.timezone, on),
        "free_hours": None if wanted is None else max(wanted - hours_taken, 0),
        "hourly_rate": None if rate is None else hourly_eur(rate, row.rate_currency, row.rate_period, rates),
        "languages": languages,
        "work_authorisations": work_authorisations,
        "skills": skills,
        "groups": groups,
        "vetting": vetting,
    }
    for fact, is_set in _OF_THE_ROW:
        value = getattr(row, fact)
        found[fact] = frozenset(value) if is_set else None if value == "" else value  # an empty text says nothing
    found.update(scored)
    return CandidateFacts(candidate_id, **found)


_COMPUTED = frozenset({"utc_offset_minutes", "free_hours", "hourly_rate", "groups"})
_OF_THE_ROW = tuple((one.fact, one.kind in SEVERAL) for one in ATTRIBUTES.values() if one.fact not in _COMPUTED)


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
