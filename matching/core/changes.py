"""What a person could change: one fact as it is and as it would have to be, and sets of such changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from matching.core.attributes import ATTRIBUTES, LANGUAGE, SKILL, WORKING_HOURS, Value, cefr_level, plain_number
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.names import NO_NAMES, Names
from matching.core.reasons import typed
from matching.core.rules.grammar import Disclosure, Json, clock_text, plain
from matching.core.rules.wording import value_text, years


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact, as it is and as it would have to be. `subject` is the name of an attribute, or of one of the structures
    skill, language and working hours; `key` is the skill or language.

    A skill's `has` and `becomes` are levels; its years and its last use stand beside them, both as they are where they
    stay. Those of working hours are local times, as in `09:00-17:00`.
    """

    subject: str
    key: str | int | None = None
    has: Value | frozenset[str] | frozenset[int] | None
    becomes: Value | frozenset[str] | frozenset[int]
    has_years: Decimal | None = None
    becomes_years: Decimal | None = None
    has_used_on: date | None = None
    becomes_used_on: date | None = None
    disclosure: Disclosure = Disclosure.PUBLIC

    def sentence(self, names: Names = NO_NAMES) -> str:
        if self.subject == SKILL.name:
            return self._skill_sentence(names.skill(int(str(self.key))))
        if self.subject == LANGUAGE.name:
            line = f"{names.language(str(self.key))} at {cefr_level(self.becomes)}"  # type: ignore[arg-type]
            return line if self.has is None else f"{line} instead of {cefr_level(self.has)}"  # type: ignore[arg-type]
        if self.subject == WORKING_HOURS.name:
            return f"working hours {self.becomes} instead of {self.has}"
        attribute = ATTRIBUTES.get(self.subject)
        label = attribute.label if attribute else self.subject
        unit = f" {attribute.unit}" if attribute and attribute.unit else ""
        has, becomes = (value_text(value, attribute, names) for value in (self.has, self.becomes))
        return f"{label} {becomes}{unit} instead of {has}"

    def _skill_sentence(self, name: str) -> str:
        more = self.becomes_years if (self.becomes_years or 0) > (self.has_years or 0) else None
        if self.becomes != self.has:
            line = f"{name} at level {self.becomes}"
            line += f" with {years(more)}" if more is not None else ""
            line += f" instead of level {self.has}" if self.has is not None else ""
        elif more is not None:
            line = f"{name} with {years(more)} instead of {plain_number(self.has_years or 0)}"
        else:
            line = name
        if self.has_used_on is None or self.becomes_used_on == self.has_used_on:
            return line
        return f"{line}, used again after {self.has_used_on.isoformat()}"

    @property
    def skill_ids(self) -> tuple[int, ...]:
        return (int(str(self.key)),) if self.subject == SKILL.name else ()

    def to_json(self) -> dict[str, Json]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping) -> Change:
        values = {**raw, "disclosure": Disclosure(raw["disclosure"])}
        for name in ("has_years", "becomes_years"):
            values[name] = Decimal(str(raw[name])) if raw[name] is not None else None
        for name in ("has_used_on", "becomes_used_on"):  # absent from verdicts stored before they were kept
            values[name] = date.fromisoformat(raw[name]) if raw.get(name) is not None else None
        for name in ("has", "becomes"):
            values[name] = typed(raw["subject"], raw[name], as_fact=True)
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestChange:
    """`settles` is false where questions stay open even then."""

    changes: tuple[Change, ...]
    settles: bool

    @property
    def disclosure(self) -> Disclosure:
        return max((change.disclosure for change in self.changes), key=lambda disclosure: disclosure.rank)

    def sentence(self, names: Names = NO_NAMES) -> str:
        return "; ".join(change.sentence(names) for change in self.changes)

    def to_json(self) -> dict[str, Json]:
        return {"changes": [change.to_json() for change in self.changes], "settles": self.settles}

    @classmethod
    def from_json(cls, raw: Mapping) -> NearestChange:
        return cls(changes=tuple(Change.from_json(change) for change in raw["changes"]), settles=raw["settles"])


def with_change(facts: CandidateFacts, change: Change) -> CandidateFacts:
    """The facts as they would be."""
    key: Any = change.key
    becomes: Any = change.becomes
    if change.subject == SKILL.name:
        skill = SkillFact(becomes, change.becomes_years, change.becomes_used_on)
        return replace(facts, skills={**facts.skills, key: skill})
    if change.subject == LANGUAGE.name:
        return replace(facts, languages={**facts.languages, key: becomes})
    if change.subject == WORKING_HOURS.name:
        starts, ends = (int(clock[:2]) * 60 + int(clock[3:]) for clock in becomes.split("-"))
        return replace(facts, work_starts_minute=starts, work_ends_minute=ends)
    fact: dict[str, Any] = {ATTRIBUTES[change.subject].fact: becomes}
    return replace(facts, **fact)


def hours_text(starts_minute: int, ends_minute: int) -> str:
    """Local working hours as a change holds them: `09:00-17:00`."""
    return f"{clock_text(starts_minute)}-{clock_text(ends_minute)}"
