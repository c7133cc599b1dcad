"""What caused a verdict: the criteria that decided it, the reasons they give and the questions they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    PLACE,
    SKILL,
    SKILL_USE_QUESTION,
    SKILL_YEARS_QUESTION,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Structure,
)
from matching.core.clock import longest_overlap, months_before
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.reasons import (
    AttributeFails,
    Excluded,
    HoursTooLittleOverlap,
    LanguageTooLow,
    LivesElsewhere,
    NoPayForPlace,
    NotAuthorised,
    Question,
    RateAbovePay,
    Reason,
    SkillMissing,
    SkillNotRecent,
    SkillTooLow,
    SkillTooShort,
    VettingExpired,
    VettingFailed,
)
from matching.core.rules.grammar import (
    Compare,
    Grounds,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    RateWithinPay,
    Vetted,
    resolved,
)
from matching.core.rules.normal import Literal, Normal
from matching.core.truth import NO_RATE, Truth, counted, literal_truth, pay_range, skill_truth


def explain(node: Normal, facts: CandidateFacts, on: date) -> tuple[Truth, list[Literal]]:
    """The answer and the literals that caused it: the failed ones of a refusal, the open ones of an unknown."""
    if isinstance(node, Literal):
        answer = literal_truth(node, facts, on)
        return answer, [] if answer else [node]
    parts = [explain(part, facts, on) for part in node.of]
    answer = counted(node.n, [part for part, _ in parts])
    return answer, [literal for part, causes in parts if part is answer for literal in causes] if not answer else []


# Reasons


def reasons(causes: Iterable[Literal], facts: CandidateFacts, on: date) -> tuple[Reason, ...]:
    return tuple(reason for literal in causes for reason in _reasons(literal, facts, on))


def _reasons(literal: Literal, facts: CandidateFacts, on: date) -> Iterator[Reason]:
    """Why one literal failed: one reason, or one for each thing that a skill falls short of."""
    criterion = literal.criterion
    at: dict[str, Any] = {"path": literal.path, "disclosure": criterion.disclosure}
    if not literal.wanted:
        # As it was written: what it resolved to is not the criterion's own, and would not survive storage.
        yield Excluded(criterion=resolved(criterion, Grounds()), **at)  # type: ignore[arg-type]
        return
    match criterion:
        case Compare(name, op, value):
            yield AttributeFails(attribute=name, op=op, has=criterion.attribute.read(facts), needs=value, **at)
        case HasSkill():
            yield from _skill_reasons(criterion, facts, on, at)
        case HasLanguage(language, min_level):
            yield LanguageTooLow(language=language, has=facts.languages.get(language), needs=min_level, **at)
        case MayWorkIn(country):
            yield NotAuthorised(country=country, expired_on=facts.work_authorisations.get(country), **at)
        case LivesIn(places):
            yield LivesElsewhere(has=facts.region or facts.country or "", needs=places, **at)
        case HoursOverlap():
            yield HoursTooLittleOverlap(has=overlap(criterion, facts, on), needs=criterion, **at)
        case RateWithinPay(_, ceilings):
            _, ceiling = pay_range(ceilings, facts)
            if ceiling == NO_RATE or facts.hourly_rate is None:
                yield NoPayForPlace(place=facts.region or facts.country or None, **at)
            else:
                yield RateAbovePay(has=facts.hourly_rate, ceiling=ceiling, **at)
        case Vetted(check):
            result = facts.vetting[check]
            if result.passed and result.until is not None:
                yield VettingExpired(check=check, expired_on=result.until, **at)
            else:
                yield VettingFailed(check=check, **at)


def _skill_reasons(criterion: HasSkill, facts: CandidateFacts, on: date, at: dict[str, Any]) -> Iterator[Reason]:
    there = [skill_id for skill_id in criterion.accepted if skill_id in facts.skills]
    if not there:
        yield SkillMissing(
            skill_id=criterion.skill_id, needs=criterion.min_level, narrower=bool(criterion.counted), **at
        )
        return
    skill_id = min(there, key=lambda each: shortfall(criterion, facts.skills[each], on))
    skill, short = facts.skills[skill_id], shortfall(criterion, facts.skills[skill_id], on)
    about: dict[str, Any] = {"skill_id": skill_id, **at}
    if skill_id != criterion.skill_id:
        about["counts_as"] = criterion.skill_id
    if short.level:
        yield SkillTooLow(has=skill.level, needs=criterion.min_level, **about)
    if short.years and skill.years is not None and criterion.min_years is not None:
        yield SkillTooShort(has=skill.years, needs=criterion.min_years, **about)
    if short.days and skill.last_used_on is not None:
        since = months_before(on, criterion.used_within_months or 0)
        yield SkillNotRecent(last_used_on=skill.last_used_on, needs_since=since, **about)


class Shortfall(NamedTuple):
    """By how much a skill misses what is asked; fewer parts first, then levels. What is not known misses nothing."""

    parts: int
    level: int
    years: Decimal
    days: int  # too long ago


def shortfall(criterion: HasSkill, skill: SkillFact, on: date) -> Shortfall:
    level = max(0, criterion.min_level - skill.level)
    years = Decimal(0)
    if criterion.min_years is not None and skill.years is not None:
        years = max(years, criterion.min_years - skill.years)
    days = 0
    if criterion.used_within_months is not None and skill.last_used_on is not None:
        days = max(0, (months_before(on, criterion.used_within_months) - skill.last_used_on).days)
    return Shortfall((level > 0) + (years > 0) + (days > 0), level, years, days)


def overlap(criterion: HoursOverlap, facts: CandidateFacts, on: date) -> int:
    """The minutes on end that working hours share with the window asked; none where the hours are not known."""
    window = facts.working_window
    return longest_overlap(*window, criterion.starts_utc(on), criterion.length) if window else 0


# Questions

_COVERS = {PLACE.name: ("country", "region"), WORKING_HOURS.name: ("timezone",)}
"""Questions that ask for what others ask for too."""


class _Asked(NamedTuple):
    subject: str
    question: str
    key: str | int | None = None
    asked_of_candidate: bool = True


def questions(causes: Iterable[Literal], facts: CandidateFacts, on: date) -> tuple[Question, ...]:
    """One question a missing fact, in the order of the rule, however many criteria wait for it."""
    found: dict[tuple[str, str | int | None], Question] = {}
    for literal in causes:
        disclosure = literal.criterion.disclosure
        for asked in _asked(literal, facts, on):
            question = Question(path=literal.path, disclosure=disclosure, **asked._asdict())
            known = found.setdefault((asked.subject, asked.key), question)
            if known is question:
                continue
            # The most open criterion may explain a question; what any of them lacks is asked.
            opener = question if disclosure.rank < known.disclosure.rank else known
            wider = known.question if known.question == asked.question else SKILL.question
            found[asked.subject, asked.key] = Question(
                path=opener.path, disclosure=opener.disclosure, **{**asked._asdict(), "question": wider}
            )
    covered = {name for subject, _ in found for name in _COVERS.get(subject, ())}
    return tuple(question for (subject, _), question in found.items() if subject not in covered)


def _asked(literal: Literal, facts: CandidateFacts, on: date) -> Iterator[_Asked]:
    """What one open literal lacks."""
    match literal.criterion:
        case Compare():
            attribute = literal.criterion.attribute
            yield _of_attribute(attribute.asked_as or attribute.name)
        case HasSkill() as criterion:
            for skill_id in criterion.accepted:
                skill = facts.skills.get(skill_id)
                if skill is not None and skill_truth(criterion, skill, on) is None:
                    yield _Asked(SKILL.name, _skill_question(criterion, skill), skill_id)
        case HasLanguage():
            yield _of_structure(LANGUAGE)
        case MayWorkIn():
            yield _of_structure(WORK_AUTHORISATION)
        case LivesIn(places):
            yield _of_place(facts, places)
        case HoursOverlap():
            if facts.work_starts_minute is None or facts.work_ends_minute is None:
                yield _of_structure(WORKING_HOURS)
            else:
                yield _of_attribute("timezone")
        case RateWithinPay(_, ceilings):
            low, high = pay_range(ceilings, facts)
            if facts.hourly_rate is None:
                yield _of_attribute("hourly_rate")
            if low != high:
                yield _of_place(facts, (one.place for one in ceilings or ()))
        case Vetted(check):
            yield _Asked(VETTING.name, VETTING.question, check, VETTING.asked_of_candidate)


def _of_attribute(name: str) -> _Asked:
    return _Asked(name, ATTRIBUTES[name].question)


def _of_structure(structure: Structure) -> _Asked:
    return _Asked(structure.name, structure.question, None, structure.asked_of_candidate)


def _of_place(facts: CandidateFacts, places: Iterable[str]) -> _Asked:
    """The country, the region or both, whichever is missing and matters."""
    if facts.country:
        return _of_attribute("region")
    return _of_structure(PLACE) if any("-" in place for place in places) else _of_attribute("country")


def _skill_question(criterion: HasSkill, skill: SkillFact) -> str:
    lacks_years = criterion.min_years is not None and skill.years is None
    lacks_use = criterion.used_within_months is not None and skill.last_used_on is None
    if lacks_years and lacks_use:
        return SKILL.question
    return SKILL_YEARS_QUESTION if lacks_years else SKILL_USE_QUESTION
