"""Many queries, one document: which of them it answers. What `relevance` is to one query, asked backwards."""

from __future__ import annotations

from collections import defaultdict

from matching.core.search.query import Scheme, SearchText, Segment, relevance


class TextIndex:
    """Queries by number, without words that are near or only begun: alerts have none.

    Each is entered under one word of one of its segments, and under the skills that this segment names: a document
    that answers the query has one of them. So of many thousands only some hundreds are judged.
    """

    def __init__(self) -> None:
        self._queries: list[tuple[Segment, ...]] = []
        self._without_words: set[int] = set()
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_skill: dict[int, list[int]] = defaultdict(list)

    def add(self, segments: tuple[Segment, ...]) -> int:
        """The number of a query that is taken in."""
        number = len(self._queries)
        self._queries.append(segments)
        if not segments:
            self._without_words.add(number)
            return number
        entry = max(segments, key=lambda segment: len(max(segment.words, key=len)))  # long words are rare
        self._by_word[max(entry.words, key=len)].append(number)
        for skill_id in entry.skills:
            self._by_skill[skill_id].append(number)
        return number

    def answered_by(self, text: SearchText, scheme: Scheme) -> set[int]:
        """Numbers of the queries whose every segment the document answers."""
        entered = {number for word in text.words for number in self._by_word.get(word, ())}
        for skill_id in text.skills | text.families:
            entered.update(self._by_skill.get(skill_id, ()))
        answered = {number for number in entered if relevance(self._queries[number], text, scheme) is not None}
        return answered | self._without_words
