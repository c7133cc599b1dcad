"""Search text as Postgres holds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.search.query import OPENINGS, PEOPLE, By, Scheme, SearchText, Segment, Way
from matching.core.search.vectors import anywhere_query, head_vector, text_from, way_query, word_vector, words_in
from matching.core.search.words import searched_words

written = st.one_of(
    st.text(max_size=30), st.sampled_from(["Node.js & C++", "R&D", ".NET #1", "l'été", "a.b:c", "§17 ~4"])
)
ids = st.frozensets(st.integers(1, 2**31 - 1), max_size=4)


def text(scheme: Scheme, texts: list[str], also: str, skills: frozenset[int], kinds: frozenset[int]) -> SearchText:
    fields = {field: searched_words([one]) for field, one in zip(scheme.fields, texts, strict=True)}
    return SearchText(fields, searched_words([also]).union(*fields.values()), skills, skills | kinds)


@given(st.sampled_from((OPENINGS, PEOPLE)), st.lists(written, min_size=3, max_size=3), written, ids, ids)
def test_vectors_lose_nothing(scheme: Scheme, texts: list[str], also: str, skills, kinds) -> None:
    document = text(scheme, texts, also, skills, kinds)
    head, words = head_vector(document, scheme), word_vector(document)
    assert text_from(head, words, scheme) == document
    assert words_in(words) == document.words
    assert words_in(head) == frozenset().union(*document.fields.values())


def test_a_head_says_in_which_fields_a_word_is_and_which_skills_there_are() -> None:
    document = text(OPENINGS, ["Java developer", "Java", "Jäger"], "night", frozenset({17}), frozenset({4}))
    assert head_vector(document, OPENINGS) == "'developer':1A 'jager':3C 'java':1A,2B '~17' '~4' '§17'"
    assert word_vector(document) == "'developer' 'jager' 'java' 'night' '§17' '~4' '~17'"


def test_an_empty_document_has_empty_vectors() -> None:
    empty = text(PEOPLE, ["", "", ""], "", frozenset(), frozenset())
    assert (head_vector(empty, PEOPLE), word_vector(empty)) == ("", "")
    assert text_from("", "", PEOPLE) == empty


@pytest.mark.parametrize(
    ("segments", "literal"),
    [
        ((), ""),
        ((Segment(("welder",)),), "(('welder'))"),
        ((Segment(("night", "shift"), begun="shifts"),), "(('night' & 'shift') | ('night' & 'shifts':*))"),
        ((Segment(("weld",), begun="weld"), Segment(("x",))), "(('weld') | ('weld':*)) & (('x'))"),
        ((Segment(("enginer",), near=("engineer", "engine")),), "(('enginer') | 'engineer' | 'engine')"),
        ((Segment(("js",), (2, 3)),), "(('js') | '§2' | '§3' | '~2' | '~3')"),
    ],
)
def test_a_query_for_any_way_of_answering(segments: tuple[Segment, ...], literal: str) -> None:
    assert anywhere_query(segments) == literal


@pytest.mark.parametrize(
    ("way", "literal"),
    [
        (Way(1, By.WORDS, "title"), "('night':A & 'shift':A)"),
        (Way(1, By.WORDS, "organisation"), "('night':C & 'shift':C)"),
        (Way(1, By.OPEN, "skills"), "('night':B & 'shifts':*B)"),
        (Way(1, By.NEAR, "title"), "'shirt':A | 'shaft':A"),
        (Way(1, By.SKILL), "'§7'"),
        (Way(1, By.FAMILY), "'~7'"),
    ],
)
def test_a_query_for_one_way_of_answering(way: Way, literal: str) -> None:
    segment = Segment(("night", "shift"), (7,), begun="shifts", near=("shirt", "shaft"))
    assert way_query(way, segment, OPENINGS) == literal
