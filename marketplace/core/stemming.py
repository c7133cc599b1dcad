"""English words without the endings of inflection: plurals, -ing and -ed.

Only what conjugation and number add comes off, never what makes another word: "managing", "managed" and "manages" are
"manag", "management" and "manager" stay. So roots are no words; they are compared with each other and never shown.
"""

from __future__ import annotations

from functools import lru_cache

from marketplace.core.folding import singular

_CACHED = 1 << 16  # words, some 10 MB
_VOWELS = frozenset("aeiouy")


def _has_vowel(text: str) -> bool:
    return not _VOWELS.isdisjoint(text)


@lru_cache(maxsize=_CACHED)
def root(word: str) -> str:
    """Of a folded word; one that is not made of letters alone stays as it is.

    >>> [root(word) for word in ("managed", "managing", "manages", "manage", "management")]
    ['manag', 'manag', 'manag', 'manag', 'management']
    >>> [root(word) for word in ("planned", "planning", "plan", "string", "speed", "need", "c++")]
    ['plan', 'plan', 'plan', 'string', 'speed', 'need', 'c++']
    """
    word = singular(word)
    if len(word) <= 4 or not word.isalpha():
        return word.removesuffix("e") if len(word) == 4 and word.isalpha() else word
    for ending in ("ing", "ed"):
        if word.endswith(ending) and not word.endswith("eed"):
            cut = word[: -len(ending)]
            if len(cut) >= 3 and _has_vowel(cut):
                if cut[-1] == cut[-2] and cut[-1] not in "aeiouls":
                    return cut[:-1]  # planned; but selling, passing
                return cut[:-1] + "y" if cut.endswith("i") else cut.removesuffix("e")
    return word.removesuffix("e")
