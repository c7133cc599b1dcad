"""Every fact of an opportunity that a search filter may ask about, declared once.

They are declared like those of candidates, in `matching.core.attributes`, and compared by the same grammar. A fact that
is not stated meets no comparison, and its negation neither: a search finds only what is known to fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from matching.core.attributes import ATTRIBUTES, Attribute, Kind, Missing, Subject, declare

OPPORTUNITY_ATTRIBUTES: Mapping[str, Attribute] = declare(
    Attribute(
        name="commitment",
        kind=Kind.CODE,
        label="commitment",
        description="The kind of engagement.",
        pattern="[a-z_]{1,20}",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="arrangement",
        kind=Kind.CODE,
        label="work arrangement",
        description="Where the work is done: onsite, hybrid or remote.",
        pattern="[a-z]{1,10}",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="weekly_hours",
        kind=Kind.WHOLE,
        label="weekly hours",
        description="Hours a week.",
        unit="hours a week",
        lowest=Decimal(1),
        highest=Decimal(168),
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="years_experience",
        kind=Kind.DECIMAL,
        label="experience asked",
        description="Years of professional experience that are asked for.",
        unit="years",
        lowest=Decimal(0),
        highest=Decimal(80),
        step=Decimal("0.1"),
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="starts_on",
        kind=Kind.DATE,
        label="start",
        description="The first day of work.",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="ends_on",
        kind=Kind.DATE,
        label="end",
        description="The last day of work.",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="published_on",
        kind=Kind.DATE,
        label="published",
        description="The day, in UTC, on which it was first published.",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="closes_on",
        kind=Kind.DATE,
        label="closing day",
        description="The day, in UTC, on which applications close.",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="places",
        kind=Kind.CODES,
        label="place",
        description="Where the person may be: countries, regions, `DE-*` for all of a country, `*` for anywhere.",
        missing=Missing.NO,
        pattern=r"\*|[A-Z]{2}(-([A-Z0-9]{1,3}|\*))?",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="excluded_places",
        kind=Kind.CODES,
        label="excluded place",
        description="Countries and regions where the person may not be.",
        missing=Missing.NO,
        pattern="[A-Z]{2}(-[A-Z0-9]{1,3})?",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="skills",
        kind=Kind.IDS,
        label="skill asked for",
        description="Skills that are asked for.",
        missing=Missing.NO,
        column="skill_ids",
        index_field="skill_ids",
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="skill_families",
        kind=Kind.IDS,
        label="kind of skill asked for",
        description="Skills that are asked for, or of which a narrower kind is.",
        missing=Missing.NO,
        subject=Subject.OPPORTUNITY,
    ),
    Attribute(
        name="organisations",
        kind=Kind.IDS,
        label="organisation",
        description="Who posted it, and who hires.",
        missing=Missing.NO,
        subject=Subject.OPPORTUNITY,
    ),
)

SKILL_ATTRIBUTES = frozenset({"skills", "skill_families"})
"""Those whose values are ids of skills, which may have been merged since a rule was written."""

DECLARED: Mapping[Subject, Mapping[str, Attribute]] = MappingProxyType(
    {Subject.CANDIDATE: ATTRIBUTES, Subject.OPPORTUNITY: OPPORTUNITY_ATTRIBUTES}
)
"""Every declared attribute, by subject and name."""
