"""Verdicts as people outside read them: sentences, and skills by their public ids. No inner id leaves the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.errors import NotEligible
from marketplace.models import Skill
from matching.core.attributes import SKILL
from matching.core.eligibility import Verdict
from matching.core.nearest import Change
from matching.core.reasons import Question, Reason
from matching.core.rules import Disclosure, HasSkill


def skill_of(part: Reason | Question | Change) -> int | None:
    """The skill (inner id) that a part of a verdict is about, if it is about one."""
    if isinstance(part, Question | Change):
        return int(part.key) if part.subject == SKILL.name and part.key is not None else None
    criterion = getattr(part, "criterion", None)
    if isinstance(criterion, HasSkill):
        return criterion.skill_id
    found: int | None = getattr(part, "skill_id", None)
    return found


def skills_named(verdict: Verdict) -> set[int]:
    """Every skill (inner id) that a verdict speaks of."""
    parts: list[Reason | Question | Change] = [*verdict.failed, *verdict.unknown]
    parts += verdict.nearest.changes if verdict.nearest else ()
    named = (skill_of(part) for part in parts)
    return {skill_id for skill_id in named if skill_id is not None}


def not_eligible(verdict: Verdict, audience: Disclosure = Disclosure.PUBLIC) -> NotEligible:
    """The refusal with what an audience may see of the verdict."""
    return NotEligible(verdict_in_words(verdict.disclosed_to(audience)))


def verdict_in_words(verdict: Verdict) -> dict[str, Any]:
    """A verdict that has been disclosed already, as the JSON of a refusal. One query."""
    skills = Skill.objects.in_bulk(skills_named(verdict))
    names = {pk: skill.name for pk, skill in skills.items()}
    nearest = verdict.nearest
    return {
        "outcome": verdict.outcome.value,
        "on": verdict.on.isoformat(),
        "reasons": [
            {
                "kind": type(reason).__name__,
                "path": reason.path,
                "sentence": reason.sentence(names),
                "skill": _public(reason, skills),
            }
            for reason in verdict.failed
        ],
        "questions": [
            {
                "subject": question.subject,
                "path": question.path,
                "sentence": question.sentence(names),
                "skill": _public(question, skills),
            }
            for question in verdict.unknown
        ],
        "nearestChange": {
            "sentence": nearest.sentence(names),
            "settles": nearest.settles,
            "changes": [
                {"subject": change.subject, "sentence": change.sentence(names), "skill": _public(change, skills)}
                for change in nearest.changes
            ],
        }
        if nearest
        else None,
    }


def _public(part: Reason | Question | Change, skills: Mapping[int, Skill]) -> str | None:
    skill = skills.get(skill_of(part) or 0)
    return str(skill.public_id) if skill else None
