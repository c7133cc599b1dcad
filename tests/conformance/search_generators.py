"""Openings, people and searches of them, drawn in bulk from a seed.

Documents and queries share a few words, some of which begin like others, a few skills, places and days, so that they
meet at their edges and often tie.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from matching.core.attributes import Kind, Subject
from matching.core.facts import OpportunityFacts
from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from matching.core.rules import OPEN_TO_ALL, Compare, Disclosure, Rule
from matching.core.search.query import SHORTEST_OPEN, SearchText, Segment
from matching.core.search.search import (
    EVERYTHING,
    FACETS,
    NO_END,
    PEOPLE_SORT_KEYS,
    SCHEMES,
    SORT_KEYS,
    Opening,
    PayRange,
    Person,
    Reach,
    Search,
)
from matching.core.search.words import stem
from tests.conformance.generators import DAYS, JUDGED_ON, Chance, comparison, facts, rule

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MOMENTS = tuple(
    NOW + distance
    for distance in (
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(microseconds=999),
        timedelta(milliseconds=1),
        timedelta(days=-1),
        timedelta(days=-400),
    )
)
WORDS = (
    "weld",
    "welder",
    "welding",
    "java",
    "javascript",
    "c++",
    ".net",
    "node.js",
    "nurse",
    "软件",
    "软件工程师",
    "مهندس",
)
TITLES = ("", "a", "aa", "c", "c++", "welder", "welder 2", "zz", "軟體", "\U00020000")  # the last: beyond 16 bits
SKILLS = tuple(range(1, 6))
ORGANISATIONS = (1, 2, 3)
STATES = ("draft", "in_review", "published", "published", "published", "paused", "closed", "suspended")
CENTS = (0, 1, 2_400_000, 5_000_000, 5_000_001, 2**62)

OPENING_WORLD: dict[str, tuple] = {
    "commitment": ("full_time", "part_time", "contract"),
    "arrangement": ("onsite", "hybrid", "remote"),
    "weekly_hours": (10, 20, 21, 40),
    "years_experience": tuple(map(Decimal, ("0", "0.5", "2", "2.5"))),
    "starts_on": DAYS,
    "ends_on": DAYS,
    "published_on": DAYS,
    "closes_on": DAYS,
    "places": ("*", "DE", "DE-*", "DE-BE", "AT", "AT-*", "AT-9"),
    "excluded_places": ("DE", "DE-BY", "AT"),
    "skills": SKILLS,
    "skill_families": (*SKILLS, 8, 9),
    "organisations": ORGANISATIONS,
}
"""Values by attribute; every declared one has some."""


# Documents


def opening(chance: Chance, pk: int) -> Opening:
    known: dict[str, object] = {}
    for attribute in OPPORTUNITY_ATTRIBUTES.values():
        world = OPENING_WORLD[attribute.name]
        if attribute.kind in (Kind.CODES, Kind.IDS):
            known[attribute.fact] = frozenset(chance.some(world))
        else:
            known[attribute.fact] = chance.maybe(lambda world=world: chance.one(world))
    stated = OpportunityFacts(pk, **known)  # type: ignore[arg-type]
    return Opening(
        facts=stated,
        text=_text(chance, Subject.OPPORTUNITY, stated.skills, stated.skill_families, also=chance.some(WORDS)),
        state=chance.one(STATES),
        visibility=chance.one(("public", "public", "public", "unlisted", "invited")),
        organisation=chance.one(ORGANISATIONS),
        title=chance.one(TITLES),
        listed_at=chance.one(MOMENTS),
        closes_at=chance.one((*MOMENTS, NO_END)),
        pay=tuple(_ordered(chance) for _ in range(chance.number(0, 3))),
    )


def person(chance: Chance, pk: int) -> Person:
    stated = facts(chance, pk)
    skills = frozenset(stated.skills)
    return Person(
        facts=stated,
        text=_text(chance, Subject.CANDIDATE, skills, skills.union(chance.some((8, 9))), also=()),
        discoverable=chance.one((True, True, True, False)),
        present=chance.one((True, True, True, False)),
        open_to_offers=chance.one((True, False)),
        blocked=frozenset(chance.some(ORGANISATIONS)),
    )


def _text(chance: Chance, about: Subject, skills: frozenset, families: frozenset, also) -> SearchText:
    fields = {field: frozenset(stem(word) for word in chance.some(WORDS)[:3]) for field in SCHEMES[about].fields}
    return SearchText(fields, frozenset(map(stem, also)).union(*fields.values()), skills, families)


def _ordered(chance: Chance) -> tuple[int, int]:
    one, other = chance.one(CENTS), chance.one(CENTS)
    return min(one, other), max(one, other)


# Searches


def search(chance: Chance, about: Subject, ids: list[int]) -> Search:
    """A search that asks for a few things; `ids` are those of all documents."""
    openings = about is Subject.OPPORTUNITY

    def sometimes(draw, otherwise, in_ten: int = 2):
        return draw() if chance.number(1, 10) <= in_ten else otherwise

    return Search(
        about=about,
        segments=sometimes(lambda: _segments(chance), (), 6),
        rule=sometimes(lambda: _rule(chance, about, 3), OPEN_TO_ALL),
        filters={facet: _rule(chance, about, 1) for facet in sometimes(lambda: chance.some(FACETS[about]), (), 3)},
        states=sometimes(lambda: frozenset(chance.some(sorted(set(STATES)))), None) if openings else None,
        pay=sometimes(lambda: _pay(chance), None) if openings else None,
        listed_since=sometimes(lambda: chance.one(MOMENTS), None) if openings else None,
        open_to_offers=None if openings else sometimes(lambda: chance.one((True, False)), None),
        among=sometimes(lambda: frozenset(chance.some(ids)), None, 1),
        nothing=chance.number(1, 50) == 1,
        reach=_reach(chance, ids if openings else []),
        sort=chance.one(tuple(SORT_KEYS if openings else PEOPLE_SORT_KEYS)),
        on=chance.one(JUDGED_ON),
    )


def _segments(chance: Chance) -> tuple[Segment, ...]:
    found = [_segment(chance) for _ in range(chance.number(1, 3))]
    if chance.number(0, 2) == 0:
        word = chance.one([word for word in WORDS if len(word) >= SHORTEST_OPEN])
        begun = word[: chance.number(SHORTEST_OPEN, len(word))]
        first = tuple(stem(one) for one in chance.some(WORDS)[: chance.number(0, 1)])
        found.append(Segment((*first, stem(begun)), _skills(chance), begun))
    return tuple(found)


def _segment(chance: Chance) -> Segment:
    words = tuple(stem(word) for word in chance.some(WORDS, least=1)[: chance.one((1, 1, 2))])
    if len(words) == 1 and chance.number(0, 3) == 0:
        return Segment(("absent",), near=tuple(chance.some(WORDS, least=1)[:3]))
    return Segment(words, _skills(chance))


def _skills(chance: Chance) -> tuple[int, ...]:
    return tuple(sorted(chance.some((*SKILLS, 8, 9))[: chance.one((0, 1, 2))]))


def _rule(chance: Chance, about: Subject, levels: int) -> Rule:
    return rule(chance, levels) if about is Subject.CANDIDATE else rule(chance, levels, _criterion)


def _criterion(chance: Chance) -> Compare:
    return comparison(chance, OPPORTUNITY_ATTRIBUTES, OPENING_WORLD, Disclosure.PUBLIC)


def _pay(chance: Chance) -> PayRange:
    least, most = _ordered(chance)
    return PayRange(chance.maybe(lambda: least), chance.maybe(lambda: most))


def _reach(chance: Chance, ids: list[int]) -> Reach:
    if chance.number(0, 2) == 0:
        return EVERYTHING
    return Reach(
        organisations=frozenset(chance.some(ORGANISATIONS)),
        related=frozenset(chance.some(ids)[:20]),
        suspended=frozenset(chance.some(ORGANISATIONS)[:1]),
    )
