"""Opportunities as search sees them: gathered from the tables, written to the projection, read back from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from marketplace.core.codes import place_name
from marketplace.core.folding import fold
from marketplace.core.money import yearly_eur_cents
from marketplace.models import (
    ExchangeRateSet,
    Opportunity,
    OpportunityLocation,
    OpportunityRevision,
    OpportunitySkill,
    PayBand,
    Skill,
)
from marketplace.queries.rates import rates_of
from marketplace.queries.skills import broader_skills, survivors
from matching.core.attributes import SEVERAL
from matching.core.facts import OpportunityFacts
from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from matching.core.search.filters import ANYWHERE
from matching.core.search.query import OPENINGS, SearchText
from matching.core.search.search import NO_END, Opening
from matching.core.search.vectors import head_vector, text_from, word_vector
from matching.core.search.words import searched_words
from matching.models import OpportunityProjection

T = TypeVar("T")

MOST_CENTS = 2**62  # what the columns hold, and then some: nobody is paid that


def openings_of(opportunity_ids: Collection[int], *, rate_set: ExchangeRateSet | None) -> dict[int, Opening]:
    """By inner id; those that do not exist are left out. The number of statements does not depend on how many."""
    rows = Opportunity.objects.filter(pk__in=opportunity_ids).select_related(
        "posting_organisation", "hiring_organisation"
    )
    skills = _skills(opportunity_ids)
    locations = OpportunityLocation.objects.filter(opportunity_id__in=opportunity_ids).order_by("id")
    places = _places(locations.values_list("opportunity_id", "kind", "country", "region", "city"))
    return _openings(rows, skills, places, _bands(opportunity_ids), rate_set)


def stated_facts(opportunity_ids: Collection[int]) -> dict[int, OpportunityFacts]:
    """What predicates over opportunities may ask, by inner id, without the texts that only searching needs. The number
    of statements does not depend on how many."""
    skills = _skills(opportunity_ids)
    broader = broader_skills({skill_id for ids in skills.values() for skill_id in ids})
    locations = OpportunityLocation.objects.filter(opportunity_id__in=opportunity_ids).order_by("id")
    places = _places(locations.values_list("opportunity_id", "kind", "country", "region", "city"))
    rows = Opportunity.objects.filter(pk__in=opportunity_ids).defer("description")
    return {row.pk: _facts(row, skills.get(row.pk, set()), broader, places.codes) for row in rows}


def opening_under(revision: OpportunityRevision, *, rate_set: ExchangeRateSet | None) -> Opening:
    """An opportunity as it would be found if one of its revisions held, in all that revisions tell."""
    now, terms = revision.opportunity, revision.terms
    row = Opportunity(
        pk=now.pk,
        posting_organisation=now.posting_organisation,
        hiring_organisation_id=terms["hiringOrganisation"],
        title=terms["title"],
        description=terms["description"],
        commitment=terms["commitment"],
        arrangement=terms["arrangement"],
        weekly_hours=terms["weeklyHours"],
        years_experience=_parsed(Decimal, terms["yearsExperience"]),
        starts_on=_parsed(date.fromisoformat, terms["startsOn"]),
        ends_on=_parsed(date.fromisoformat, terms["endsOn"]),
        state=now.state,
        visibility=now.visibility,
        published_at=now.published_at,
        created_at=now.created_at,
        closes_at=now.closes_at,
    )
    skills = _current((now.pk, skill["skill"]) for skill in terms["skills"])
    locations = terms["locations"]
    places = _places((now.pk, one["kind"], one["country"], one["region"], one["city"]) for one in locations)
    ends = [(Decimal(one["minimum"]), Decimal(one["maximum"]), one) for one in terms["pay"]]
    bands = [
        PayBand(minimum=low, maximum=high, currency=one["currency"], period=one["period"]) for low, high, one in ends
    ]
    return _openings([row], skills, places, {now.pk: bands}, rate_set)[now.pk]


def _parsed(read: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else read(text)


def _openings(
    rows: Iterable[Opportunity],
    skills: Mapping[int, set[int]],
    places: _Places,
    bands: Mapping[int, Collection[PayBand]],
    rate_set: ExchangeRateSet | None,
) -> dict[int, Opening]:
    asked = {skill_id for ids in skills.values() for skill_id in ids}
    named = dict(Skill.objects.filter(pk__in=asked).values_list("pk", "name"))
    broader = broader_skills(asked)
    rates = rates_of(rate_set)
    return {
        row.pk: _opening(
            row,
            skills.get(row.pk, set()),
            named,
            broader,
            places.codes,
            searched_words([row.description, *places.names.get(row.pk, ())]),
            _pay(row, bands.get(row.pk, ()), rates),
        )
        for row in rows
    }


def _skills(opportunity_ids: Collection[int]) -> dict[int, set[int]]:
    terms = OpportunitySkill.objects.filter(opportunity_id__in=opportunity_ids)
    return _current(terms.values_list("opportunity_id", "skill_id"))


def _current(asked: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Skills by opportunity, merges followed."""
    rows = list(asked)
    became = survivors(skill_id for _, skill_id in rows)
    found: dict[int, set[int]] = defaultdict(set)
    for opportunity_id, skill_id in rows:
        found[opportunity_id].add(became.get(skill_id, skill_id))
    return found


