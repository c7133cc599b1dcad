"""What somebody typed, read against the taxonomy and the words in use."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching.core.attributes import Subject
from matching.core.search.query import Segment, doubtful, names, segments, slips_allowed, typed_words, with_near
from matching.core.search.search import PUBLIC, PUBLISHED
from matching.core.search.vectors import anywhere_query
from matching.models import OpportunityProjection, SearchWord
from matching.queries.answering import Answers
from matching.queries.named_skills import skills_named

MOST_NEAR = 10  # words in use that stand in for one that is not


def read_query(text: str, about: Subject, *, open_end: bool) -> tuple[Segment, ...] | None:
    """The segments of a query, none for an empty one; None where it has no word that anything could be found by. With
    `open_end` the last word may still be being typed.

    Five statements at the most for any number of words, and two for each that nothing has.
    """
    words = typed_words(text)
    if not words:
        return () if not text.strip() else None
    found = segments(words, skills_named(names(words)), open_end=open_end)
    unknown = _unknown(found, about)
    return with_near(found, {word: near_words(word, about) for word in unknown}) if unknown else found


def near_words(word: str, about: Subject) -> tuple[str, ...]:
    """Words in use that differ from one that is not by as many slips as its length allows, the nearest first. Slips in
    the first letter are not looked for, unless it changed places with the second."""
    most = slips_allowed(word)
    likely = SearchWord.objects.filter(
        subject_type=about.value,
        initial__in=sorted({word[0], word[1]}),
        length__range=(len(word) - most, len(word) + most),
    ).values_list("word", flat=True)
    near = process.extract(word, list(likely), scorer=OSA.distance, score_cutoff=most, limit=None)
    return tuple(one for _, one in sorted((distance, one) for one, distance, _ in near)[:MOST_NEAR])


def _unknown(found: Collection[Segment], about: Subject) -> list[str]:
    """Words that may be slips and that nothing has, nor a word that begins like them if they may go on."""
    doubted = doubtful(found)
    if not doubted:
        return []
    begun = {segment.words[0]: segment.begun for segment in found if segment.begun and len(segment.words) == 1}
    rows = SearchWord.objects.filter(subject_type=about.value)
    in_use = set(rows.filter(word__in=doubted).values_list("word", flat=True))
    unknown = [word for word in sorted(doubted - in_use) if not (word in begun and _begins(rows, begun[word]))]
    if unknown and about is Subject.OPPORTUNITY:  # whose texts have words that are not listed
        unknown = [word for word in unknown if not _is_in_a_text(word, begun.get(word, ""))]
    return unknown


def _begins(rows, beginning: str) -> bool:
    return rows.filter(word__gte=beginning, word__lt=beginning + "\U0010ffff").exists()


def _is_in_a_text(word: str, begun: str) -> bool:
    query = anywhere_query([Segment((word,), begun=begun)])
    public = Q(state=PUBLISHED, visibility=PUBLIC)
    return OpportunityProjection.objects.filter(Answers("words", query)).filter(public).exists()
