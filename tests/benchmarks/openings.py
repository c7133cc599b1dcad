"""A hundred thousand open opportunities, no two with the same rule, and some people: in a database of their own.

    with openings(size("OPENINGS", 100_000)) as people:
        ...  # Django's default connection is to it; `people` are inner ids of candidates

Rules have three to eight criteria of every kind. Skills and places are as skewed as in life, so that most people are
accepted by some hundreds of opportunities and by no more. Rows are written without triggers: no history, no events.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from accounts.models import Organisation
from config.bench import own_database
from marketplace.models import (
    Candidate,
    CandidateLanguage,
    CandidateSkill,
    Skill,
    SkillBroader,
    VettingResult,
    WorkAuthorisation,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = NOW.date()
PEOPLE = 300
SKILLS = 400
COUNTRIES = ("DE", "FR", "ES", "IT", "PL", "NL", "AT", "SE", "PT", "US")
ZONES = ("Europe/Berlin", "Europe/Paris", "Europe/Lisbon", "Europe/Warsaw", "America/New_York", "Asia/Kolkata")
LANGUAGES = ("en", "de", "fr", "es", "it", "pl")
COMMITMENTS = ("full_time", "part_time", "contract", "temporary")
OFFICE_HOURS = {"from": "09:00", "to": "17:00"}
CHECKS = ("identity", "background", "references")

T = TypeVar("T")


@contextmanager
def openings(count: int) -> Iterator[list[int]]:
    """Django on a database with that many published opportunities, and `PEOPLE` candidates; gives the latter's ids."""
    made_of = hashlib.sha256(Path(__file__).read_bytes() + str(count).encode()).hexdigest()
    with own_database(f"openings_{count}", made_of, lambda: _build(count)):
        yield list(Candidate.objects.order_by("pk").values_list("pk", flat=True))


class _Draw(random.Random):
    def skewed(self, options: Sequence[T]) -> T:
        """The first of them most often."""
        return options[int(len(options) * self.random() ** 2.5)]

    def few(self, options: Sequence[T], least: int, most: int) -> list[T]:
        return sorted({self.skewed(options) for _ in range(self.randint(least, most))})  # type: ignore[type-var]


def _build(count: int) -> None:
    draw = _Draw(20)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        skills = [one.pk for one in Skill.objects.bulk_create(_skill(number) for number in range(SKILLS))]
        headings = [one.pk for one in Skill.objects.bulk_create(_skill(SKILLS + number) for number in range(10))]
        SkillBroader.objects.bulk_create(
            SkillBroader(skill_id=skill, broader_id=headings[number % 10]) for number, skill in enumerate(skills)
        )
        _people(draw, skills)
        _opportunities(cursor, draw, count, skills, headings)
        cursor.execute("ANALYZE")
    connection.close()  # and with it what was set


def _skill(number: int) -> Skill:
    return Skill(name=f"skill {number}", folded=f"skill {number}")


def _people(draw: _Draw, skills: list[int]) -> None:
    people = Candidate.objects.bulk_create(_person(draw, number) for number in range(PEOPLE))
    CandidateSkill.objects.bulk_create(
        CandidateSkill(
            candidate=one,
            skill_id=skill,
            level=draw.randint(2, 5),
            years=draw.choice([None, Decimal(draw.randint(0, 12))]),
            last_used_on=draw.choice([None, TODAY - timedelta(days=draw.randint(0, 900))]),
        )
        for one in people
        for skill in draw.few(skills, 8, 20)
    )
    CandidateLanguage.objects.bulk_create(
        CandidateLanguage(candidate=one, language=language, level=draw.randint(3, 6))
        for one in people
        for language in draw.few(LANGUAGES, 1, 4)
    )
    WorkAuthorisation.objects.bulk_create(
        WorkAuthorisation(candidate=one, country=country, expires_on=draw.choice([None, _day(draw)]))
        for one in people
        for country in sorted({one.country or "DE", draw.skewed(COUNTRIES)})
    )
    VettingResult.objects.bulk_create(
        VettingResult(candidate=one, kind=kind, passed=draw.random() < 0.95, until=_day(draw), recorded_at=NOW)
        for one in people
        for kind in CHECKS
        if draw.random() < 0.5
    )


def _person(draw: _Draw, number: int) -> Candidate:
    country = draw.skewed(COUNTRIES) if draw.random() < 0.95 else ""
    return Candidate(
        name=f"Person {number}",
        country=country,
        region=f"{country}-{draw.randint(1, 9)}" if country and draw.random() < 0.8 else "",
        timezone=draw.skewed(ZONES),
        work_starts_minute=draw.choice([None, 420, 480, 540, 600]),
        work_ends_minute=draw.choice([960, 1020, 1080]),
        years_experience=draw.choice([None, *map(Decimal, range(1, 20))]),
        weekly_hours=draw.choice([None, 20, 30, 40, 40]),
        rate_amount=Decimal(draw.randint(15, 60)),
        rate_currency="EUR",
        rate_period="hour",
        commitments=draw.few(COMMITMENTS, 1, 3),
        available_from=draw.choice([None, _day(draw)]),
    )


def _day(draw: _Draw) -> date:
    return TODAY + timedelta(days=draw.randint(-60, 400))


