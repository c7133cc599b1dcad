"""Search text as Postgres holds it: `tsvector` values, written and read back without loss.

A field is told by its weight, A to C in the order of the scheme; a skill is the word `§17`, a broader kind of it `~17`,
which no text folds to. The order of words is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from matching.core.search.query import By, Scheme, SearchText, Segment, Way

SKILL, FAMILY = "§", "~"
_WEIGHTS = "ABC"
_LEXEME = re.compile(r"'((?:[^']|'')+)'(?::([0-9A-D,]+))?")


def head_vector(text: SearchText, scheme: Scheme) -> str:
    """The fields that count, and the skills: the literal of a `tsvector`, just as Postgres writes it."""
    places: dict[str, list[str]] = {word: [] for word in _skill_words(text)}
    for position, (field, weight) in enumerate(zip(scheme.fields, _WEIGHTS, strict=False), start=1):
        for word in sorted(text.fields.get(field, ())):
            places.setdefault(word, []).append(f"{position}{weight}")
    return " ".join(
        f"{_quoted(word)}:{','.join(listed)}" if listed else _quoted(word) for word, listed in sorted(places.items())
    )


def word_vector(text: SearchText) -> str:
    """All words, and the skills."""
    return " ".join(map(_quoted, [*sorted(text.words), *_skill_words(text)]))


def text_from(head: str, words: str, scheme: Scheme) -> SearchText:
    """What two vectors, as Postgres writes them, hold."""
    fields: dict[str, set[str]] = {field: set() for field in scheme.fields}
    names = dict(zip(_WEIGHTS, scheme.fields, strict=False))
    lexemes = _LEXEME.findall(head)
    for word, places in lexemes:
        for place in places.split(",") if places else ():
            fields[names[place[-1]]].add(word)
    whole = {word for word, _ in (lexemes if words is head else _LEXEME.findall(words))}
    return SearchText(
        fields={field: frozenset(found) for field, found in fields.items()},
        words=frozenset(word for word in whole if word[0] not in (SKILL, FAMILY)),
        skills=_ids(whole, SKILL),
        families=_ids(whole, FAMILY),
    )


def words_in(vector: str) -> frozenset[str]:
    """The words of a vector's literal, without the skills."""
    return frozenset(word for word, _ in _LEXEME.findall(vector) if word[0] not in (SKILL, FAMILY))


def anywhere_query(segments: Iterable[Segment]) -> str:
    """The literal of a `tsquery` that documents match which answer every segment. Empty for none."""
    return " & ".join(f"({_anywhere(segment)})" for segment in segments)


def _anywhere(segment: Segment) -> str:
    found = [_all(segment.words)]
    if segment.begun:
        found.append(_all(segment.words[:-1], segment.begun))
    found += map(_quoted, segment.near)
    found += _skill_query(segment, SKILL) + _skill_query(segment, FAMILY)
    return " | ".join(found)


def way_query(way: Way, segment: Segment, scheme: Scheme) -> str:
    """The literal of a `tsquery` that heads match which answer the segment in that way."""
    match way.by:
        case By.SKILL:
            return " | ".join(_skill_query(segment, SKILL))
        case By.FAMILY:
            return " | ".join(_skill_query(segment, FAMILY))
    weight = _WEIGHTS[list(scheme.fields).index(way.field)]
    match way.by:
        case By.WORDS:
            return _all(segment.words, weight=weight)
        case By.OPEN:
            return _all(segment.words[:-1], segment.begun, weight=weight)
    return " | ".join(f"{_quoted(word)}:{weight}" for word in segment.near)


def word_query(word: str) -> str:
    """The literal of a `tsquery` that whatever has the word matches."""
    return _quoted(word)


def _all(words: Iterable[str], begun: str = "", weight: str = "") -> str:
    found = [f"{_quoted(word)}{f':{weight}' if weight else ''}" for word in words]
    if begun:
        found.append(f"{_quoted(begun)}:*{weight}")
    return f"({' & '.join(found)})"


def _skill_query(segment: Segment, sign: str) -> list[str]:
    return [_quoted(f"{sign}{skill_id}") for skill_id in segment.skills]


def _skill_words(text: SearchText) -> list[str]:
    return [
        *(f"{SKILL}{skill_id}" for skill_id in sorted(text.skills)),
        *(f"{FAMILY}{skill_id}" for skill_id in sorted(text.families)),
    ]


def _ids(words: Iterable[str], sign: str) -> frozenset[int]:
    return frozenset(int(word[1:]) for word in words if word[0] == sign)


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
