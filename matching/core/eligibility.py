"""May this candidate be considered, why not, and what would change it: verdicts with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from matching.core.attributes import LANGUAGE, SKILL, WORK_AUTHORISATION
from matching.core.facts import CandidateFacts
from matching.core.nearest import NearestChange, nearest_change
from matching.core.reasons import (
    AttributeFails,
    Excluded,
    LanguageTooLow,
    NotAuthorised,
    Question,
    Reason,
    SkillMissing,
    SkillTooLow,
    SkillTooShort,
    reason_from_json,
)
from matching.core.rules.grammar import Compare, Disclosure, HasLanguage, HasSkill, Json, MayWorkIn, Rule
from matching.core.rules.normal import Literal, Normal, normal
from matching.core.truth import Truth, counted, literal_truth, truth

__all__ = ["Basis", "Outcome", "Verdict", "evaluate", "nearest_change", "truth"]


class Outcome(StrEnum):
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    UNKNOWN = "unknown"  # a fact is missing: may apply once it is given, is never allocated


OUTCOMES: Mapping[Truth, Outcome] = {True: Outcome.ELIGIBLE, False: Outcome.INELIGIBLE, None: Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a verdict was judged by. None where the caller did not say."""

    rule_revision: int | None = None
    taxonomy_revision: int | None = None  # at which merged skills were resolved
    exchange_rates: int | None = None  # id of the set that turned the rate into EUR
    candidate_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """May they, why not, and what would change it.

    `failed` and `unknown` explain the rule's own answer. With `waived` somebody let the person in all the same: the
    outcome is eligible, and the reasons stay to be seen.
    """

    outcome: Outcome
    on: date
    failed: tuple[Reason, ...] = ()
    unknown: tuple[Question, ...] = ()
    nearest: NearestChange | None = None
    waived: bool = False
    basis: Basis = Basis()

    @property
    def is_eligible(self) -> bool:
        return self.outcome is Outcome.ELIGIBLE

    def disclosed_to(self, audience: Disclosure) -> Verdict:
        """The verdict without what this audience may not see.

        Questions stay, stripped of their criterion: they must be answered, and say nothing of what is asked for.
        The nearest change goes as a whole when any part of it would betray a hidden criterion.
        """
        nearest = self.nearest if self.nearest and self.nearest.disclosure.is_open_to(audience) else None
        return replace(
            self,
            failed=tuple(reason for reason in self.failed if reason.disclosure.is_open_to(audience)),
            unknown=tuple(
                question if question.disclosure.is_open_to(audience) else replace(question, path="")
                for question in self.unknown
            ),
            nearest=nearest,
        )

    def to_json(self) -> dict[str, Json]:
        """Plain JSON, for storage and replay: equal verdicts give equal JSON."""
        return {
            "outcome": self.outcome.value,
            "on": self.on.isoformat(),
            "failed": [reason.to_json() for reason in self.failed],
            "unknown": [question.to_json() for question in self.unknown],
            "nearest": self.nearest.to_json() if self.nearest else None,
            "waived": self.waived,
            "basis": asdict(self.basis),
        }

    @classmethod
    def from_json(cls, raw: Mapping) -> Verdict:
        return cls(
            outcome=Outcome(raw["outcome"]),
            on=date.fromisoformat(raw["on"]),
            failed=tuple(reason_from_json(reason) for reason in raw["failed"]),
            unknown=tuple(Question.from_json(question) for question in raw["unknown"]),
            nearest=NearestChange.from_json(raw["nearest"]) if raw["nearest"] else None,
            waived=raw["waived"],
            basis=Basis(**raw["basis"]),
        )


def evaluate(
    rule: Rule,
    facts: CandidateFacts,
    *,
    on: date,
    waived: bool = False,
    basis: Basis | None = None,
    nearest: bool = False,
) -> Verdict:
    """Judge, with reasons. `nearest` also looks for the nearest change, which may take milliseconds: ask for it where
    a person reads the verdict, not where thousands are judged."""
    answer = truth(rule, facts, on=on)
    causes = _explain(normal(rule), facts, on)[1] if answer is not True else []
    return Verdict(
        outcome=Outcome.ELIGIBLE if waived else OUTCOMES[answer],
        on=on,
        failed=tuple(_reason(literal, facts) for literal in causes) if answer is False else (),
        unknown=_questions(causes) if answer is None else (),
        nearest=nearest_change(rule, facts, on=on) if nearest and answer is False else None,
        waived=waived,
        basis=basis or Basis(candidate_revision=facts.revision),
    )


# Explanations


def _explain(node: Normal, facts: CandidateFacts, on: date) -> tuple[Truth, list[Literal]]:
    """The answer and the literals that caused it: the failed ones of a refusal, the open ones of an unknown."""
    if isinstance(node, Literal):
        answer = literal_truth(node, facts, on)
        return answer, [] if answer else [node]
    parts = [_explain(part, facts, on) for part in node.of]
    answer = counted(node.n, [part for part, _ in parts])
    return answer, [literal for part, causes in parts if part is answer for literal in causes] if not answer else []


def _reason(literal: Literal, facts: CandidateFacts) -> Reason:
    criterion = literal.criterion
    at: dict[str, Any] = {"path": literal.path, "disclosure": criterion.disclosure}
    if not literal.wanted:
        return Excluded(criterion=criterion, **at)
    match criterion:
        case Compare(name, op, value):
            return AttributeFails(attribute=name, op=op, has=criterion.attribute.read(facts), needs=value, **at)
        case HasSkill(skill_id, min_level, min_years):
            skill = facts.skills.get(skill_id)
            if skill is None:
                return SkillMissing(skill_id=skill_id, needs=min_level, **at)
            if skill.level < min_level:
                return SkillTooLow(skill_id=skill_id, has=skill.level, needs=min_level, **at)
            if skill.years is not None and min_years is not None:
                return SkillTooShort(skill_id=skill_id, has=skill.years, needs=min_years, **at)
        case HasLanguage(language, min_level):
            has = facts.languages.get(language)
            return LanguageTooLow(language=language, has=has, needs=min_level, **at)
        case MayWorkIn(country):
            return NotAuthorised(country=country, expired_on=facts.work_authorisations.get(country), **at)
    raise TypeError(criterion)


def _questions(causes: Iterable[Literal]) -> tuple[Question, ...]:
    """One question a missing fact, in the order of the rule, however many criteria wait for it."""
    questions: dict[tuple[str, str | int | None], Question] = {}
    for literal in causes:
        criterion = literal.criterion
        key: str | int | None = None
        match criterion:
            case Compare(name):
                subject, question = name, criterion.attribute.question
            case HasSkill(skill_id):
                subject, question, key = SKILL.name, SKILL.question, skill_id
            case HasLanguage():
                subject, question = LANGUAGE.name, LANGUAGE.question
            case MayWorkIn():
                subject, question = WORK_AUTHORISATION.name, WORK_AUTHORISATION.question
        asked = Question(
            subject=subject, key=key, question=question, path=literal.path, disclosure=criterion.disclosure
        )
        known = questions.setdefault((subject, key), asked)
        if criterion.disclosure.rank < known.disclosure.rank:  # the most open criterion may explain the question
            questions[subject, key] = asked
    return tuple(questions.values())
