"""Words in use that one person alone has brought in."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from matching.core.search.vectors import word_query, words_in
from matching.models import CandidateProjection

_ALONE = """
    SELECT own.word FROM unnest(%s::varchar[], %s::tsquery[]) AS own (word, query) WHERE NOT EXISTS (
        SELECT FROM matching_candidateprojection other
        WHERE other.words @@ own.query AND other.candidate_id <> ALL(%s::bigint[])
    )
"""


def words_of_nobody_else(candidate_ids: Collection[int]) -> list[str]:
    """Of the words that these candidates (inner ids) are found by, those by which no other is. One that somebody begins
    to use at this moment is offered again to those who misspell it after the next rebuild."""
    vectors = CandidateProjection.objects.filter(pk__in=candidate_ids).values_list("words", flat=True)
    words = sorted(frozenset().union(*map(words_in, vectors)))
    if not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, [words, list(map(word_query, words)), list(candidate_ids)])
        return [word for (word,) in cursor.fetchall()]
