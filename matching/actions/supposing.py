"""Changes of a candidate's facts that somebody supposes, as they are handed in, checked like those that are stated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.errors import InvalidInput
from marketplace.actions import checks
from marketplace.actions.candidates import MOST_ROWS, CandidateFields, checked_facts
from marketplace.models import Candidate, Skill
from marketplace.queries.facts import hourly_eur
from marketplace.queries.rates import rates_of
from marketplace.queries.skills import survivors
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.whatif import CHANGEABLE, Changes
from matching.queries.scorable import Basics


def supposed_changes(
    candidate: Candidate,
    facts: CandidateFacts,
    fields: CandidateFields,
    *,
    without_skills: Sequence[UUID] = (),
    basics: Basics,
) -> Changes:
    """What would be known. Skills are added to those that the facts have, or changed: what is not said of one stays.
    Nothing is written. Raises InvalidInput, NotFound."""
    columns, rows = checked_facts(fields, candidate)
    stated: dict[str, Any] = {name: _fact(name, columns[name]) for name in CHANGEABLE if name in columns}
    if "rate_amount" in columns:
        stated["hourly_rate"] = _hourly(columns, basics)
    removed = checks.several(list(without_skills), field="withoutSkills", at_most=MOST_ROWS)
    checks.once_each(removed, field="withoutSkills")
    gone = checks.primary_keys(Skill, removed, kind="skill").values()
    given = rows.get("skills", {})
    became = survivors([*given, *gone])
    skills: dict[int, SkillFact | None] = {}
    for key, row in given.items():
        skill = became.get(key, key)
        skills[skill] = _skill(row, facts.skills.get(skill))
    for key in gone:
        skill = became.get(key, key)
        if skill in skills:
            raise InvalidInput("withoutSkills", "names a skill that is given at a level, too")
        skills[skill] = None
    return Changes(skills=skills, facts=stated)


def _fact(name: str, column: Any) -> Any:
    if name == "commitments":
        return frozenset(column)
    return None if column == "" else column


def _skill(row: dict[str, Any], now: SkillFact | None) -> SkillFact:
    years, used = row["years"], row["last_used_on"]
    if now is not None:
        years, used = years if years is not None else now.years, used or now.last_used_on
    return SkillFact(row["level"], years, used)


def _hourly(columns: dict[str, Any], basics: Basics) -> Any:
    if columns["rate_amount"] is None:
        return None
    rates = rates_of(basics.rates)
    hourly = hourly_eur(columns["rate_amount"], columns["rate_currency"], columns["rate_period"], rates)
    if hourly is None:
        raise InvalidInput("rate", "cannot be told by the hour, so nothing can be said of it")
    return hourly
