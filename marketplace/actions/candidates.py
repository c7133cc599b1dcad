"""Candidates: registering, and stating facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import models, transaction

from accounts.access import require_user
from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor
from accounts.core.text import clean_line, clean_text
from accounts.core.unset import UNSET, Unset
from accounts.errors import InvalidInput
from accounts.models import Organisation, User
from marketplace.access import access_candidate, kind_for
from marketplace.actions import checks
from marketplace.core.codes import check_country, check_language, check_region, check_timezone
from marketplace.core.money import Pay, check_pay
from marketplace.errors import CandidateExists, HoursPromised
from marketplace.models import (
    Candidate,
    CandidateLanguage,
    CandidateSkill,
    Skill,
    WorkAuthorisation,
    WorkExperience,
)
from marketplace.models.candidate import Commitment

MOST_ROWS = 100  # skills, experiences … of one person


@dataclass(frozen=True, slots=True)
class SkillInput:
    skill_id: UUID
    level: int  # 1–5
    years: Decimal | None = None
    last_used_on: date | None = None


@dataclass(frozen=True, slots=True)
class LanguageInput:
    language: str  # ISO 639
    level: int  # CEFR rank, A1 = 1 … C2 = 6


@dataclass(frozen=True, slots=True)
class AuthorisationInput:
    country: str
    expires_on: date | None = None  # the last day, None: no end


@dataclass(frozen=True, slots=True)
class ExperienceInput:
    title: str
    starts_on: date
    employer: str = ""
    ends_on: date | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFields:
    """What a candidate says of themselves. Lists replace what was there; None clears."""

    name: str | Unset = UNSET
    headline: str | Unset | None = UNSET
    phone: str | Unset | None = UNSET
    linkedin: str | Unset | None = UNSET
    resume_text: str | Unset | None = UNSET
    country: str | Unset | None = UNSET
    region: str | Unset | None = UNSET
    latitude: float | Unset | None = UNSET
    longitude: float | Unset | None = UNSET
    timezone: str | Unset | None = UNSET
    work_starts_minute: int | Unset | None = UNSET
    work_ends_minute: int | Unset | None = UNSET
    years_experience: Decimal | Unset | None = UNSET
    weekly_hours: int | Unset | None = UNSET
    rate: Pay | Unset | None = UNSET
    commitments: Sequence[str] | Unset | None = UNSET
    available_from: date | Unset | None = UNSET
    discoverable: bool | Unset = UNSET
    open_to_offers: bool | Unset = UNSET
    blocked_organisation_ids: Sequence[UUID] | Unset | None = UNSET
    skills: Sequence[SkillInput] | Unset | None = UNSET
    languages: Sequence[LanguageInput] | Unset | None = UNSET
    work_authorisations: Sequence[AuthorisationInput] | Unset | None = UNSET
    experiences: Sequence[ExperienceInput] | Unset | None = UNSET


def register_candidate(*, actor: Actor, fields: CandidateFields, now: datetime) -> Candidate:
    """Make the actor a candidate. Without a name, the login's is taken.

    Raises CandidateExists, InvalidInput, LoginRequired, NotFound.
    """
    user_id = require_user(actor)
    with transaction.atomic():
        user = User.objects.get(pk=user_id)
        candidate = Candidate(user=user, name=user.name, created_at=now)
        columns, rows = checked_facts(fields, candidate)
        for column, value in columns.items():
            setattr(candidate, column, value)
        if not candidate.name:
            raise InvalidInput("name", "must not be empty")
        with refusing({"marketplace_candidate_user_id_key": CandidateExists}):
            candidate.save(force_insert=True)
        for name, values in rows.items():
            _REPLACE[name](candidate, values)
        changed = sorted({*columns, *rows})
        append(
            candidate,
            "CandidateRegistered",
            actor=actor,
            by=kind_for(actor, candidate),
            now=now,
            payload={"changed": changed},
        )
    return candidate


def update_candidate(*, actor: Actor, candidate_id: UUID, fields: CandidateFields, now: datetime) -> Candidate:
    """Change what is known of a candidate. What was not changed by it appends nothing.

    Raises InvalidInput, HoursPromised, NotFound, NotPermitted.
    """
    with transaction.atomic():
        candidate = access_candidate(actor, candidate_id, to="own", lock=True)
        state_facts(candidate, fields, actor=actor, now=now)
    return candidate


def state_facts(candidate: Candidate, fields: CandidateFields, *, actor: Actor, now: datetime) -> list[str]:
    """Write facts of a candidate whose row the caller has locked; the names of those that changed.

    The facts' history is written by the database. Every change of a fact makes the revision grow.
    """
    columns, rows = checked_facts(fields, candidate)
    changed = [column for column, value in columns.items() if getattr(candidate, column) != value]
    for column in changed:
        setattr(candidate, column, columns[column])
    changed_rows = [name for name, values in rows.items() if _REPLACE[name](candidate, values)]
    if not changed and not changed_rows:
        return []
    candidate.revision += 1
    with refusing({"placement_within_candidate_hours": HoursPromised}):
        candidate.save(update_fields=[*changed, "revision"])
    names = sorted([*changed, *changed_rows])
    append(
        candidate, "CandidateUpdated", actor=actor, by=kind_for(actor, candidate), now=now, payload={"changed": names}
    )
    return names


# Checking


def checked_facts(given: CandidateFields, candidate: Candidate) -> tuple[dict[str, Any], dict[str, Any]]:
    """(columns, lists of rows by name) of what is given, cleaned. Raises InvalidInput, NotFound."""
    columns: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for field in fields(given):
        value = getattr(given, field.name)
        if value is UNSET:
            continue
        if field.name in _COLUMNS:
            columns[field.name] = _COLUMNS[field.name](value)
        elif field.name == "rate":
            columns |= _rate(value)
        else:
            rows[field.name] = _ROWS[field.name](value)
    merged = {
        column: columns.get(column, getattr(candidate, column))
        for column in ("country", "region", "latitude", "longitude")
    }
    if merged["region"] and not merged["region"].startswith(f"{merged['country']}-"):
        if "region" in columns:
            raise InvalidInput("region", "is not a region of the country")
        columns["region"] = ""  # they moved abroad
    if (merged["latitude"] is None) is not (merged["longitude"] is None):
        raise InvalidInput("latitude", "needs a longitude, and the other way round")
    return columns, rows


def _line(field: str, max_length: int, *, required: bool = False) -> Callable[[Any], str]:
    return lambda value: clean_line(
        "" if value is None else value, field=field, max_length=max_length, required=required
    )


def _optional(check: Callable[..., Any], field: str, **bounds: Any) -> Callable[[Any], Any]:
    return lambda value: None if value is None else check(value, field=field, **bounds)


def _code(check: Callable[..., str], field: str) -> Callable[[Any], str]:
    return lambda value: "" if value is None or value == "" else check(value, field=field)


def _commitments(value: Sequence[str] | None) -> list[str]:
    chosen = [
        checks.choice(one, field="commitments", among=Commitment.values)
        for one in checks.several(value, field="commitments", at_most=20)
    ]
    return [commitment for commitment in Commitment.values if commitment in chosen]


_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "name": _line("name", 200, required=True),
    "headline": _line("headline", 200),
    "phone": _line("phone", 40),
    "linkedin": lambda value: checks.web_address("" if value is None else value, field="linkedin"),
    "resume_text": lambda value: clean_text("" if value is None else value, field="resumeText", max_length=50_000),
    "country": _code(check_country, "country"),
    "region": _code(check_region, "region"),
    "latitude": _optional(checks.real, "latitude", low=-90, high=90),
    "longitude": _optional(checks.real, "longitude", low=-180, high=180),
    "timezone": _code(check_timezone, "timezone"),
    "work_starts_minute": _optional(checks.whole, "workStartsMinute", low=0, high=1440),
    "work_ends_minute": _optional(checks.whole, "workEndsMinute", low=0, high=1440),
    "years_experience": _optional(checks.decimal, "yearsExperience", low=0, high=80),
    "weekly_hours": _optional(checks.whole, "weeklyHours", low=0, high=168),
    "commitments": _commitments,
    "available_from": _optional(checks.day, "availableFrom"),
    "discoverable": lambda value: checks.flag(value, field="discoverable"),
    "open_to_offers": lambda value: checks.flag(value, field="openToOffers"),
}


def _rate(rate: Pay | None) -> dict[str, Any]:
    if rate is None:
        return {"rate_amount": None, "rate_currency": "", "rate_period": ""}
    rate = check_pay(rate, field="rate")
    return {"rate_amount": rate.amount, "rate_currency": rate.currency, "rate_period": rate.period}


def _blocked(value: Sequence[UUID] | None) -> list[int]:
    ids = checks.several(value, field="blockedOrganisationIds", at_most=1000)
    return sorted(checks.primary_keys(Organisation, ids, kind="organisation").values())


def _skills(value: Sequence[SkillInput] | None) -> dict[int, dict[str, Any]]:
    given = checks.several(value, field="skills", at_most=MOST_ROWS)
    keys = checks.primary_keys(Skill, [skill.skill_id for skill in given], kind="skill")
    checks.once_each([skill.skill_id for skill in given], field="skills")
    return {
        keys[skill.skill_id]: {
            "level": checks.whole(skill.level, field=f"skills[{at}].level", low=1, high=5),
            "years": _optional(checks.decimal, f"skills[{at}].years", low=0, high=80)(skill.years),
            "last_used_on": _optional(checks.day, f"skills[{at}].lastUsedOn")(skill.last_used_on),
        }
        for at, skill in enumerate(given)
    }


def _languages(value: Sequence[LanguageInput] | None) -> dict[str, dict[str, Any]]:
    given = checks.several(value, field="languages", at_most=MOST_ROWS)
    checks.once_each([one.language for one in given], field="languages")
    return {
        check_language(one.language, field=f"languages[{at}].language"): {
            "level": checks.whole(one.level, field=f"languages[{at}].level", low=1, high=6)
        }
        for at, one in enumerate(given)
    }


def _authorisations(value: Sequence[AuthorisationInput] | None) -> dict[str, dict[str, Any]]:
    given = checks.several(value, field="workAuthorisations", at_most=MOST_ROWS)
    checks.once_each([one.country for one in given], field="workAuthorisations")
    return {
        check_country(one.country, field=f"workAuthorisations[{at}].country"): {
            "expires_on": _optional(checks.day, f"workAuthorisations[{at}].expiresOn")(one.expires_on)
        }
        for at, one in enumerate(given)
    }


def _experiences(value: Sequence[ExperienceInput] | None) -> list[dict[str, Any]]:
    experiences = []
    for at, one in enumerate(checks.several(value, field="experiences", at_most=MOST_ROWS)):
        path = f"experiences[{at}]"
        starts_on = checks.day(one.starts_on, field=f"{path}.startsOn")
        ends_on = _optional(checks.day, f"{path}.endsOn")(one.ends_on)
        if ends_on is not None and ends_on < starts_on:
            raise InvalidInput(f"{path}.endsOn", "must not be before the start")
        experiences.append(
            {
                "title": clean_line(one.title, field=f"{path}.title", max_length=200),
                "employer": clean_line(one.employer, field=f"{path}.employer", max_length=200, required=False),
                "starts_on": starts_on,
                "ends_on": ends_on,
                "description": clean_text(one.description, field=f"{path}.description", max_length=5000),
            }
        )
    return experiences


_ROWS: dict[str, Callable[[Any], Any]] = {
    "blocked_organisation_ids": _blocked,
    "skills": _skills,
    "languages": _languages,
    "work_authorisations": _authorisations,
    "experiences": _experiences,
}


# Replacing lists. Each says whether anything changed; unchanged rows are left alone, so that history stays short.


def _replace_blocked(candidate: Candidate, organisation_ids: list[int]) -> bool:
    before = set(candidate.blocked_organisations.values_list("pk", flat=True))
    if before == set(organisation_ids):
        return False
    candidate.blocked_organisations.set(organisation_ids)
    return True


def _replace_keyed(
    model: type[models.Model], key: str, restated: Mapping[str, Any] = MappingProxyType({})
) -> Callable[[Candidate, dict[Any, dict[str, Any]]], bool]:
    """`restated` is what else holds of a row that says something new."""

    def replace(candidate: Candidate, wanted: dict[Any, dict[str, Any]]) -> bool:
        rows = model._default_manager.filter(candidate=candidate).order_by("pk")
        before: dict[Any, Any] = {getattr(row, key): row for row in rows}
        changed = False
        for gone in [row for value, row in before.items() if value not in wanted]:
            gone.delete()
            changed = True
        for value, columns in wanted.items():
            row = before.get(value)
            if row is None:
                model._default_manager.create(candidate=candidate, **{key: value}, **columns)
                changed = True
            elif any(getattr(row, column) != new for column, new in columns.items()):
                for column, new in {**columns, **restated}.items():
                    setattr(row, column, new)
                row.save()
                changed = True
        return changed

    return replace


def _replace_experiences(candidate: Candidate, wanted: list[dict[str, Any]]) -> bool:
    columns = ("title", "employer", "starts_on", "ends_on", "description")
    rows = candidate.experiences.order_by("pk")
    before = [{column: getattr(row, column) for column in columns} for row in rows]
    if before == wanted:
        return False
    candidate.experiences.all().delete()
    WorkExperience.objects.bulk_create([WorkExperience(candidate=candidate, **one) for one in wanted])
    return True


_REPLACE: dict[str, Callable[[Candidate, Any], bool]] = {
    "blocked_organisation_ids": _replace_blocked,
    # What somebody checked or found holds no longer once it says something else.
    "skills": _replace_keyed(CandidateSkill, "skill_id", {"source": CandidateSkill.Source.DECLARED}),
    "languages": _replace_keyed(CandidateLanguage, "language"),
    "work_authorisations": _replace_keyed(WorkAuthorisation, "country"),
    "experiences": _replace_experiences,
}
