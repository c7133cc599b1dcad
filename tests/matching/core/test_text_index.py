"""Many queries put to one document are answered as each by itself."""

from __future__ import annotations

import random

from matching.core.search.query import OPENINGS, SearchText, names, relevance, segments, typed_words
from matching.core.search.texts import TextIndex

WORDS = [
    *("night", "nurse", "icu", "ward", "care", "k8s", "kubernetes", "go", "c++"),
    *("site", "reliability", "engineer", "engineers"),
]
SKILLS = {"k8s": (1,), "kubernetes": (1,), "site reliability": (2, 3), "care": (4,), "nurse": (5,)}


def test_every_query_is_answered_as_by_itself():
    draw, index = random.Random(3), TextIndex()
    queries = []
    for _ in range(300):
        words = typed_words(" ".join(draw.choices(WORDS, k=draw.randint(0, 3))))
        named = {name: SKILLS[name] for name in names(words) if name in SKILLS}
        queries.append(segments(words, named, open_end=False))
        assert index.add(queries[-1]) == len(queries) - 1
    answered = 0
    for _ in range(200):
        words = frozenset(draw.sample(WORDS, draw.randint(0, 6)))
        skills = frozenset(draw.sample(range(1, 6), draw.randint(0, 2)))
        text = SearchText({"title": words}, words, skills, skills | frozenset(draw.sample(range(1, 8), 1)))
        expected = {at for at, query in enumerate(queries) if relevance(query, text, OPENINGS) is not None}
        assert index.answered_by(text, OPENINGS) == expected
        answered += len(expected)
    assert answered > 1000
