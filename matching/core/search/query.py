"""A query's words, and what a document that has them is worth.

A query is read into *segments*: words that each must be answered, where a few that name a skill together are one
segment. A segment is answered by the words themselves, by a word that begins like the one still being typed, by words
that differ by a slip where nothing has the word as typed, or by a skill that the words name, or a narrower one.

Relevance is the sum over segments of what the best *way* of answering each is worth: an integer, the same wherever it
is computed. Which way counts depends on nothing but the document, so a score does not move when others come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from matching.core.search.words import STOP_WORDS, folded_words, stem

MOST_SEGMENTS = 12
MOST_TYPED = 40  # words; whatever comes later is not read
LONGEST_LABEL = 5  # words of a skill's name that are looked for together
SHORTEST_OPEN = 2  # letters from which on a word that is being typed is completed
ANYWHERE = 1  # what a segment is worth whose words are somewhere in the document, and in no field that counts


@dataclass(frozen=True, slots=True)
class Segment:
    """`words` are folded, plural endings off, and belong together. `begun` is the last one as typed, if it may go on.
    `near` are words in use that stand in for the only one, which is not."""

    words: tuple[str, ...]
    skills: tuple[int, ...] = ()
    begun: str = ""
    near: tuple[str, ...] = ()


class By(StrEnum):
    """How a document answers a segment."""

    WORDS = "words"  # all of them
    OPEN = "open"  # all, the last one going on
    NEAR = "near"  # one that differs by a slip
    SKILL = "skill"
    FAMILY = "family"  # a narrower skill


@dataclass(frozen=True, slots=True)
class Way:
    """One way of answering a segment: in which field (in none for skills) and how, and what that is worth."""

    worth: int
    by: By
    field: str = ""


@dataclass(frozen=True)
class Scheme:
    """The fields of a kind of document that count, and what a word in each is worth; what a skill is worth."""

    fields: Mapping[str, int]
    skill: int
    family: int

    def ways(self, segment: Segment) -> tuple[Way, ...]:
        """Every way but `ANYWHERE`, the worthiest first. Words as typed count fourfold, as begun threefold, near ones
        twofold."""
        found = [Way(4 * worth, By.WORDS, field) for field, worth in self.fields.items()]
        if segment.begun:
            found += [Way(3 * worth, By.OPEN, field) for field, worth in self.fields.items()]
        if segment.near:
            found += [Way(2 * worth, By.NEAR, field) for field, worth in self.fields.items()]
        if segment.skills:
            found += [Way(4 * self.skill, By.SKILL), Way(4 * self.family, By.FAMILY)]
        return tuple(sorted(found, key=lambda way: -way.worth))


OPENINGS = Scheme(fields={"title": 8, "skills": 5, "organisation": 3}, skill=6, family=2)
PEOPLE = Scheme(fields={"headline": 8, "titles": 6, "skills": 5}, skill=6, family=2)


@dataclass(frozen=True)
class SearchText:
    """A document as search sees it: words by field, those of the whole, skills and the broader kinds of them."""

    fields: Mapping[str, frozenset[str]]
    words: frozenset[str]
    skills: frozenset[int]
    families: frozenset[int]


def answers(segment: Segment, text: SearchText) -> bool:
    """Whether the document answers the segment in any way."""
    return (
        any(_has(segment, by, text.words) for by in (By.WORDS, By.OPEN, By.NEAR))
        or not text.skills.isdisjoint(segment.skills)
        or not text.families.isdisjoint(segment.skills)
    )


def relevance(segments: Iterable[Segment], text: SearchText, scheme: Scheme) -> int | None:
    """What the document is worth; None where it leaves a segment unanswered."""
    total = 0
    for segment in segments:
        if not answers(segment, text):
            return None
        total += next((way.worth for way in scheme.ways(segment) if _holds(way, segment, text)), ANYWHERE)
    return total


def _holds(way: Way, segment: Segment, text: SearchText) -> bool:
    match way.by:
        case By.SKILL:
            return not text.skills.isdisjoint(segment.skills)
        case By.FAMILY:
            return not text.families.isdisjoint(segment.skills)
    return _has(segment, way.by, text.fields.get(way.field, frozenset()))


def _has(segment: Segment, by: By, words: frozenset[str]) -> bool:
    match by:
        case By.WORDS:
            return words.issuperset(segment.words)
        case By.OPEN:
            whole = words.issuperset(segment.words[:-1])
            return bool(segment.begun) and whole and any(word.startswith(segment.begun) for word in words)
    return not words.isdisjoint(segment.near)


# Reading


@lru_cache(maxsize=1024)
def typed_words(text: str) -> tuple[str, ...]:
    """The words of a query, folded; the first `MOST_TYPED`."""
    return tuple(folded_words(text)[:MOST_TYPED])


def is_open(text: str) -> bool:
    """Whether the last word may still be being typed: nothing comes after it."""
    return bool(text) and not text[-1].isspace()


def spans(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """From where to where a skill's name may go, the longest first at each place."""
    for start in range(len(words)):
        for end in range(min(len(words), start + LONGEST_LABEL), start, -1):
            yield start, end


