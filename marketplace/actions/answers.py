"""What people answer when they apply: to the screening questions, and about themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from accounts.core.actor import Actor
from accounts.core.text import clean_text
from accounts.errors import InvalidInput, NotFound
from marketplace.actions import checks
from marketplace.actions.candidates import (
    MOST_ROWS,
    AuthorisationInput,
    CandidateFields,
    LanguageInput,
    SkillInput,
    state_facts,
)
from marketplace.core.money import Pay
from marketplace.models import Candidate, OpportunityRevision, Skill
from marketplace.queries.naming import names_of
from marketplace.queries.skills import survivors
from marketplace.queries.verdicts import skill_of, skills_by_id
from matching.core.attributes import (
    ATTRIBUTES,
    CEFR,
    LANGUAGE,
    PLACE,
    SKILL,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Attribute,
    BadValue,
    Kind,
    cefr_rank,
    date_from,
    number_from,
)
from matching.core.reasons import Question

T = TypeVar("T")

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
    skills = skills_by_id(skill_id for question in asked if (skill_id := skill_of(question)) is not None)
    names = names_of({pk: skill.name for pk, skill in skills.items()})
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


def state_answers(candidate: Candidate, facts: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    """Make facts that answer a verdict's questions the candidate's own. What they said before stays beside it: an
    answer states something, and clears nothing. The caller has locked the candidate's row.

    Facts stand under the subjects of questions, whose case may also be that of the API (`weeklyHours`):

        country, region, timezone, available_from   text
        weekly_hours, years_experience              a number
        commitments                                 a list
        hourly_rate      euros, or {"amount", "currency", "period"}
        livesIn          {"country", "region"}, the region if it was asked for
        hoursOverlap     {"from": "09:00", "to": "17:00", "timezone"}, the time zone if none is known
        language         {"de": "B2"}
        workAuthorisation {"DE": "2028-01-31"}, null: without an end
        skill            {public id: {"level", "years", "lastUsedOn"}}

    Raises InvalidInput with the path of the answer, HoursPromised.
    """
    read = _Facts(candidate)
    for name, value in facts.items():
        read.add(name, value)
    try:
        state_facts(candidate, CandidateFields(**read.fields), actor=actor, now=now)
    except InvalidInput as invalid:
        field = _FIRST_NAME.match(str(invalid.data["field"]))
        path = read.paths.get(_snake(field[0]), f"answers.{FACTS}") if field else f"answers.{FACTS}"
        raise InvalidInput(path, invalid.data["problem"]) from invalid
    except NotFound as missing:
        raise InvalidInput(f"answers.{FACTS}", f"names a {missing.data['kind']} that there is not") from missing


class _Facts:
    """Answers as fields of the candidate, each with the path of the answer that it comes from."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.fields: dict[str, Any] = {}
        self.paths: dict[str, str] = {}

    def add(self, name: str, value: Any) -> None:
        """Raises InvalidInput."""
        path = f"answers.{FACTS}.{name[:40]}"
        read = _READERS.get(name) or _READERS.get(_snake(name[:40]))
        if read is None:
            raise InvalidInput(path, "is no fact that can be stated here")
        if value is None or value in ("", [], {}):
            raise InvalidInput(path, "must say something: an answer clears no fact")
        for field, stated in read(value, path, self.candidate).items():
            if field in self.fields and self.fields[field] != stated:
                raise InvalidInput(path, "contradicts another answer")
            self.fields[field] = stated
            self.paths[field] = path


def _as_it_is(field: str) -> Callable[..., dict[str, Any]]:
    return lambda value, path, candidate: {field: value}


def _parsed(field: str, parse: Callable[[Any], Any]) -> Callable[..., dict[str, Any]]:
    return lambda value, path, candidate: {field: _value(parse, value, path)}


def _declared(attribute: Attribute) -> Callable[..., dict[str, Any]]:
    """A fact that is stated as it is declared; what it may be is checked with the rest of what is stated."""
    match attribute.kind:
        case Kind.DECIMAL:
            return _parsed(attribute.name, number_from)
        case Kind.DATE:
            return _parsed(attribute.name, date_from)
    return _as_it_is(attribute.name)


def _rate(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"rate": Pay(Decimal(_value(number_from, value, path)), "EUR", "hour")}
    amount, currency, period = _parts(value, path, "amount", "currency", "period", required=3)
    amount = amount if isinstance(amount, str) else _value(number_from, amount, f"{path}.amount")
    # The amount may be text: it is checked with the rest of the pay.
    return {"rate": Pay(amount, currency, period)}  # type: ignore[arg-type]


