"""Eligibility rules: their grammar, how they are read from JSON and refused, written back, and put in words."""

from matching.core.rules.faults import InvalidRule, RuleFault
from matching.core.rules.grammar import (
    OPEN_TO_ALL,
    All,
    Any,
    AtLeast,
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    MayWorkIn,
    Not,
    Rule,
    criteria,
    dump,
    skill_ids,
    with_merges,
)
from matching.core.rules.normal import Literal, Quorum, literals, normal
from matching.core.rules.reading import MAX_CRITERIA, MAX_LEVELS, MAX_LISTED, load, parse
from matching.core.rules.wording import text

__all__ = [
    "MAX_CRITERIA",
    "MAX_LEVELS",
    "MAX_LISTED",
    "OPEN_TO_ALL",
    "All",
    "Any",
    "AtLeast",
    "Compare",
    "Criterion",
    "Disclosure",
    "HasLanguage",
    "HasSkill",
    "InvalidRule",
    "Literal",
    "MayWorkIn",
    "Not",
    "Quorum",
    "Rule",
    "RuleFault",
    "criteria",
    "dump",
    "literals",
    "load",
    "normal",
    "parse",
    "skill_ids",
    "text",
    "with_merges",
]
