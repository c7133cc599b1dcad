"""What titles say: of opportunities, of headlines, of jobs that people had."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from matching.core.search.words import STOP_WORDS, folded_words, stem

MOST_WORDS = 200
"""Of one candidate or opportunity; whatever comes later is not compared."""

# Said of every job: whom it is open to, and in which sexes its name was written.
_SAYS_NOTHING_WORDS = "m f d w x h gn div all gender genders job position role vacancy hiring"
_SAYS_NOTHING = frozenset(_SAYS_NOTHING_WORDS.split())


def title_words(titles: Iterable[str]) -> frozenset[str]:
    """The words that tell, folded, without plural endings; the first `MOST_WORDS`.

    >>> sorted(title_words(["Senior Developer (m/f/d)", "Developers of apps"]))
    ['app', 'developer', 'senior']
    """
    found: dict[str, None] = {}
    for title in titles:
        for word in _words(title):
            found[word] = None
            if len(found) >= MOST_WORDS:
                return frozenset(found)
    return frozenset(found)


@lru_cache(maxsize=8192)  # thousands of people have the same few titles
def _words(title: str) -> tuple[str, ...]:
    words = (word for word in folded_words(title) if word not in STOP_WORDS and word not in _SAYS_NOTHING)
    return tuple(dict.fromkeys(map(stem, words)))
