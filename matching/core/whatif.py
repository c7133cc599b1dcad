"""What if: a candidate's facts as they would be, and the few changes that opportunities ask for.

Nothing here is written anywhere. A change says what would be known, not what happened: what follows from it (hours
free, the clock of another zone) follows here as it does when facts are gathered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from matching.core.attributes import ATTRIBUTES
from matching.core.changes import hours_text
from matching.core.clock import utc_offset_minutes
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import skill_credit
from matching.core.names import NO_NAMES, Names
from matching.core.rules.wording import value_text, years

CHANGEABLE = (
    "country",
    "region",
    "timezone",
    "work_starts_minute",
    "work_ends_minute",
    "years_experience",
    "weekly_hours",
    "hourly_rate",
    "commitments",
    "available_from",
)
"""The facts, besides skills, that can be supposed to be other than they are."""

_HOURS = ("work_starts_minute", "work_ends_minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is supposed. `skills` has what would be known of each skill, None: that they do not have it. `facts` has,
    by name, those of `CHANGEABLE` that would be otherwise; None: that they are not known."""

    skills: Mapping[int, SkillFact | None] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_empty(self) -> bool:
        return not self.skills and not self.facts


def with_changes(facts: CandidateFacts, changes: Changes, *, on: date) -> CandidateFacts:
    """The facts as they would be on a day. Who lives in another country has no region and no place on the map there,
    unless it is said; placements take the hours that they take now."""
    said = dict(changes.facts)
    if "country" in said and said["country"] != facts.country:
        said.setdefault("region", None)
    if any(said.get(name, getattr(facts, name)) != getattr(facts, name) for name in ("country", "region")):
        said |= {"latitude": None, "longitude": None}
    if "timezone" in said:
        said["utc_offset_minutes"] = utc_offset_minutes(said["timezone"], on)
    if "weekly_hours" in said:
        said["free_hours"] = _free_hours(facts, said["weekly_hours"])
    skills = {**facts.skills, **{skill: fact for skill, fact in changes.skills.items() if fact is not None}}
    for skill, fact in changes.skills.items():
        if fact is None:
            skills.pop(skill, None)
    return replace(facts, **said, skills=dict(sorted(skills.items())))


def _free_hours(facts: CandidateFacts, wanted: int | None) -> int | None:
    if wanted is None:
        return None
    if facts.weekly_hours is None or facts.free_hours is None:
        return wanted
    return max(wanted - (facts.weekly_hours - facts.free_hours), 0)


# The changes that an opportunity asks for


def asked_for(facts: CandidateFacts, terms: OpportunityTerms, *, on: date) -> Iterator[Changes]:
    """One change for each skill that the opportunity asks for and they lack, or have below what is asked: to have it as
    it is asked, and to use it. Required ones first, the heavier ones first."""
    for term in sorted(terms.skills, key=lambda one: (not one.required, -one.weight, one.skill_id)):
        now = facts.skills.get(term.skill_id)
        asked = _as_asked(term, now, on)
        supposed = replace(facts, skills={**facts.skills, term.skill_id: asked})
        if now is None or skill_credit(supposed, term, terms.on) > skill_credit(facts, term, terms.on):
            yield Changes(skills={term.skill_id: asked})


def _as_asked(term: SkillTerm, now: SkillFact | None, on: date) -> SkillFact:
    has = now or SkillFact(level=1)
    level = max(has.level, term.min_level)
    practised = has.years if term.min_years is None else max(has.years or Decimal(0), term.min_years)
    return SkillFact(level, practised, on)


# In words


def told(changes: Changes, before: CandidateFacts, names: Names = NO_NAMES) -> str:
    """The changes in one line that goes on from "with": `Kafka at level 3 and 40 hours a week`; `nothing changed`."""
    lines = [_skill_told(names.skill(skill), fact, before.skills.get(skill)) for skill, fact in changes.skills.items()]
    lines += _facts_told(changes, before, names)
    lines = [line for line in lines if line]
    if not lines:
        return "nothing changed"
    return lines[0] if len(lines) == 1 else f"{', '.join(lines[:-1])} and {lines[-1]}"


def _skill_told(name: str, fact: SkillFact | None, before: SkillFact | None) -> str:
    if fact is None:
        return f"no {name}" if before is not None else ""
    if fact == before:
        return ""
    line = f"{name} at level {fact.level}"
    if fact.years is not None and (before is None or before.years != fact.years):
        line += f" and {years(fact.years)} of it"
    return line


def _facts_told(changes: Changes, before: CandidateFacts, names: Names) -> Iterator[str]:
    for name, value in changes.facts.items():
        if name in _HOURS or value == getattr(before, name):
            continue
        attribute = ATTRIBUTES[name]
        if value is None or value == frozenset():
            yield f"{attribute.label} not known"
        else:
            unit = f" {attribute.unit}" if attribute.unit else ""
            yield f"{attribute.label} {value_text(value, attribute, names)}{unit}"
    if any(name in changes.facts for name in _HOURS):
        starts, ends = (changes.facts.get(name, getattr(before, name)) for name in _HOURS)
        known = starts is not None and ends is not None
        yield f"working hours {hours_text(starts, ends)}" if known else "working hours not known"


def ranks_told(changes: str, before: int | None, after: int | None) -> str:
    """What the changes do to a rank, for people. None stands for no rank: they would not be considered."""
    if before is None and after is None:
        return f"With {changes} they would still not be considered."
    if before is None:
        return f"With {changes} they would be considered, at rank {after:,}."
    if after is None:
        return f"With {changes} they would not be considered any more."
    if before == after:
        return f"With {changes} the rank stays {after:,}."
    return f"With {changes} the rank goes from {before:,} to {after:,}."


def fits_told(changes: str, before_ppm: int, after_ppm: int) -> str:
    """The same of the probability of a fit, in millionths, where no rank may be told."""
    before, after = (f"{ppm / 10_000:.1f} %" for ppm in (before_ppm, after_ppm))
    if before == after:
        return f"With {changes} the fit stays {after}."
    return f"With {changes} the fit goes from {before} to {after}."
