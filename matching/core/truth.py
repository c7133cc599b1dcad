"""Does a rule accept a candidate? The specification of what a rule means.

Logic is Kleene's: a criterion is true, false or unknown (None) where the fact that it asks about is missing. The SQL
evaluator, `matching.compile_sql`, and the search index have to agree with `truth` on every rule and every candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeAlias

from matching.core.attributes import Missing, Operator
from matching.core.facts import CandidateFacts
from matching.core.rules.grammar import (
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    MayWorkIn,
    Not,
    Rule,
    compared,
)
from matching.core.rules.normal import Literal

Truth: TypeAlias = bool | None


def truth(rule: Rule, facts: CandidateFacts, *, on: date) -> Truth:
    """Whether the rule accepts the candidate on that day; None where a missing fact decides."""
    return _JUDGES[type(rule)](rule, facts, on)


# Criteria


def criterion_truth(criterion: Criterion, facts: CandidateFacts, on: date) -> Truth:
    return _JUDGES[type(criterion)](criterion, facts, on)


def _compare(criterion: Compare, facts: CandidateFacts, on: date) -> Truth:
    attribute = criterion.attribute
    has = attribute.read(facts)
    if criterion.op is Operator.EXISTS:
        return (has is not None) is criterion.value
    if has is None:
        return None if attribute.missing is Missing.UNKNOWN else False
    return compared(attribute, criterion.op, criterion.value, has)


def _has_skill(criterion: HasSkill, facts: CandidateFacts, on: date) -> Truth:
    skill = facts.skills.get(criterion.skill_id)
    if skill is None or skill.level < criterion.min_level:
        return False
    if criterion.min_years is None:
        return True
    return None if skill.years is None else skill.years >= criterion.min_years


def _has_language(criterion: HasLanguage, facts: CandidateFacts, on: date) -> Truth:
    if not facts.languages:
        return None
    return facts.languages.get(criterion.language, 0) >= criterion.min_level


def _may_work_in(criterion: MayWorkIn, facts: CandidateFacts, on: date) -> Truth:
    if not facts.work_authorisations:
        return None
    if criterion.country not in facts.work_authorisations:
        return False
    last_day = facts.work_authorisations[criterion.country]
    return last_day is None or last_day >= on


def literal_truth(literal: Literal, facts: CandidateFacts, on: date) -> Truth:
    holds = criterion_truth(literal.criterion, facts, on)
    return holds if holds is None or literal.wanted else not holds


# Combinations


def _all(rule: All, facts: CandidateFacts, on: date) -> Truth:
    answer: Truth = True
    for part in rule.of:
        verdict = _JUDGES[type(part)](part, facts, on)
        if verdict is False:
            return False
        if verdict is None:
            answer = None
    return answer


def _any(rule: Any, facts: CandidateFacts, on: date) -> Truth:
    answer: Truth = False
    for part in rule.of:
        verdict = _JUDGES[type(part)](part, facts, on)
        if verdict is True:
            return True
        if verdict is None:
            answer = None
    return answer


def _not(rule: Not, facts: CandidateFacts, on: date) -> Truth:
    verdict = _JUDGES[type(rule.rule)](rule.rule, facts, on)
    return None if verdict is None else not verdict


def _at_least(rule: AtLeast, facts: CandidateFacts, on: date) -> Truth:
    return counted(rule.n, [_JUDGES[type(part)](part, facts, on) for part in rule.of])


def counted(n: int, answers: list[Truth]) -> Truth:
    """Whether at least n hold, as far as the answers tell."""
    if answers.count(True) >= n:
        return True
    return False if len(answers) - answers.count(False) < n else None


_JUDGES: Mapping[type, Callable[..., Truth]] = {
    All: _all,
    Any: _any,
    Not: _not,
    AtLeast: _at_least,
    Compare: _compare,
    HasSkill: _has_skill,
    HasLanguage: _has_language,
    MayWorkIn: _may_work_in,
}
