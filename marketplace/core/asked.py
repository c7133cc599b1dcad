"""What a criterion asks of a person, kept as it was: so that what they say later can be held against it.

Only what people say of themselves is kept. Results of checks and an organisation's lists are others' to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
    cefr_level,
)
from matching.core.clock import utc_offset_minutes
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import (
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    RateWithinPay,
)
from matching.core.rules.grammar import Json, clock_text, plain

Subject = tuple[str, str | int | None]
"""A fact by name, and by the skill, language or country where there are several of it."""

Kept = Mapping[str, Json]
"""Fields of `CandidateFacts` with their values as JSON."""

_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "utc_offset_minutes": ("timezone",),  # the offset itself moves with the seasons
        "groups": (),
        SKILL.name: ("skills",),
        LANGUAGE.name: ("languages",),
        WORK_AUTHORISATION.name: ("work_authorisations",),
        PLACE.name: ("country", "region"),
        WORKING_HOURS.name: ("work_starts_minute", "work_ends_minute", "timezone"),
        PAY.name: ("hourly_rate", "country", "region"),
    }
)
"""The fields behind a subject; those of an attribute that is not listed are its own one."""

_STATED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"free_hours": ("weekly_hours",), "hourly_rate": ("rate_amount", "rate_currency", "rate_period")}
)
"""What a person states to say a field, by the names of `CandidateUpdated`; for all others it is the field."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts that a criterion read when somebody was refused by it."""

    subject: Subject
    facts: Kept

    def to_json(self) -> dict[str, Json]:
        return {"subject": self.subject[0], "key": self.subject[1], "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Asked:
        return cls((raw["subject"], raw["key"]), raw["facts"])


def subject_of(criterion: Criterion) -> Subject | None:
    """What a criterion asks about; None where the person has no say in it."""
    match criterion:
        case Compare(name):
            return (name, None) if _FIELDS.get(name, (name,)) else None
        case HasSkill(skill_id):
            return (SKILL.name, skill_id)
        case HasLanguage(language):
            return (LANGUAGE.name, language)
        case MayWorkIn(country):
            return (WORK_AUTHORISATION.name, country)
        case LivesIn():
            return (PLACE.name, None)
        case HoursOverlap():
            return (WORKING_HOURS.name, None)
        case RateWithinPay():
            return (PAY.name, None)
    return None


def asked(criterion: Criterion, facts: CandidateFacts) -> Asked | None:
    """What a criterion reads of somebody's facts. Of skills those that it accepts, null where they have it not."""
    subject = subject_of(criterion)
    if subject is None:
        return None
    if isinstance(criterion, HasSkill):
        return Asked(subject, {"skills": {str(one): _skill_json(facts.skills.get(one)) for one in criterion.accepted}})
    return Asked(subject, {field: _json(getattr(facts, field)) for field in _fields(subject)})


def as_it_was(facts: CandidateFacts, kept: Kept, *, on: date, verified: frozenset[int] = frozenset()) -> CandidateFacts:
    """The facts with what was kept in the place of what is. Skills that others have `verified` stay as they are."""
    values: dict[str, Any] = {field: _READ.get(field, _same)(value) for field, value in kept.items()}
    if "skills" in values:
        then = {skill_id: fact for skill_id, fact in values["skills"].items() if skill_id not in verified}
        present = {skill_id: fact for skill_id, fact in facts.skills.items() if skill_id not in then}
        values["skills"] = present | {skill_id: fact for skill_id, fact in then.items() if fact is not None}
    if "timezone" in values:
        values["utc_offset_minutes"] = utc_offset_minutes(values["timezone"], on)
    return replace(facts, **values)


def survivors_kept(kept: Kept, became: Mapping[int, int]) -> Kept:
    """What was kept, with merged skills as what they became: of two that are one by now, the stronger."""
    if "skills" not in kept:
        return kept
    skills: dict[str, Any] = {}
    for raw_id, skill in cast("Mapping[str, Any]", kept["skills"]).items():
        skill_id = str(became.get(int(raw_id), int(raw_id)))
        skills[skill_id] = max(skills.get(skill_id), skill, key=lambda one: (one is not None, (one or [0])[0]))
    return {**kept, "skills": skills}


def stated_as(subject: Subject) -> frozenset[str]:
    """The names under which a change of a subject's facts is told."""
    return frozenset(name for field in _fields(subject) for name in _STATED.get(field, (field,)))


def in_words(subject: Subject, kept: Kept) -> str:
    """The facts of a subject for people, without its name: `20`, `level 2, 3 years`, `09:00–17:00 Europe/Berlin`."""
    name, key = subject
    if name == SKILL.name:
        skills = cast("Mapping[str, Any]", kept["skills"])
        best = max(skills.values(), key=lambda one: (one is not None, (one or [0])[0]), default=None)
        return _skill_words(skills.get(str(key)) or best)
    if name == LANGUAGE.name:
        level = cast("Mapping[str, int]", kept["languages"]).get(str(key))
        return "none" if level is None else cefr_level(level)
    if name == WORK_AUTHORISATION.name:
        days = cast("Mapping[str, str | None]", kept["work_authorisations"])
        country = str(key)
        return "none" if country not in days else f"until {days[country]}" if days[country] else "without an end"
    if name == PLACE.name:
        return _said(kept["region"] or kept["country"])
    if name == WORKING_HOURS.name:
        starts, ends = cast("int | None", kept["work_starts_minute"]), cast("int | None", kept["work_ends_minute"])
        if starts is None or ends is None:
            return _said(kept["timezone"])
        return f"{clock_text(starts)}–{clock_text(ends)} {kept['timezone'] or ''}".strip()
    if name == PAY.name:
        return f"{_said(kept['hourly_rate'])} in {_said(kept['region'] or kept['country'])}"
    return ", ".join(_said(value) for value in kept.values())


def _fields(subject: Subject) -> tuple[str, ...]:
    return _FIELDS.get(subject[0], (subject[0],))


def _json(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in sorted(value.items())}
    return f"{value.normalize():f}" if isinstance(value, Decimal) else plain(value)


def _skill_json(skill: SkillFact | None) -> Json:
    if skill is None:
        return None
    return [skill.level, None if skill.years is None else str(skill.years), plain(skill.last_used_on)]


def _skill(raw: Any) -> SkillFact | None:
    if raw is None:
        return None
    level, years, last_used_on = raw
    return SkillFact(level, _decimal(years), _day(last_used_on))


def _same(raw: Any) -> Any:
    return raw


def _decimal(raw: Any) -> Decimal | None:
    return None if raw is None else Decimal(raw)


def _day(raw: Any) -> date | None:
    return None if raw is None else date.fromisoformat(raw)


_OF_KIND: Mapping[Kind, Any] = MappingProxyType(
    {Kind.DECIMAL: _decimal, Kind.DATE: _day, Kind.CODES: frozenset, Kind.IDS: frozenset}
)
_READ: Mapping[str, Any] = MappingProxyType(
    {
        **{one.fact: _OF_KIND.get(one.kind, _same) for one in ATTRIBUTES.values()},
        "skills": lambda raw: {int(skill_id): _skill(skill) for skill_id, skill in raw.items()},
        "work_authorisations": lambda raw: {country: _day(last) for country, last in raw.items()},
    }
)


def _skill_words(skill: Any) -> str:
    if skill is None:
        return "none"
    level, years, last_used_on = skill
    words = [f"level {level}"]
    words += [f"{Decimal(years).normalize():f} years"] if years is not None else []
    words += [f"last used {last_used_on}"] if last_used_on is not None else []
    return ", ".join(words)


def _said(value: Json) -> str:
    if value is None or value == "" or value == []:
        return "nothing"
    return ", ".join(map(str, cast("Iterable[Any]", value))) if isinstance(value, list) else str(value)
