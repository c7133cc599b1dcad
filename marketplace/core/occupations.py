"""Which occupation a title names: `Senior Front-end Developer (m/f/d), Vienna` is a web developer's.

Titles are looked up, not understood: what is left after brackets, places and ranks has to be a name, or another name,
of an occupation. A title that nobody calls an occupation by names none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from marketplace.core.folding import fold, singular

MOST = 3
"""A name that more occupations share says too little."""

_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_PARTS = re.compile(r"\s*[,;|/•·:]\s*|\s+[-–—]+\s+|\s+(?:at|with|for|in|bei|@)\s+", re.IGNORECASE)
_RANK_WORDS = """
    senior junior sr jr lead leading principal staff trainee apprentice graduate experienced qualified intern freelance
    freelancer interim part full time temporary permanent remote i ii iii iv
"""
_RANKS = frozenset(_RANK_WORDS.split())
_LONGEST = 255


class Occupations:
    """Occupations by all their names. A name proper goes before other names: it names one occupation alone."""

    def __init__(self, names: Iterable[tuple[int, str]], labels: Iterable[tuple[int, str]]) -> None:
        """Of each occupation (key, name) and of other names (key, label), folded or not."""
        self._proper: dict[str, tuple[int, ...]] = _gathered(names)
        self._other: dict[str, tuple[int, ...]] = _gathered(labels)

    def named_by(self, title: str) -> tuple[int, ...]:
        """The occupations that a title names, ascending, at most `MOST`; none where it names more, or none."""
        for form in _forms(title[:_LONGEST]):
            for known in (self._proper, self._other):
                if found := known.get(form):
                    return found if len(found) <= MOST else ()
        return ()

    def of(self, titles: Iterable[str]) -> list[int]:
        """Those that any of these titles names, ascending."""
        return sorted({key for title in titles for key in self.named_by(title)})


def _gathered(rows: Iterable[tuple[int, str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for key, name in rows:
        if form := _form(fold(_ASIDE.sub(" ", name))):
            found.setdefault(form, set()).add(key)
    return {form: tuple(sorted(keys)) for form, keys in found.items()}


@lru_cache(maxsize=8192)  # thousands of people have the same few titles
def _forms(title: str) -> tuple[str, ...]:
    """What to look up, the most of the title first."""
    return tuple(dict.fromkeys(form for form in _candidates(title) if form))


def _candidates(title: str) -> Iterator[str]:
    bare = _ASIDE.sub(" ", title)
    for part in (bare, *_PARTS.split(bare)):
        folded = fold(part)
        yield _form(folded)
        yield _form(" ".join(word for word in folded.split() if word not in _RANKS))


def _form(folded: str) -> str:
    """Front-end, front end and frontends are one."""
    return "".join(singular(word) for word in folded.split())
