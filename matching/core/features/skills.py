"""Skills asked for, against skills that a person has, mentions, or has something near to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features.declaring import (
    ALL_HEADS,
    FULL,
    NEUTRAL,
    Feature,
    Names,
    months_since,
    named,
    plain,
    share,
    thousandths,
)

FRESH_MONTHS = 24  # a skill is as good as ever for so long after its last use
FADING = 5  # thousandths that it loses in each month thereafter …
FADED = 500  # … down to this, after 124 months: what was known once is soon known again

MENTIONED = 800  # thousandths of a declared skill: it was read in a text, and nobody said how well it is known


@lru_cache(maxsize=8192)  # millions of skills were last used on the same few days
def recency(last_used_on: date | None, on: date | None) -> int:
    """Thousandths that are left of a skill on a day: all where either day is not known.

    It falls by whole months, so that it changes at most once a month while nobody does anything.
    """
    if last_used_on is None or on is None:
        return FULL
    return max(FULL - max(months_since(last_used_on, on) - FRESH_MONTHS, 0) * FADING, FADED)


def skill_credit(candidate: CandidateFacts, term: SkillTerm, on: date | None) -> int:
    """Thousandths of one asked skill, 0 without it."""
    fact = candidate.skills.get(term.skill_id)
    return 0 if fact is None else _credit(fact, term, on)


def _credit(fact: SkillFact, term: SkillTerm, on: date | None) -> int:
    """Thousandths of an asked skill that somebody has: level ÷ level asked × years ÷ years asked × recency.

    Years that are asked but not known count as neutral; a last use that is not known takes nothing away.
    """
    credit = share(fact.level, term.min_level)
    if term.min_years is not None and term.min_years > 0:
        years = NEUTRAL if fact.years is None else share(thousandths(fact.years), thousandths(term.min_years))
        credit = credit * years // FULL
    return credit * recency(fact.last_used_on, on) // FULL


def _coverage(candidate: CandidateFacts, terms: OpportunityTerms, required: bool) -> int:
    weight = credit = 0
    for term in terms.skills:
        if term.required is required:
            weight += term.weight
            credit += term.weight * skill_credit(candidate, term, terms.on)
    return credit // weight if weight > 0 else NEUTRAL


def _coverage_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names, required: bool) -> str:
    kind = "required" if required else "preferred"
    asked = 0
    missing, short = [], []
    for term in terms.skills:
        if term.required is not required:
            continue
        asked += 1
        fact = candidate.skills.get(term.skill_id)
        if fact is None:
            missing.append(named(term.skill_id, names))
        elif _credit(fact, term, terms.on) < FULL:
            short.append(f"{named(term.skill_id, names)} ({_shortfall(fact, term, terms.on)})")
    if not asked:
        return f"no {kind} skills are asked for"
    sentence = f"has {asked - len(missing)} of {asked} {kind} skill{'s' if asked > 1 else ''}"
    if missing:
        sentence += f"; missing: {', '.join(missing)}"
    if short:
        sentence += f"; below what is asked: {', '.join(short)}"
    return sentence


def _shortfall(fact: SkillFact, term: SkillTerm, on: date | None) -> str:
    parts = []
    if fact.level < term.min_level:
        parts.append(f"level {fact.level} of {term.min_level}")
    if term.min_years is not None and fact.years is None:
        parts.append("years unknown")
    elif term.min_years is not None and fact.years is not None and fact.years < term.min_years:
        parts.append(f"{plain(fact.years)} of {plain(term.min_years)} years")
    if recency(fact.last_used_on, on) < FULL and fact.last_used_on is not None:
        parts.append(f"last used in {fact.last_used_on.year}")
    return ", ".join(parts) or "slightly short"


def required_skills(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return _coverage(candidate, terms, required=True)


def preferred_skills(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    return _coverage(candidate, terms, required=False)


Shape = tuple[int, int, Decimal | None]
"""What of an asked skill decides its credit: the skill, its level, its years."""


class RequiredSkills:
    """The required skills of one opportunity, ready to be held against many people of whom few have any."""

    __slots__ = ("_on", "_terms", "_weight")

    def __init__(self, terms: OpportunityTerms) -> None:
        asked = [term for term in terms.skills if term.required]
        self._terms = [((term.skill_id, term.min_level, term.min_years), term) for term in asked]
        self._weight = sum(term.weight for term in asked)
        self._on = terms.on

    def value(self, candidate: CandidateFacts, credits: dict[Shape, int]) -> int:
        """As `required_skills`. `credits` holds what was reckoned of this person, for opportunities of the same day."""
        if self._weight <= 0:
            return NEUTRAL
        skills, credit = candidate.skills, 0
        for shape, term in self._terms:
            if shape[0] in skills:
                if shape not in credits:
                    credits[shape] = skill_credit(candidate, term, self._on)
                credit += term.weight * credits[shape]
        return credit // self._weight


def _required_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    return _coverage_sentence(candidate, terms, names, required=True)


def _preferred_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    return _coverage_sentence(candidate, terms, names, required=False)


class Nearest(NamedTuple):
    """What comes closest to an asked skill of all that a person has or mentions. `skill_id` is None for nothing."""

    credit: int
    skill_id: int | None


def nearest(candidate: CandidateFacts, term: SkillTerm) -> Nearest:
    """Full for the skill itself, whatever its level; of others their closeness; less where it is only mentioned."""
    best = Nearest(0, None)
    for skill_id, closeness in ((term.skill_id, FULL), *term.near):
        if skill_id in candidate.skills:
            credit = closeness
        elif skill_id in candidate.mentioned_skills:
            credit = closeness * MENTIONED // FULL
        else:
            continue
        if credit > best.credit:
            best = Nearest(credit, skill_id)
    return best


def near_skills(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """How near a person comes to all that is asked, required or preferred, by weight."""
    weight = sum(term.weight for term in terms.skills)
    if weight <= 0:
        return NEUTRAL
    return sum(term.weight * nearest(candidate, term).credit for term in terms.skills) // weight


def _near_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if not terms.skills:
        return "no skills are asked for"
    missing = [term for term in terms.skills if term.skill_id not in candidate.skills]
    if not missing:
        return "has every skill that is asked for"
    parts, without = [], []
    for term in missing:
        asked, found = named(term.skill_id, names), nearest(candidate, term).skill_id
        if found is None:
            without.append(asked)
        elif found == term.skill_id:
            parts.append(f"mentions {asked} without declaring it")
        else:
            verb = "has" if found in candidate.skills else "mentions"
            parts.append(f"missing {asked}, but {verb} {named(found, names)}, which is near")
    if without:
        parts.append(f"has nothing near to {', '.join(without)}")
    return "; ".join(parts)


SKILLS = (
    Feature(
        "required_skills",
        ALL_HEADS,
        "share of required skills, by weight, level, years and how long ago they were used",
        "a skill not listed counts as not had, a last use not known as recent; nothing asked is neutral",
        required_skills,
        _required_sentence,
        reads=("skills",),
    ),
    Feature(
        "preferred_skills",
        ALL_HEADS,
        "share of preferred skills, by weight, level, years and how long ago they were used",
        "a skill not listed counts as not had, a last use not known as recent; nothing asked is neutral",
        preferred_skills,
        _preferred_sentence,
        reads=("skills",),
    ),
    Feature(
        "near_skills",
        ALL_HEADS,
        "how near in the taxonomy they come to the skills asked, by weight; the skill itself is nearest",
        "a skill neither listed nor mentioned counts as not had; nothing asked is neutral",
        near_skills,
        _near_sentence,
        reads=("skills", "mentioned_skills"),
    ),
)
