"""What scoring looks at, each feature declared once: its unit, its range, what a missing fact means, its sentence.

A value is an integer in thousandths, 0 to 1000, made by integer arithmetic with divisions that round down, from
facts quantised first (years to thousandths, pay to cents). SQL can therefore repeat every value exactly.
500 is neutral: a fact is missing, or nothing was asked. Rates over a person's history stand at what is usual instead.

None of them reads anything about sex, age, ethnicity, religion or health; titles are compared without what they say
of the sexes that they address.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features.conditions import CONDITIONS, LATE_DAYS, OFFICE_HOURS, OTHER_REGION
from matching.core.features.declaring import FULL, NEUTRAL, Feature, Names, cents, share, thousandths
from matching.core.features.record import RECORD
from matching.core.features.skills import SKILLS, RequiredSkills, Shape, nearest, skill_credit
from matching.core.features.texts import TEXTS

__all__ = [
    "FEATURES",
    "FULL",
    "LATE_DAYS",
    "NEUTRAL",
    "OFFICE_HOURS",
    "OTHER_REGION",
    "Feature",
    "Names",
    "RequiredSkills",
    "Shape",
    "cents",
    "facts_weighed",
    "feature_values",
    "share",
    "skill_credit",
    "skills_told_of",
    "thousandths",
]

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {feature.name: feature for feature in (*SKILLS, *TEXTS, *CONDITIONS, *RECORD)}
)


def feature_values(candidate: CandidateFacts, terms: OpportunityTerms) -> dict[str, int]:
    """Every declared feature of one pair, in order of declaration."""
    return {name: feature.value(candidate, terms) for name, feature in FEATURES.items()}


def facts_weighed(features: Iterable[str]) -> frozenset[str]:
    """What these features read of the facts that hang on a candidate. Names that are not declared, of older models,
    read nothing."""
    return frozenset(fact for name in features if name in FEATURES for fact in FEATURES[name].reads)


def skills_told_of(candidate: CandidateFacts, terms: OpportunityTerms, features: Collection[str]) -> set[int]:
    """The skills that sentences about a pair may name, where they tell of these features."""
    told = {term.skill_id for term in terms.skills}
    if "near_skills" in features:
        near = (nearest(candidate, term).skill_id for term in terms.skills)
        told.update(key for key in near if key is not None)
    if "text_affinity" in features:
        told |= terms.described_skills & (candidate.skills.keys() | candidate.mentioned_skills)
    return told