def _opportunities(cursor: Any, draw: _Draw, count: int, skills: list[int], headings: list[int]) -> None:
    works = Organisation.objects.create(name="Works", slug="works").pk
    with cursor.copy(
        "COPY marketplace_opportunity (id, public_id, reference, posting_organisation_id, hiring_organisation_id,"
        " title, description, commitment, arrangement, visibility, weekly_hours, timezone, referral_reward_currency,"
        " replaces_ended_placements, pipeline, state, current_revision_id, published_at, created_at, changed_xid)"
        " FROM STDIN"
    ) as copy:
        for pk in range(1, count + 1):
            copy.write_row(
                (pk, _uuid(draw), f"OPP-{pk}", works, works, f"Work {pk}", "", "full_time", "remote", "public", 40,
                 "", "", True, ["applied"], "published", pk, NOW, NOW, 0)
            )  # fmt: skip
    seen: set[str] = set()
    with cursor.copy(
        "COPY marketplace_opportunityrevision (id, public_id, opportunity_id, number, terms, rule, created_at)"
        " FROM STDIN"
    ) as copy:
        for pk in range(1, count + 1):
            rule = json.dumps(_rule(draw, skills, headings))
            while rule in seen:
                rule = json.dumps(_rule(draw, skills, headings))
            seen.add(rule)
            terms = json.dumps({"title": f"Work {pk}", "pay": _pay(draw)})
            copy.write_row((pk, _uuid(draw), pk, 1, terms, rule, NOW))
    for table in ("opportunity", "opportunityrevision"):
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('marketplace_{table}', 'id'), %s)", [count])


def _uuid(draw: _Draw) -> UUID:
    return UUID(int=draw.getrandbits(128))


def _pay(draw: _Draw) -> list[dict[str, Any]]:
    """Up to three bands; the one for everywhere else sometimes missing."""
    places = [draw.few([f"{country}" for country in COUNTRIES], 1, 2) for _ in range(draw.randint(0, 2))]
    taken: set[str] = set()
    bands = []
    for wanted in [*places, [""]]:
        if taken.isdisjoint(wanted):
            taken.update(wanted)
            most = f"{draw.randint(25, 90)}.{draw.randint(0, 99):02}"
            bands.append({"minimum": "20", "maximum": most, "currency": "EUR", "period": "hour", "places": wanted})
    return bands


def _rule(draw: _Draw, skills: list[int], headings: list[int]) -> dict[str, Any]:
    """Three to eight criteria: a skill, and others that most people meet."""
    parts: list[dict[str, Any]] = [_asked_skill(draw, skills)]
    others: list[dict[str, Any]] = [
        {"skill": draw.skewed(headings), "minLevel": draw.randint(1, 3), "narrower": True},
        {"livesIn": sorted({*draw.few(COUNTRIES, 2, 5), f"{draw.skewed(COUNTRIES)}-{draw.randint(1, 9)}"})},
        {"attribute": "country", "op": "in", "value": sorted({*COUNTRIES[:4], *draw.few(COUNTRIES, 1, 4)})},
        {"attribute": "years_experience", "op": "gte", "value": draw.randint(1, 60) / 10},
        {"attribute": "weekly_hours", "op": "between", "value": [draw.randint(10, 20), draw.randint(40, 60)]},
        {"attribute": "available_from", "op": "lte", "value": str(TODAY + timedelta(days=draw.randint(60, 400)))},
        {"attribute": "commitments", "op": "in", "value": draw.few(COMMITMENTS, 1, 3)},
        {"language": draw.skewed(LANGUAGES), "minLevel": draw.choice(["A2", "B1", "B2"])},
        {"workAuthorisation": draw.skewed(COUNTRIES)},
        {"hoursOverlap": {"minutes": draw.randint(60, 300), "timezone": draw.skewed(ZONES), **OFFICE_HOURS}},
        {"rateWithinPay": True},
        {"not": {"vetted": "background"}} if draw.random() < 0.2 else {"vetted": draw.choice(CHECKS)},
        {"any": [_asked_skill(draw, skills), {"language": draw.choice(LANGUAGES), "minLevel": "B2"}]},
        {"atLeast": {"n": 1, "of": [_asked_skill(draw, skills) for _ in range(3)]}},
    ]  # fmt: skip
    wanted = draw.randint(3, 8)
    for part in draw.sample(others, len(others)):
        if _size({"all": [*parts, part]}) <= wanted:
            parts.append(part)
    return {"all": parts}


def _asked_skill(draw: _Draw, skills: list[int]) -> dict[str, Any]:
    asked: dict[str, Any] = {"skill": draw.skewed(skills), "minLevel": draw.randint(1, 4)}
    if draw.random() < 0.2:
        asked["minYears"] = draw.randint(1, 6)
    if draw.random() < 0.2:
        asked["usedWithinMonths"] = draw.randint(6, 60)
    return asked


def _size(rule: dict[str, Any]) -> int:
    """How many criteria a rule has."""
    for key in ("all", "any"):
        if key in rule:
            return sum(map(_size, rule[key]))
    if "atLeast" in rule:
        return sum(map(_size, rule["atLeast"]["of"]))
    return 1
