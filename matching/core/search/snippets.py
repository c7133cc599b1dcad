"""Where a text shows what was searched for. The same for every source: made from the row itself, when it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matching.core.search.query import Segment
from matching.core.search.words import folded_words, stem

EXCERPT = 200  # letters of a long text that are shown
LEAD = 60  # of them before the first word that was found
_TOKEN = re.compile(r"[^\W_]+(?:[+#.&'’-]+[^\W_]+)*[+#]*|\.[^\W_]+")
MOST_READ = 20_000  # letters of a text that are looked through


class Part(NamedTuple):
    """A stretch of text, and whether it is what was searched for."""

    text: str
    marked: bool


class _Sought:
    """The words that count as found."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.words: set[str] = set()
        self.begun: tuple[str, ...] = ()
        for segment in segments:
            self.words |= {*segment.words, *segment.near}
            self.begun += (segment.begun,) if segment.begun else ()

    def has(self, token: str) -> bool:
        words = [stem(word) for word in folded_words(token)]
        return any(word in self.words or (self.begun and word.startswith(self.begun)) for word in words)


def marked(text: str, segments: Sequence[Segment], *, whole: bool = False) -> tuple[Part, ...]:
    """The text in parts, the words that were searched for marked; all of it where it is `whole` what was. Put together,
    the parts are the text."""
    if whole:
        return (Part(text, True),)
    sought, parts, at = _Sought(segments), list[Part](), 0
    for token in _TOKEN.finditer(text[:MOST_READ]):
        if not sought.has(token[0]):
            continue
        if token.start() > at:
            parts.append(Part(text[at : token.start()], False))
        parts.append(Part(token[0], True))
        at = token.end()
    if at < len(text):
        parts.append(Part(text[at:], False))
    return tuple(parts)


def excerpt(text: str, segments: Sequence[Segment], length: int = EXCERPT) -> tuple[Part, ...]:
    """About so many letters around the first word that was searched for; none where the text has none of them."""
    sought = _Sought(segments)
    first = next((token for token in _TOKEN.finditer(text[:MOST_READ]) if sought.has(token[0])), None)
    if first is None:
        return ()
    start = _word_begin(text, max(first.start() - LEAD, 0))
    end = _word_end(text, max(start + length, first.end()))
    shown = " ".join(text[start:end].split())
    return marked(f"{'… ' if start else ''}{shown}{' …' if end < len(text) else ''}", segments)


def _word_begin(text: str, at: int) -> int:
    """The beginning of the first whole word from there on."""
    if at == 0:
        return 0
    space = re.compile(r"\s").search(text, at - 1, at + LEAD)
    return space.end() if space else at


def _word_end(text: str, at: int) -> int:
    """The end of the last whole word up to there."""
    if at >= len(text):
        return len(text)
    space = max(text.rfind(mark, max(at - LEAD, 0), at + 1) for mark in " \n\t")
    return space if space > 0 else at


def has_mark(parts: Iterable[Part]) -> bool:
    return any(part.marked for part in parts)
