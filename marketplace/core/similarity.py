"""When two postings of one organisation say the same.

Texts are compared by the resemblance of their shingles, the sets A and B of pairs of neighbouring words:
|A ∩ B| / |A ∪ B| (A. Broder, "On the resemblance and containment of documents", 1997). What is worth comparing is found
without comparing all with all, by MinHash sketches cut into 16 bands of 5 (J. Leskovec, A. Rajaraman, J. Ullman,
"Mining of Massive Datasets", chapter 3): two texts of resemblance s share a band with probability 1 − (1 − s⁵)¹⁶, which
is 98.7 % at the threshold of 75 %, 99.8 % at 80 % and 40 % at 50 %.

What an organisation writes everywhere makes its roles resemble each other, so the titles have a say; see `likeness`.
Hashes are BLAKE2b and unsigned arithmetic modulo 2⁶⁴: the same text has the same fingerprints on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby

import numpy as np

from marketplace.core.folding import fold, singular
from marketplace.core.places import without_places

ALIKE = 75
"""Least resemblance, in percent, of two postings whose titles name one role."""
ALIKE_UNDER_OTHER_TITLES = 95
"""The same, of two whose titles do not."""
LEAST_SHINGLES = 20
"""A text of fewer distinct pairs of words, about two lines, says too little to be told from another."""
STANDING_TITLES = 2
"""A text that stands under so many other roles is what the organisation writes everywhere."""
KEPT = 0.8
"""A text that resembles what it was by less has changed materially."""

METHOD = 1
"""Grows with every change of how fingerprints are made, so that those made before are made anew."""
BANDS, ROWS = 16, 5
SKETCH_BYTES = 4 * BANDS * ROWS

_SHINGLE = 2  # words
_SENTENCE_ENDS = re.compile(r"\n|[.!?]\s")
_NUMBER, _NUMBERS = "0", re.compile(r"\d+(?:[ .]\d+)*")
# Thai, Lao, Burmese, Khmer, kana and Chinese characters put no spaces between words: each letter counts as one.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
)
_TITLE_NOISE = (
    "a all an and as at d der die f for fur gender gn h hiring immediately in job m mwd needed new now of opening or "
    "our position role start the to und urgent urgently vacancy w wanted we with x you your"
)
_NOISE = frozenset({_NUMBER, *_TITLE_NOISE.split()})


@dataclass(frozen=True, slots=True)
class Posting:
    """What of an opportunity is compared: whose it is (inner id), the words of its title that name the role, and its
    description."""

    organisation: int
    role: frozenset[str]
    words: frozenset[str]  # of the description, without plural endings, as in `role`
    shingles: frozenset[int]

    @property
    def says_enough(self) -> bool:
        return len(self.shingles) >= LEAST_SHINGLES


@dataclass(frozen=True, slots=True)
class Likeness:
    """How strong a suspicion is, from 1 to 100, and by name what speaks for it and against it."""

    strength: int
    reasons: tuple[str, ...]


def read_posting(title: str, description: str, *, organisation: int, cities: Iterable[str] = ()) -> Posting:
    """`cities` are where the work is: they name no role. Any amount and date reads as "some number"."""
    sentences = [_words(sentence) for sentence in _SENTENCE_ENDS.split(description)]
    no_role = _NOISE.union(*(fold(city).split() for city in cities))
    return Posting(
        organisation=organisation,
        role=frozenset(singular(word) for word in _words(without_places(title)) if word not in no_role),
        words=frozenset(singular(word) for sentence in sentences for word in sentence),
        shingles=frozenset(_hash(shingle) for sentence in sentences for shingle in _shingles(sentence)),
    )


def _words(text: str) -> list[str]:
    folded = _NUMBERS.sub(_NUMBER, _UNSPACED.sub(r" \g<0> ", fold(text)))
    return [word for word, _ in groupby(folded.split())]


def _shingles(words: list[str]) -> Iterable[str]:
    """Within a sentence or line, so that these may change places; one of a single word is its own shingle."""
    if len(words) < _SHINGLE:
        return words
    return (" ".join(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def resemblance(one: Posting, other: Posting) -> int:
    """Of two descriptions, in percent, rounded down: 100 only where every shingle is shared."""
    either = len(one.shingles | other.shingles)
    return 100 * len(one.shingles & other.shingles) // either if either else 0


def likeness(one: Posting, other: Posting) -> Likeness | None:
    """Whether two postings are likely one that was posted twice.

    Titles name one role where either says all that the other says. They name two where each has a word that its own
    description repeats and the other description lacks: then a form was filled in for a welder here and for a plumber
    there, however much of it they share.
    """
    if one.organisation != other.organisation or not (one.says_enough and other.says_enough):
        return None
    shared = resemblance(one, other)
    if shared < ALIKE or (_has_words_of_its_own(one, other) and _has_words_of_its_own(other, one)):
        return None
    text = "same_text" if shared == 100 else "similar_text"
    if one.role == other.role:
        return Likeness(shared, (text, "same_title"))
    if one.role <= other.role or one.role >= other.role:
        return Likeness(shared, (text, "similar_title"))
    return Likeness(shared, (text, "other_title")) if shared >= ALIKE_UNDER_OTHER_TITLES else None


def _has_words_of_its_own(one: Posting, other: Posting) -> bool:
    return not (one.role - other.role).isdisjoint(one.words - other.words)


def likenesses(posting: Posting, others: Mapping[int, Posting]) -> dict[int, Likeness]:
    """Those of `others`, by key, that are likely the posting once more.

    Where its text stands under several other titles, it is the organisation's own and tells no role: then only those
    of the same title are left.
    """
    found = {key: alike for key, other in others.items() if (alike := likeness(posting, other))}
    retitled = {key for key, alike in found.items() if "other_title" in alike.reasons}
    if len({others[key].role for key in retitled}) < STANDING_TITLES:
        return found
    return {key: alike for key, alike in found.items() if key not in retitled}


# What is worth comparing

_SEEDS = np.frombuffer(
    b"".join(blake2b(bytes([number]), digest_size=16).digest() for number in range(BANDS * ROWS)), dtype=">u8"
).reshape(-1, 2, 1)
# Multiply-shift (M. Dietzfelbinger and others, 1997): the upper half of ax + b modulo 2⁶⁴, with an odd a.
_FACTORS, _ADDENDS = (_SEEDS[:, 0] | 1).astype(np.uint64), _SEEDS[:, 1].astype(np.uint64)
_HALF = np.uint64(32)


def sketch(posting: Posting) -> bytes:
    """For each of 80 hash functions the least value that any shingle has, 4 bytes each. Empty without shingles."""
    if not posting.shingles:
        return b""
    shingles = np.fromiter(posting.shingles, dtype=np.uint64, count=len(posting.shingles))
    least = ((_FACTORS * shingles + _ADDENDS) >> _HALF).min(axis=1)
    return bytes(least.astype(">u4").tobytes())


def has_changed_materially(before: bytes, after: bytes) -> bool:
    """Whether a text's sketches say that it is another by now. Resemblance is estimated within 5 points or so."""
    if len(before) != SKETCH_BYTES or len(after) != SKETCH_BYTES:
        return before != after
    return float(np.mean(np.frombuffer(before, dtype=">u4") == np.frombuffer(after, dtype=">u4"))) < KEPT


def fingerprints(posting: Posting) -> list[int]:
    """A hash for each band of its sketch, of 64 bits with a sign, that only its organisation's have; none where it says
    too little."""
    if not posting.says_enough:
        return []
    sketched, width = sketch(posting), 4 * ROWS
    salt = posting.organisation.to_bytes(8, "big")
    return [
        int.from_bytes(
            blake2b(sketched[at * width : (at + 1) * width], digest_size=8, salt=salt, person=bytes([at])).digest(),
            "big",
            signed=True,
        )
        for at in range(BANDS)
    ]
