"""The demo market: organisations, opportunities and candidates, drawn from a seed.

Plain values only. Skills are keys of whatever taxonomy was loaded, which is handed in as profiles of occupations: the
curated one or ESCO's. The same seed, day and profiles give the same market, row for row.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marketplace.core.folding import fold
from marketplace.demo.people import FAMILY, GIVEN, ORGANISATIONS, RATES, TOWNS, Town

CANDIDATES = 2_000
OPPORTUNITIES = 60
# So few people follow these occupations that several opportunities compete for them.
RARE_PEOPLE = 5

_EU = frozenset({"AT", "CZ", "DE", "DK", "ES", "FR", "IE", "IT", "NL", "PL", "PT", "SE"})
_COMMITMENTS = ("full_time", "part_time", "contract", "temporary")
_FULL_WEEK = 40


@dataclass(frozen=True, slots=True)
class Profile:
    """What an occupation asks for. Skills are keys of the taxonomy."""

    occupation: int
    name: str
    essential: tuple[int, ...]
    optional: tuple[int, ...]
    hourly: int = 24  # usual pay in Berlin, EUR per hour
    remote: bool = False  # whether the work can be done from anywhere


@dataclass(frozen=True, slots=True)
class DemoStaff:
    email: str
    name: str
    role: str  # owner, recruiter, observer


@dataclass(frozen=True, slots=True)
class DemoOrganisation:
    name: str
    slug: str
    country: str
    currency: str
    trade: str
    staff: tuple[DemoStaff, ...]


@dataclass(frozen=True, slots=True)
class DemoSkill:
    skill: int
    level: int
    years: Decimal
    last_used_on: date | None = None


@dataclass(frozen=True, slots=True)
class DemoCandidate:
    email: str
    name: str
    headline: str
    occupation: int
    town: Town
    years_experience: Decimal
    weekly_hours: int
    rate: Decimal  # per hour, in the town's currency
    commitments: tuple[str, ...]
    available_from: date
    discoverable: bool
    open_to_offers: bool
    work_starts_minute: int
    work_ends_minute: int
    languages: tuple[tuple[str, int], ...]  # (ISO 639-1, CEFR rank)
    authorisations: tuple[tuple[str, date | None], ...]
    skills: tuple[DemoSkill, ...]


@dataclass(frozen=True, slots=True)
class DemoTerm:
    skill: int
    required: bool
    weight: int
    min_level: int = 1


@dataclass(frozen=True, slots=True)
class DemoBand:
    minimum: Decimal
    maximum: Decimal
    currency: str
    period: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoOpportunity:
    organisation: str  # slug
    occupation: int
    title: str
    description: str
    seats: int
    commitment: str
    arrangement: str
    weekly_hours: int
    years_experience: Decimal
    town: Town
    locations: tuple[tuple[str, str, str], ...]  # (country, region, city); empty: anywhere
    bands: tuple[DemoBand, ...]
    terms: tuple[DemoTerm, ...]
    rule: dict[str, Any] | None
    note: str = ""  # why it is hard, where it is meant to be


@dataclass(frozen=True, slots=True)
class DemoMarket:
    organisations: tuple[DemoOrganisation, ...]
    opportunities: tuple[DemoOpportunity, ...]
    candidates: tuple[DemoCandidate, ...]


def draw_market(
    profiles: Sequence[Profile],
    *,
    seed: int,
    today: date,
    candidates: int = CANDIDATES,
    opportunities: int = OPPORTUNITIES,
) -> DemoMarket:
    """Raises ValueError without at least three profiles."""
    if len(profiles) < 3:
        raise ValueError("a market needs at least three occupations")
    chance = random.Random(seed)  # a reproducible market, no secret
    organisations = _organisations(chance)
    rare = profiles[-1]
    people = tuple(
        _candidate(chance, number, rare if number < RARE_PEOPLE else chance.choice(profiles[:-1]), today)
        for number in range(candidates)
    )
    jobs = [
        _opportunity(chance, organisations, profiles[number % (len(profiles) - 1)])
        for number in range(opportunities - 5)
    ]
    jobs += [_contested(chance, organisations, rare, number) for number in range(4)]
    jobs.append(_impossible(chance, organisations, profiles[0]))
    return DemoMarket(organisations, tuple(jobs[:opportunities]), people)


def _name(chance: random.Random) -> str:
    return f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"


def _address(name: str, number: int | str, domain: str) -> str:
    local = "".join(letter if letter.isascii() and letter.isalnum() else "." for letter in fold(name))
    return f"{local}.{number}@{domain}".replace("..", ".")


def _organisations(chance: random.Random) -> tuple[DemoOrganisation, ...]:
    made = []
    for name, trade in ORGANISATIONS:
        slug = "-".join(fold(name).replace(".", "").split())
        town = chance.choice(TOWNS[:12])
        staff = tuple(
            DemoStaff(f"{role}@{slug}.example", _name(chance), role) for role in ("owner", "recruiter", "observer")
        )
        made.append(DemoOrganisation(name, slug, town.country, town.currency, trade, staff))
    return tuple(made)


def _local(town: Town, hourly: float) -> Decimal:
    """An hourly pay in Berlin's euros, as it would be paid in a town, in its currency."""
    return Decimal(str(round(hourly * town.pay * float(RATES[town.currency]), 1)))