class _Places(NamedTuple):
    """By opportunity and kind, as `OpportunityFacts` tells them; and by opportunity what those are called where it is
    offered."""

    codes: dict[tuple[int, str], set[str]]
    names: dict[int, list[str]]


def _places(locations: Iterable[tuple[int, str, str, str, str]]) -> _Places:
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    names: dict[int, list[str]] = defaultdict(list)
    for pk, kind, country, region, city in locations:
        if kind == OpportunityLocation.Kind.EXCLUDED:
            found[pk, kind].add(region or country)
        else:
            found[pk, kind] |= {country, region or f"{country}-*"}
            names[pk] += [city, place_name(region), place_name(country)]
    return _Places(found, names)


def _bands(opportunity_ids: Collection[int]) -> dict[int, list[PayBand]]:
    found: dict[int, list[PayBand]] = defaultdict(list)
    for band in PayBand.objects.filter(opportunity_id__in=opportunity_ids).order_by("id"):
        found[band.opportunity_id].append(band)
    return found


def _pay(row: Opportunity, bands: Collection[PayBand], rates: Any) -> tuple[tuple[int, int], ...]:
    def yearly(band: PayBand, amount: Decimal) -> int | None:
        cents = yearly_eur_cents(amount, band.currency, band.period, row.weekly_hours, rates)
        return None if cents is None else min(cents, MOST_CENTS)

    figures = [(yearly(band, band.minimum), yearly(band, band.maximum)) for band in bands]
    return tuple((least, most) for least, most in figures if least is not None and most is not None)


def _opening(
    row: Opportunity,
    skills: set[int],
    named: dict[int, str],
    broader: dict[int, tuple[int, ...]],
    places: dict[tuple[int, str], set[str]],
    body: frozenset[str],
    pay: tuple[tuple[int, int], ...],
) -> Opening:
    organisations = {row.posting_organisation_id: row.posting_organisation.name}
    organisations[row.hiring_organisation_id] = row.hiring_organisation.name
    fields = {
        "title": searched_words([row.title]),
        "skills": searched_words(named[skill_id] for skill_id in sorted(skills)),
        "organisation": searched_words(organisations.values()),
    }
    facts = _facts(row, skills, broader, places)
    return Opening(
        facts=facts,
        text=SearchText(
            fields=fields,
            words=body.union(*fields.values()),
            skills=facts.skills,
            families=facts.skill_families,
        ),
        state=row.state,
        visibility=row.visibility,
        organisation=row.posting_organisation_id,
        title=fold(row.title)[:200],
        listed_at=row.published_at or row.created_at,
        closes_at=row.closes_at or NO_END,
        pay=pay,
    )


def _facts(
    row: Opportunity,
    skills: set[int],
    broader: Mapping[int, tuple[int, ...]],
    places: Mapping[tuple[int, str], set[str]],
) -> OpportunityFacts:
    families = skills.union(*(broader.get(skill_id, ()) for skill_id in skills))
    return OpportunityFacts(
        opportunity_id=row.pk,
        commitment=row.commitment or None,
        arrangement=row.arrangement or None,
        weekly_hours=row.weekly_hours,
        years_experience=row.years_experience,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        published_on=_day(row.published_at),
        closes_on=_day(row.closes_at),
        places=frozenset(places.get((row.pk, OpportunityLocation.Kind.ALLOWED), {ANYWHERE})),
        excluded_places=frozenset(places.get((row.pk, OpportunityLocation.Kind.EXCLUDED), ())),
        skills=frozenset(skills),
        skill_families=frozenset(families),
        organisations=frozenset({row.posting_organisation_id, row.hiring_organisation_id}),
    )


def _day(instant: datetime | None) -> date | None:
    return instant.astimezone(UTC).date() if instant is not None else None


# The projection


def columns_of(opening: Opening) -> dict[str, Any]:
    """The columns that an opening fills."""
    facts = {one.column: getattr(opening.facts, one.fact) for one in OPPORTUNITY_ATTRIBUTES.values()}
    return {
        **{column: sorted(fact) if isinstance(fact, frozenset) else fact for column, fact in facts.items()},
        "state": opening.state,
        "visibility": opening.visibility,
        "organisation_id": opening.organisation,
        "title": opening.title,
        "listed_at": opening.listed_at,
        "closes_at": opening.closes_at,
        "least_pay": [least for least, _ in opening.pay],
        "most_pay_by_band": [most for _, most in opening.pay],
        "most_pay": opening.most_pay,
        "head": head_vector(opening.text, OPENINGS),
        "words": word_vector(opening.text),
    }


def opening_from(row: OpportunityProjection) -> Opening:
    """What a row that was read from the database holds: the inverse of `columns_of`."""
    stored: dict[str, Any] = {
        one.fact: frozenset(getattr(row, one.column)) if one.kind in SEVERAL else getattr(row, one.column)
        for one in OPPORTUNITY_ATTRIBUTES.values()
    }
    return Opening(
        facts=OpportunityFacts(row.opportunity_id, **stored),
        text=text_from(row.head, row.words, OPENINGS),
        state=row.state,
        visibility=row.visibility,
        organisation=row.organisation_id,
        title=row.title,
        listed_at=row.listed_at,
        closes_at=row.closes_at,
        pay=tuple(zip(row.least_pay, row.most_pay_by_band, strict=True)),
    )