def names(words: Sequence[str]) -> frozenset[str]:
    """Whatever in a query may be the name of a skill, as names are stored."""
    return frozenset(name for start, end in spans(words) for name in _as_names(words[start:end]))


def _as_names(words: Sequence[str]) -> tuple[str, str]:
    """As typed, and without the last word's plural ending."""
    return " ".join(words), " ".join([*words[:-1], stem(words[-1])])


def segments(words: Sequence[str], skills: Mapping[str, tuple[int, ...]], *, open_end: bool) -> tuple[Segment, ...]:
    """The segments of a query, the first `MOST_SEGMENTS`. `skills` gives those of `names` that are the name of some,
    with their ids. Words said in passing are left out, unless they are part of a name (`internet of things`) or there
    are no others."""
    found: list[Segment] = []
    passing: list[Segment] = []
    start = 0
    while start < len(words):
        end, named = _longest_name(words, start, skills)
        segment = Segment(tuple(stem(word) for word in words[start:end]), named)
        if open_end and end == len(words) and len(words[-1]) >= SHORTEST_OPEN:
            segment = replace(segment, begun=words[-1])  # with its ending: "busines" is no plural
        (passing if STOP_WORDS.issuperset(words[start:end]) else found).append(segment)
        start = end
    return tuple((found or passing)[:MOST_SEGMENTS])


def _longest_name(
    words: Sequence[str], start: int, skills: Mapping[str, tuple[int, ...]]
) -> tuple[int, tuple[int, ...]]:
    for end in range(min(len(words), start + LONGEST_LABEL), start, -1):
        for name in _as_names(words[start:end]):
            if name in skills:
                return end, skills[name]
    return start + 1, ()


def doubtful(found: Iterable[Segment]) -> frozenset[str]:
    """The words that may be slips: single ones that name no skill and are long enough to be told from others."""
    return frozenset(
        segment.words[0]
        for segment in found
        if len(segment.words) == 1 and not segment.skills and slips_allowed(segment.words[0])
    )


def slips_allowed(word: str) -> int:
    """Letters left out, added, exchanged or swapped: none up to three letters, one up to seven, else two."""
    if any(letter.isdigit() for letter in word):
        return 0
    return 0 if len(word) <= 3 else 1 if len(word) <= 7 else 2


def with_near(found: Iterable[Segment], near: Mapping[str, tuple[str, ...]]) -> tuple[Segment, ...]:
    """The segments, those words that nothing has with the words in use that they may have been meant as."""
    return tuple(
        replace(segment, near=near[segment.words[0]])
        if len(segment.words) == 1 and near.get(segment.words[0])
        else segment
        for segment in found
    )