def _candidate(chance: random.Random, number: int, profile: Profile, today: date) -> DemoCandidate:
    town = chance.choices(TOWNS, weights=[each.weight for each in TOWNS])[0]
    years = Decimal(str(round(min(35.0, chance.gammavariate(2.0, 3.5)), 1)))
    skilled = min(5, 1 + int(years) // 3 + chance.randint(0, 1))
    known = [skill for skill in profile.essential[:14] if chance.random() < 0.85]
    known += [skill for skill in profile.optional[:20] if chance.random() < 0.35]
    skills = []
    for skill in dict.fromkeys(known):
        level = max(1, min(5, skilled + chance.choice((-1, 0, 0, 1))))
        practised = min(years, Decimal(str(round(float(years) * chance.uniform(0.3, 1.0), 1))))
        used = today - timedelta(days=chance.choice((0, 0, 30, 200, 600, 1500)))
        skills.append(DemoSkill(skill, level, practised, used))
    languages = {town.language: 6 if chance.random() < 0.8 else chance.randint(3, 5)}
    languages.setdefault("en", chance.randint(2, 6))
    if chance.random() < 0.3:
        languages.setdefault(
            chance.choice(("de", "fr", "es", "pl", "pt", "it", "tr", "uk", "ar")), chance.randint(1, 6)
        )
    authorisations: list[tuple[str, date | None]] = []
    if chance.random() < 0.92:
        limited = chance.random() < 0.12
        authorisations.append((town.country, today + timedelta(days=chance.randint(30, 900)) if limited else None))
    if town.country in _EU and chance.random() < 0.7:
        authorisations += [(country, None) for country in sorted(_EU - {town.country})[:4]]
    commitments = tuple(sorted(chance.sample(_COMMITMENTS, k=chance.choice((1, 1, 2, 3)))))
    name = _name(chance)
    starts = chance.choice((6, 7, 8, 8, 9, 9, 10)) * 60
    return DemoCandidate(
        email=_address(name, number, "people.example"),
        name=name,
        headline=f"{profile.name[:1].upper()}{profile.name[1:]}, {int(years)} years",
        occupation=profile.occupation,
        town=town,
        years_experience=years,
        weekly_hours=chance.choice((20, 24, 30, 32, 40, 40, 40, 40)),
        rate=_local(town, profile.hourly * chance.uniform(0.8, 1.2) * (1 + min(15, float(years)) / 50)),
        commitments=commitments,
        available_from=today + timedelta(days=chance.choice((0, 0, 0, 14, 30, 60, 90))),
        discoverable=chance.random() < 0.9,
        open_to_offers=chance.random() < 0.35,
        work_starts_minute=starts,
        work_ends_minute=starts + 8 * 60,
        languages=tuple(languages.items()),
        authorisations=tuple(authorisations),
        skills=tuple(skills),
    )


def _terms(chance: random.Random, profile: Profile) -> tuple[DemoTerm, ...]:
    required = profile.essential[: chance.randint(2, 4)]
    preferred = [skill for skill in profile.essential[4:8] + profile.optional[:8] if chance.random() < 0.4]
    return tuple(DemoTerm(skill, True, chance.randint(3, 6), chance.randint(1, 3)) for skill in required) + tuple(
        DemoTerm(skill, False, chance.randint(1, 3)) for skill in dict.fromkeys(preferred) if skill not in required
    )


def _bands(chance: random.Random, town: Town, hourly: float, arrangement: str) -> tuple[DemoBand, ...]:
    period, times = chance.choice((("hour", 1), ("month", 165), ("year", 1_950)))
    low, high = sorted((hourly * chance.uniform(0.9, 1.05), hourly * chance.uniform(1.15, 1.5)))

    def band(at: Town, places: tuple[str, ...]) -> DemoBand:
        step = Decimal("0.5") if times == 1 else Decimal(100)
        ends = [(_local(at, each) * times / step).to_integral_value() * step for each in (low, high)]
        return DemoBand(ends[0], ends[1], at.currency, period, places)

    if arrangement != "remote":
        return (band(town, ()),)
    other = chance.choice([each for each in TOWNS if each.country != town.country])
    return (band(town, ()), band(other, (other.country,)))


def _opportunity(chance: random.Random, organisations: Sequence[DemoOrganisation], profile: Profile) -> DemoOpportunity:
    organisation = chance.choice(organisations)
    town = chance.choices(TOWNS, weights=[each.weight for each in TOWNS])[0]
    arrangement = chance.choice(("remote", "remote", "hybrid", "onsite") if profile.remote else ("onsite",))
    terms = _terms(chance, profile)
    rule: dict[str, Any] | None = None
    kind = chance.randrange(4)
    first = terms[0]
    has_skill = {"skill": first.skill, "minLevel": first.min_level}
    if kind == 1:
        rule = has_skill
    elif kind == 2:
        rule = {"all": [has_skill, {"workAuthorisation": town.country}]} if arrangement != "remote" else has_skill
    elif kind == 3 and len(terms) > 2:
        options = [{"skill": term.skill} for term in terms[:4]]
        rule = {
            "all": [
                {"atLeast": {"n": 2, "of": options}},
                {
                    "attribute": "years_experience",
                    "op": "gte",
                    "value": chance.randint(1, 3),
                    "disclosure": "organisation",
                },
            ]
        }
    else:
        rule = _about_circumstances(town, arrangement)
    seats = chance.choice((1, 1, 2, 2, 3, 3, 4, 5, 6))
    return DemoOpportunity(
        organisation=organisation.slug,
        occupation=profile.occupation,
        title=f"{profile.name[:1].upper()}{profile.name[1:]}, {town.city}",
        description=(
            f"{organisation.name} is looking for {seats} {'person' if seats == 1 else 'people'} to work as "
            f"{profile.name} in {town.city}. You join a small team, are paid what is written here, and hear from us "
            "within a week."
        ),
        seats=seats,
        commitment=chance.choice(("full_time", "full_time", "part_time", "contract")),
        arrangement=arrangement,
        weekly_hours=chance.choice((20, 30, _FULL_WEEK, _FULL_WEEK)),
        years_experience=Decimal(chance.choice((0, 1, 2, 3, 5))),
        town=town,
        locations=() if arrangement == "remote" else ((town.country, town.region, town.city),),
        bands=_bands(chance, town, profile.hourly, arrangement),
        terms=terms,
        rule=rule,
    )


def _about_circumstances(town: Town, arrangement: str) -> dict[str, Any]:
    """Who lives near enough to come, or works while the others do; and does not ask more than is paid."""
    within_pay = {"rateWithinPay": True, "disclosure": "organisation"}
    if arrangement == "remote":
        window = {"minutes": 180, "timezone": town.timezone, "from": "08:00", "to": "18:00"}
        return {"all": [{"hoursOverlap": window}, within_pay]}
    return {"all": [{"livesIn": [town.country]}, within_pay]}


def _changed(job: DemoOpportunity, **changes: Any) -> DemoOpportunity:
    fields = {name: getattr(job, name) for name in DemoOpportunity.__dataclass_fields__}
    return DemoOpportunity(**{**fields, **changes})


def _contested(
    chance: random.Random, organisations: Sequence[DemoOrganisation], profile: Profile, number: int
) -> DemoOpportunity:
    """Four of these want more people than there are."""
    job = _opportunity(chance, organisations, profile)
    rule = {"atLeast": {"n": 2, "of": [{"skill": skill} for skill in profile.essential[:4]]}}
    return _changed(
        job,
        title=f"{job.title} (team {number + 1})",
        seats=3,
        weekly_hours=20,
        arrangement="remote",
        locations=(),
        rule=rule,
        note="four opportunities compete for fewer people than they have seats",
    )


def _impossible(chance: random.Random, organisations: Sequence[DemoOrganisation], profile: Profile) -> DemoOpportunity:
    job = _opportunity(chance, organisations, profile)
    rule = {
        "all": [
            {"skill": profile.essential[0], "minLevel": 5, "minYears": 30},
            {"language": "is", "minLevel": "C2"},
            {"workAuthorisation": "IS"},
        ]
    }
    return _changed(job, title=f"{job.title} (Reykjavík desk)", seats=2, rule=rule, note="nobody passes the rule")
