"""Words of queries and of documents, made the same way for both, and so for every source.

Case, accents, punctuation and plural endings come off here and not in a database or an index: those compare what they
are given, letter by letter. A skill is a word of its own, found through whatever people call it.
"""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.core.folding import fold, singular

LONGEST_WORD = 60  # letters; what is longer is cut, in queries and documents alike
MOST_WORDS = 5_000
"""Of one document; whatever comes later in its text is not searched."""

# Said in passing: a query of nothing else still asks for them.
_STOP_WORDS = (
    "a an and as at by for from in of on or the to with als am an auf bei der die das für im in mit und von zu"
)
STOP_WORDS = frozenset(fold(word) for word in _STOP_WORDS.split())


def folded_words(text: str) -> list[str]:
    """The words as written, apart from case, accents and punctuation.

    >>> folded_words("Senior C++/.NET Developers (m/f)")
    ['senior', 'c++', '.net', 'developers', 'm', 'f']
    """
    return [word[:LONGEST_WORD] for word in fold(text).split()]


def stem(word: str) -> str:
    """A folded word without its plural ending."""
    return singular(word)[:LONGEST_WORD]


def searched_words(texts: Iterable[str]) -> frozenset[str]:
    """The distinct words of texts, plural endings off; the first `MOST_WORDS`."""
    found: dict[str, None] = {}
    for text in texts:
        for word in folded_words(text):
            found[stem(word)] = None
            if len(found) >= MOST_WORDS:
                return frozenset(found)
    return frozenset(found)
