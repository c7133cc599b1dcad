"""What people answer when they apply: to the screening questions, and about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.core.text import clean_text
from accounts.core.unset import UNSET
from accounts.errors import InvalidInput
from marketplace.actions import checks
from marketplace.actions.candidates import AuthorisationInput, CandidateFields, LanguageInput, SkillInput
from marketplace.core.money import Pay
from marketplace.models import Candidate, OpportunityRevision, Skill
from matching.core.attributes import CEFR, BadValue, cefr_rank, date_from, number_from
from matching.core.reasons import Question

FACTS = "facts"


def split(answers: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """(screening answers by question key, facts by attribute). Raises InvalidInput."""
    if answers is None:
        return {}, {}
    if not isinstance(answers, Mapping) or not all(isinstance(key, str) for key in answers):
        raise InvalidInput("answers", "must be an object of question keys and answers")
    facts = answers.get(FACTS)
    if facts is not None and not isinstance(facts, Mapping):
        raise InvalidInput("answers.facts", "must be an object of attributes and values")
    return {key: value for key, value in answers.items() if key != FACTS}, dict(facts or {})


# Screening


def check_screening(
    given: Mapping[str, Any], revision: OpportunityRevision
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(clean answers, required questions left open), by the questions that the revision pinned.

    Raises InvalidInput for an answer of the wrong kind or to a question that was not asked.
    """
    questions = {question["key"]: question for question in revision.terms["questions"]}
    strange = sorted(given.keys() - questions.keys())
    if strange:
        raise InvalidInput("answers", f"answers {strange[0][:40]!r}, which is not asked")
    clean = {
        key: _screening(question, given[key], f"answers.{key}")
        for key, question in questions.items()
        if given.get(key) not in (None, "")
    }
    open_ = [
        {"kind": "screening", "key": key, "prompt": question["prompt"], "choices": question["choices"]}
        for key, question in questions.items()
        if question["required"] and key not in clean
    ]
    return clean, open_


def _screening(question: Mapping[str, Any], value: Any, path: str) -> Any:
    match question["kind"]:
        case "yes_no":
            return checks.flag(value, field=path)
        case "number":
            number = checks.decimal(value, field=path, low=-(10**9), high=10**9, places=4)
            return int(number) if number == int(number) else float(number)
        case "choice":
            return checks.choice(value, field=path, among=question["choices"])
    return clean_text(value, field=path, max_length=2000, required=True)


# Facts


def fact_questions(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """The questions of a verdict, as a caller answers them: a skill by its public id."""
    asked = list(questions)
    ids = [question.key for question in asked if question.subject == "skill" and isinstance(question.key, int)]
    skills = Skill.objects.in_bulk(ids)
    names = {pk: skill.name for pk, skill in skills.items()}
    return [
        {
            "kind": "fact",
            "key": question.subject,
            "about": str(skills[question.key].public_id)
            if isinstance(question.key, int) and question.key in skills
            else question.key,
            "prompt": question.sentence(names),
        }
        for question in asked
    ]


def facts_as_fields(facts: Mapping[str, Any], candidate: Candidate) -> CandidateFields:
    """Facts that answer a verdict's questions, as fields of the candidate. What they said before stays beside it.

    `language` is {"de": "B2"}, `workAuthorisation` {"DE": "2028-01-31" or null}, `skill` {public id: {"level",
    "years"}}, `hourly_rate` euros or {"amount", "currency", "period"}; all else is a plain value. Raises InvalidInput.
    """
    given: dict[str, Any] = {}
    for name, value in facts.items():
        path = f"answers.facts.{name[:40]}"
        if name == "free_hours":
            given["weekly_hours"] = value
        elif name in _PLAIN:
            given[name] = value
        elif name in {"years_experience", "hourly_rate", "available_from"}:
            given |= _typed(name, value, path)
        elif name in {"language", "workAuthorisation", "skill"}:
            if not isinstance(value, Mapping) or not value:
                raise InvalidInput(path, "must be an object")
            given |= _structured(name, value, path, candidate)
        else:
            raise InvalidInput(path, "is no fact that can be stated here")
    return CandidateFields(**given)


_PLAIN = frozenset({"country", "region", "timezone", "weekly_hours", "commitments"})


def _typed(name: str, value: Any, path: str) -> dict[str, Any]:
    try:
        if name == "available_from":
            return {name: date_from(value)}
        if name == "years_experience":
            return {name: number_from(value)}
        if isinstance(value, Mapping):
            amount, currency, period = (value.get(part) for part in ("amount", "currency", "period"))
            amount = amount if isinstance(amount, str) else number_from(amount)
            return {"rate": Pay(amount, currency, period)}  # type: ignore[arg-type]
        return {"rate": Pay(Decimal(number_from(value)), "EUR", "hour")}
    except BadValue as bad:
        raise InvalidInput(path, bad.problem) from bad


def _structured(name: str, value: Mapping[str, Any], path: str, candidate: Candidate) -> dict[str, Any]:
    if name == "language":
        languages = dict(candidate.languages.values_list("language", "level"))
        for language, level in value.items():
            if level not in CEFR:
                raise InvalidInput(f"{path}.{language[:8]}", f"must be one of {', '.join(CEFR)}")
            languages[language] = cefr_rank(level)
        return {"languages": [LanguageInput(language, level) for language, level in languages.items()]}
    if name == "workAuthorisation":
        authorisations = dict(candidate.work_authorisations.values_list("country", "expires_on"))
        authorisations |= {country: _last_day(day, f"{path}.{country[:8]}") for country, day in value.items()}
        return {"work_authorisations": [AuthorisationInput(*one) for one in authorisations.items()]}
    rows = candidate.skills.select_related("skill")
    skills = {
        row.skill.public_id: SkillInput(row.skill.public_id, row.level, row.years, row.last_used_on) for row in rows
    }
    for public_id, stated in value.items():
        skill_id = _uuid(public_id, path)
        known = skills.get(skill_id)
        if not isinstance(stated, Mapping):
            raise InvalidInput(f"{path}.{skill_id}", "must be an object with level and years")
        skills[skill_id] = SkillInput(
            skill_id,
            level=stated.get("level", known.level if known else UNSET),
            years=stated.get("years", known.years if known else None),
            last_used_on=known.last_used_on if known else None,
        )
    return {"skills": list(skills.values())}


def _last_day(raw: Any, path: str) -> date | None:
    try:
        return None if raw is None else date_from(raw)
    except BadValue as bad:
        raise InvalidInput(path, bad.problem) from bad


def _uuid(raw: str, path: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError as error:
        raise InvalidInput(path, "names no skill") from error
