"""Verdicts as people outside read them: sentences, and skills by their public ids. No inner id leaves the house."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.errors import NotEligible
from marketplace.models import Skill
from marketplace.queries.naming import names_of
from marketplace.queries.shortfalls import has_and_needs
from marketplace.queries.skills import survivors
from matching.core.attributes import SKILL
from matching.core.eligibility import Outcome, Verdict
from matching.core.nearest import Change
from matching.core.reasons import Question, Reason
from matching.core.rules import Disclosure, HasSkill


def answerable(verdict: Verdict) -> list[Question]:
    """What the candidate has to answer before they may apply. None where somebody let them in despite the rule."""
    if verdict.outcome is not Outcome.UNKNOWN:
        return []
    return [question for question in verdict.unknown if question.asked_of_candidate]


def skills_by_id(skill_ids: Iterable[int]) -> dict[int, Skill]:
    """The skills of inner ids, merged ones as what they became. One query, and two more where any were merged."""
    wanted = set(skill_ids)
    found = Skill.objects.in_bulk(wanted) if wanted else {}
    became = survivors(skill_id for skill_id, skill in found.items() if skill.merged_into_id is not None)
    if became:
        found |= Skill.objects.in_bulk(set(became.values()) - found.keys())
    return {
        skill_id: found[became.get(skill_id, skill_id)]
        for skill_id in wanted
        if became.get(skill_id, skill_id) in found
    }


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
    return {skill_id for part in parts for skill_id in part.skill_ids}


def not_eligible(verdict: Verdict, audience: Disclosure = Disclosure.PUBLIC, *, judged: object = None) -> NotEligible:
    """The refusal with what an audience may see of the verdict; `judged` goes with it for the record."""
    return NotEligible(verdict_in_words(verdict.disclosed_to(audience)), judged)


def verdict_in_words(verdict: Verdict) -> dict[str, Any]:
    """A verdict that has been disclosed already, as the JSON of a refusal. One query."""
    skills = skills_by_id(skills_named(verdict))
    names = names_of({pk: skill.name for pk, skill in skills.items()})
    nearest = verdict.nearest
    return {
        "outcome": verdict.outcome.value,
        "on": verdict.on.isoformat(),
        "reasons": [
            {
                "kind": type(reason).__name__,
                "path": reason.path,
                "sentence": reason.sentence(names),
                **dict(zip(("has", "needs"), has_and_needs(reason, names), strict=True)),
                "skill": _public(reason, skills),
            }
            for reason in verdict.failed
        ],
        "questions": [
            {
                "subject": question.subject,
                "path": question.path,
                "sentence": question.sentence(names),
                "askedOfCandidate": question.asked_of_candidate,
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
