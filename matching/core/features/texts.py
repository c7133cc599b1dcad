"""What is written of the work, against what is written of a person: titles, and skills that texts mention."""

from __future__ import annotations

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features.declaring import ALL_HEADS, FULL, NEUTRAL, Feature, Names, named, share

MOST_NAMED = 5  # skills in one sentence


def title_affinity(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 where they had the very occupation, else the share of the title's words that their own titles have.

    Neutral where neither can be compared; 0 where only occupations can, and theirs are others.
    """
    occupations = terms.occupation is not None and bool(candidate.occupations)
    if occupations and terms.occupation in candidate.occupations:
        return FULL
    if terms.title_words and candidate.title_words:
        return share(len(terms.title_words & candidate.title_words), len(terms.title_words))
    return 0 if occupations else NEUTRAL


def _title_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if terms.occupation is not None and terms.occupation in candidate.occupations:
        return "has worked in this occupation"
    if not candidate.title_words and not candidate.occupations:
        return "what they worked as is not known"
    if not terms.title_words:
        return "the title says nothing to compare" if terms.occupation is None else "has worked in other occupations"
    if not candidate.title_words:
        return "has worked in other occupations" if terms.occupation is not None else "their titles are not known"
    common = terms.title_words & candidate.title_words
    if not common:
        return "their titles have no word of this one"
    shared = ", ".join(sorted(common))
    return f"their titles share {len(common)} of the {len(terms.title_words)} words of this one: {shared}"


def text_affinity(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Of the skills that the description mentions beyond what it asks for, the share that they declare or mention."""
    if not terms.described_skills:
        return NEUTRAL
    met = sum(
        skill_id in candidate.skills or skill_id in candidate.mentioned_skills for skill_id in terms.described_skills
    )
    return share(met, len(terms.described_skills))


def _text_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    described = terms.described_skills
    if not described:
        return "the description mentions no skills beyond those asked for"
    met = sorted(
        named(skill_id, names)
        for skill_id in described
        if skill_id in candidate.skills or skill_id in candidate.mentioned_skills
    )
    sentence = (
        f"has or mentions {len(met)} of {len(described)} skill{'s' if len(described) > 1 else ''} in the description"
    )
    if not met:
        return sentence
    more = f" and {len(met) - MOST_NAMED} more" if len(met) > MOST_NAMED else ""
    return f"{sentence}: {', '.join(met[:MOST_NAMED])}{more}"


TEXTS = (
    Feature(
        "title_affinity",
        ALL_HEADS,
        "whether they had this occupation, or how many words of the title theirs have",
        "neutral where occupations and titles of either are not known",
        title_affinity,
        _title_sentence,
        reads=("title_words", "occupations"),
    ),
    Feature(
        "text_affinity",
        ALL_HEADS,
        "share of the skills mentioned in the description that they declare or mention",
        "a skill neither declared nor mentioned counts as not had; a description without skills is neutral",
        text_affinity,
        _text_sentence,
        reads=("skills", "mentioned_skills"),
    ),
)
