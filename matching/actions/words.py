"""Noting the words in use, and forgetting those that are not."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from matching.actions import locks
from matching.core.attributes import Subject
from matching.core.search.vectors import word_query, words_in

FORGOTTEN_AT_ONCE = 500  # meanwhile nobody writes projections

_NOTE = """
    INSERT INTO matching_searchword (subject_type, word, initial, length)
    SELECT %s, used.word, left(used.word, 1), length(used.word) FROM unnest(%s::varchar[]) AS used (word)
    WHERE NOT EXISTS (
        SELECT FROM matching_searchword known
        WHERE known.subject_type = %s AND known.word = used.word COLLATE "C"
    )
    ORDER BY used.word
    ON CONFLICT ON CONSTRAINT search_word_is_listed_once DO NOTHING
"""

# By subject: the column whose words are noted, and the indexed one that has them all.
_TABLES = {
    Subject.OPPORTUNITY: ("matching_opportunityprojection", "head", "words"),
    Subject.CANDIDATE: ("matching_candidateprojection", "words", "words"),
}
_UNUSED = """
    SELECT word FROM matching_searchword known WHERE subject_type = %s AND NOT EXISTS (
        SELECT FROM ts_stat('SELECT {noted} FROM {table}') AS used WHERE used.word = known.word COLLATE "C"
    )
"""
_FORGET = """
    DELETE FROM matching_searchword known USING unnest(%s::varchar[], %s::tsquery[]) AS unused (word, query)
    WHERE known.subject_type = %s AND known.word = unused.word COLLATE "C"
        AND NOT EXISTS (SELECT FROM {table} row WHERE row.{indexed} @@ unused.query)
"""


def note_words(subject: Subject, vectors: Iterable[str]) -> None:
    """Remember the words of fields that count, for those who misspell them."""
    found = sorted(frozenset().union(*map(words_in, vectors)))
    if found:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [subject.value, found, subject.value])


def forget_unused_words(subject: Subject) -> int:
    """Those that no projection has any more; how many there were."""
    table, noted, indexed = _TABLES[subject]
    with connection.cursor() as cursor:
        cursor.execute(_UNUSED.format(table=table, noted=noted), [subject.value])
        unused = [word for (word,) in cursor.fetchall()]
    return sum(
        _forget(subject, _FORGET.format(table=table, indexed=indexed), unused[start : start + FORGOTTEN_AT_ONCE])
        for start in range(0, len(unused), FORGOTTEN_AT_ONCE)
    )


def _forget(subject: Subject, statement: str, words: list[str]) -> int:
    """Looked for once more while nobody can begin to use them, who would take them for noted."""
    with transaction.atomic(), connection.cursor() as cursor:
        locks.projecting()
        cursor.execute(statement, [words, list(map(word_query, words)), subject.value])
        return cursor.rowcount
