"""Does a rule accept a candidate? The specification of what a rule means.

Logic is Kleene's: a criterion is true, false or unknown (None) where the fact that it asks about is missing. The SQL
evaluator, `matching.compile_sql`, and the search index have to agree with `truth` on every rule and every candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from matching.core.attributes import Missing, Operator
from matching.core.clock import longest_overlap, months_before
from matching.core.facts import CandidateFacts, OpportunityFacts, SkillFact
from matching.core.rules.grammar import (
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    MayWorkIn,
    Not,
    PayCeiling,
    RateWithinPay,
    Rule,
    Vetted,
    compared,
)
from matching.core.rules.normal import Literal

Truth: TypeAlias = bool | None


def truth(rule: Rule, facts: CandidateFacts | OpportunityFacts, *, on: date) -> Truth:
    """Whether the rule accepts the candidate on that day; None where a missing fact decides. Of an opportunity, a rule
    about opportunities is asked."""
    return _JUDGES[type(rule)](rule, facts, on)


# Criteria


def criterion_truth(criterion: Criterion, facts: CandidateFacts, on: date) -> Truth:
    return _JUDGES[type(criterion)](criterion, facts, on)


def _compare(criterion: Compare, facts: CandidateFacts | OpportunityFacts, on: date) -> Truth:
    return compare_truth(criterion, criterion.attribute.read(facts))


def compare_truth(criterion: Compare, has: object) -> Truth:
    """Whether what an attribute says, None for nothing, meets a comparison with it."""
    attribute = criterion.attribute
    if criterion.op is Operator.EXISTS:
        return (has is not None) is criterion.value
    if has is None:
        return None if attribute.missing is Missing.UNKNOWN else False
    return compared(attribute, criterion.op, criterion.value, has)


def _has_skill(criterion: HasSkill, facts: CandidateFacts, on: date) -> Truth:
    if not criterion.counted:
        return skill_truth(criterion, facts.skills.get(criterion.skill_id), on)
    answer: Truth = False
    for skill_id in criterion.accepted:
        one = skill_truth(criterion, facts.skills.get(skill_id), on)
        if one is True:
            return True
        if one is None:
            answer = None
    return answer


def skill_truth(criterion: HasSkill, skill: SkillFact | None, on: date) -> Truth:
    """Whether one skill of the candidate, of those accepted, meets everything that is asked of it."""
    if skill is None or skill.level < criterion.min_level:
        return False
    answer: Truth = True
    if criterion.min_years is not None:
        if skill.years is None:
            answer = None
        elif skill.years < criterion.min_years:
            return False
    if criterion.used_within_months is not None:
        if skill.last_used_on is None:
            return None
        if skill.last_used_on < months_before(on, criterion.used_within_months):
            return False
    return answer


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


def _lives_in(criterion: LivesIn, facts: CandidateFacts, on: date) -> Truth:
    if facts.region:
        return facts.region in criterion.places or facts.region[:2] in criterion.places
    if not facts.country:
        return None
    if facts.country in criterion.places:
        return True
    return None if any(place.startswith(f"{facts.country}-") for place in criterion.places) else False


def _hours_overlap(criterion: HoursOverlap, facts: CandidateFacts, on: date) -> Truth:
    window = facts.working_window
    if window is None:
        return None
    return longest_overlap(*window, criterion.starts_utc(on), criterion.length) >= criterion.minutes


def _rate_within_pay(criterion: RateWithinPay, facts: CandidateFacts, on: date) -> Truth:
    low, high = pay_range(criterion.ceilings, facts)
    if low == ANY_RATE:
        return True
    if high == NO_RATE:
        return False
    if facts.hourly_rate is None:
        return None
    if facts.hourly_rate <= low:
        return True
    return False if facts.hourly_rate > high else None


NO_RATE, ANY_RATE = Decimal("-Infinity"), Decimal("Infinity")


def pay_range(ceilings: tuple[PayCeiling, ...] | None, facts: CandidateFacts) -> tuple[Decimal, Decimal]:
    """The lowest and the highest that the pay where they live may come to, EUR an hour: two figures where the place is
    not known closely enough. `ANY_RATE` where no hourly figure limits it, `NO_RATE` where no band holds."""
    if ceilings is None:
        raise UnresolvedRule("the pay of the opportunity is not known to the rule")
    by_place = {one.place: ANY_RATE if one.hourly is None else one.hourly for one in ceilings}
    elsewhere = by_place.get("", NO_RATE)
    country = facts.region[:2] if facts.region else facts.country
    if not country:
        possible = {elsewhere, *by_place.values()}
    else:
        nationwide = by_place.get(country, elsewhere)
        if facts.region:
            possible = {by_place.get(facts.region, nationwide)}
        else:
            regional = (pay for place, pay in by_place.items() if place.startswith(f"{country}-"))
            possible = {nationwide, *regional}
    return min(possible), max(possible)


class UnresolvedRule(Exception):
    """A rule was judged that `resolved` has not seen, though it refers to what it does not hold."""


def _vetted(criterion: Vetted, facts: CandidateFacts, on: date) -> Truth:
    result = facts.vetting.get(criterion.check)
    if result is None:
        return None
    return result.passed and (result.until is None or result.until >= on)


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
    LivesIn: _lives_in,
    HoursOverlap: _hours_overlap,
    RateWithinPay: _rate_within_pay,
    Vetted: _vetted,
}