def _home(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    return _place(*_parts(value, path, "country", "region"))


def _place(country: Any, region: Any) -> dict[str, Any]:
    """A region names its country."""
    if country is None and isinstance(region, str):
        country = region[:2]
    return {field: code for field, code in (("country", country), ("region", region)) if code is not None}


def _hours(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    starts, ends, zone = _parts(value, path, "from", "to", "timezone", required=2)
    if zone is None and not candidate.timezone:
        raise InvalidInput(f"{path}.timezone", "is needed")
    return {
        "work_starts_minute": _minute(starts, f"{path}.from"),
        "work_ends_minute": _minute(ends, f"{path}.to"),
        **({"timezone": zone} if zone is not None else {}),
    }


def _languages(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    languages = dict(candidate.languages.values_list("language", "level"))
    for language, level in _several(value, path).items():
        if not isinstance(level, str) or level not in CEFR:
            raise InvalidInput(f"{path}.{language[:8]}", f"must be one of {', '.join(CEFR)}")
        languages[language] = cefr_rank(level)
    return {"languages": [LanguageInput(language, level) for language, level in languages.items()]}


def _authorisations(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    authorisations = dict(candidate.work_authorisations.values_list("country", "expires_on"))
    for country, last_day in _several(value, path).items():
        inner = f"{path}.{country[:8]}"
        authorisations[country] = None if last_day is None else _value(date_from, last_day, inner)
    return {"work_authorisations": [AuthorisationInput(*one) for one in authorisations.items()]}


def _skills(value: Any, path: str, candidate: Candidate) -> dict[str, Any]:
    """Skills are named as they are asked for; one that was stated under the name of a merged skill is known by both."""
    rows = list(candidate.skills.select_related("skill").order_by("pk"))
    stated = {_skill_id(public_id, path): (public_id, one) for public_id, one in _several(value, path).items()}
    asked = dict(Skill.objects.filter(public_id__in=stated).values_list("public_id", "pk"))
    became = survivors([*asked.values(), *(row.skill_id for row in rows)])
    known = {became.get(row.skill_id, row.skill_id): row.skill.public_id for row in rows}
    skills = {
        row.skill.public_id: SkillInput(row.skill.public_id, row.level, row.years, row.last_used_on) for row in rows
    }
    for public_id, (given, one) in stated.items():
        inner = f"{path}.{given[:40]}"
        if public_id not in asked:
            raise InvalidInput(inner, "names no skill")
        named = known.get(became.get(asked[public_id], asked[public_id]), public_id)
        had = skills.get(named)
        level, years, last_used_on = _parts(one, inner, "level", "years", "lastUsedOn")
        if level is None and had is None:
            raise InvalidInput(f"{inner}.level", "is needed")
        skills[named] = SkillInput(
            named,
            level=had.level if level is None and had else level,
            years=had.years if years is None and had else years,
            last_used_on=had.last_used_on
            if last_used_on is None and had
            else None
            if last_used_on is None
            else _value(date_from, last_used_on, f"{inner}.lastUsedOn"),
        )
    return {"skills": list(skills.values())}


_READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    **{name: _declared(ATTRIBUTES[name]) for name in ATTRIBUTES.keys() & CandidateFields.__dataclass_fields__},
    "free_hours": _as_it_is("weekly_hours"),
    "hourly_rate": _rate,
    PLACE.name: _home,
    WORKING_HOURS.name: _hours,
    LANGUAGE.name: _languages,
    WORK_AUTHORISATION.name: _authorisations,
    SKILL.name: _skills,
}
_FIRST_NAME = re.compile(r"[A-Za-z]+")


def _parts(value: Any, path: str, *names: str, required: int = 0) -> list[Any]:
    """The parts of an object by name, None for those that are not given; the first few may be required."""
    if not isinstance(value, Mapping) or not value:
        raise InvalidInput(path, f"must be an object with {', '.join(names)}")
    strange = sorted(str(name) for name in value.keys() - set(names))
    if strange:
        raise InvalidInput(path, f"has no {strange[0][:40]!r}, only {', '.join(names)}")
    for at, name in enumerate(names):
        if (at < required and name not in value) or (name in value and value[name] in (None, "", [], {})):
            raise InvalidInput(f"{path}.{name}", "must say something: an answer clears no fact")
    return [value.get(name) for name in names]


def _several(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise InvalidInput(path, "must be an object")
    if len(value) > MOST_ROWS:
        raise InvalidInput(path, f"must have at most {MOST_ROWS} entries")
    return value


def _value(parse: Callable[[Any], T], raw: Any, path: str) -> T:
    try:
        return parse(raw)
    except BadValue as bad:
        raise InvalidInput(path, bad.problem) from bad


def _minute(raw: Any, path: str) -> int:
    """Local minutes after midnight of a time of day; 24:00 is the end of it."""
    if not isinstance(raw, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", raw, flags=re.ASCII):
        raise InvalidInput(path, "must be a time of day, as in 09:00")
    return int(raw[:2]) * 60 + int(raw[3:])


def _skill_id(raw: str, path: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError as error:
        raise InvalidInput(f"{path}.{raw[:40]}", "names no skill") from error


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
