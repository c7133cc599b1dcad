"""Facts to columns of the candidate projection, and back without loss."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from matching.core.attributes import ATTRIBUTES, SEVERAL, Attribute
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.models import CandidateProjection

HIGHEST_RATE = Decimal("99999999.9999")  # what the column holds; beyond it nothing depends on the exact rate
CHUNK = 1000

# Facts that only scoring reads, each in the column of its name.
SCORED_SETS = ("title_words", "occupations", "mentioned_skills", "worked_for")
SCORED_COUNTS = (
    "invitations_answered",
    "invitations_received",
    "offers_accepted",
    "offers_decided",
    "placements_completed",
    "placements_over",
)
SCORED_DAYS = ("last_active_on",)
SCORED = (*SCORED_SETS, *SCORED_COUNTS, *SCORED_DAYS)

_STRUCTURED = ("languages", "work_authorisations", "skills", "vetting")
_PLAIN = ("revision", "latitude", "longitude", "work_starts_minute", "work_ends_minute")
HELD = tuple(
    dict.fromkeys(("candidate_id", *_PLAIN, *_STRUCTURED, *(one.column for one in ATTRIBUTES.values()), *SCORED))
)
"""The fields of the projection that facts are made of; others, which search reads, are long."""


def columns_of(facts: CandidateFacts) -> dict[str, Any]:
    """The columns that facts fill. Declared attributes are copied; the rest, and what a column limits, stands here."""
    rate = facts.hourly_rate
    work_starts_utc, work_minutes = facts.working_window or (None, None)
    return {
        **{one.column: _stored(getattr(facts, one.fact)) for one in ATTRIBUTES.values()},
        "revision": facts.revision,
        "latitude": facts.latitude,
        "longitude": facts.longitude,
        "work_starts_minute": facts.work_starts_minute,
        "work_ends_minute": facts.work_ends_minute,
        "work_starts_utc": work_starts_utc,
        "work_minutes": work_minutes,
        "languages": dict(facts.languages),
        "work_authorisations": {country: _iso(day) for country, day in facts.work_authorisations.items()},
        "hourly_rate": min(rate, HIGHEST_RATE) if rate is not None else None,
        "skill_ids": sorted(facts.skills),
        "skills": {str(skill_id): _skill_json(fact) for skill_id, fact in facts.skills.items()},
        "vetting": {
            check: {"passed": result.passed, "until": _iso(result.until)} for check, result in facts.vetting.items()
        },
        **{name: _stored(getattr(facts, name)) for name in SCORED},
    }


def facts_from(row: Any) -> CandidateFacts:
    """The facts that a row holds, which has the fields `HELD`: the inverse of `columns_of`."""
    known: dict[str, Any] = {
        **{one.fact: _fact(one, getattr(row, one.column)) for one in ATTRIBUTES.values()},
        "revision": row.revision,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "work_starts_minute": row.work_starts_minute,
        "work_ends_minute": row.work_ends_minute,
        "languages": row.languages,
        "work_authorisations": {country: _day(text) for country, text in row.work_authorisations.items()},
        "skills": {int(skill_id): _skill_fact(fact) for skill_id, fact in row.skills.items()},
        "vetting": {
            check: VettingFact(result["passed"], _day(result["until"])) for check, result in row.vetting.items()
        },
        **{name: frozenset(getattr(row, name)) for name in SCORED_SETS},
        **{name: getattr(row, name) for name in (*SCORED_COUNTS, *SCORED_DAYS)},
    }
    return CandidateFacts(row.candidate_id, **known)


def projected_facts(candidate_ids: Collection[int]) -> Iterator[CandidateFacts]:
    """Facts as projected, for many candidates; those without a projection are left out."""
    ids = sorted(candidate_ids)
    for start in range(0, len(ids), CHUNK):
        rows = CandidateProjection.objects.filter(pk__in=ids[start : start + CHUNK])
        yield from map(facts_from, rows.values_list(*HELD, named=True))


def _stored(fact: Any) -> Any:
    return sorted(fact) if isinstance(fact, frozenset) else fact


def _fact(attribute: Attribute, stored: Any) -> Any:
    return frozenset(stored) if attribute.kind in SEVERAL else stored


def _skill_json(fact: SkillFact) -> dict[str, Any]:
    years = None if fact.years is None else str(fact.years)
    return {"level": fact.level, "years": years, "last_used": _iso(fact.last_used_on)}


def _skill_fact(raw: dict[str, Any]) -> SkillFact:
    years = None if raw["years"] is None else Decimal(raw["years"])
    return SkillFact(raw["level"], years, _day(raw["last_used"]))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
