"""Words of queries and documents: folded the same way, whatever is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.folding import fold
from matching.core.search.query import is_open, typed_words
from matching.core.search.words import LONGEST_WORD, MOST_WORDS, STOP_WORDS, folded_words, searched_words, stem

written = st.text(max_size=80)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Senior C++/.NET Developers (m/f)", ["senior", "c++", ".net", "developers", "m", "f"]),
        ("Node.js. Next: ASP.NET, C#!", ["node.js", "next", "asp.net", "c#"]),
        ("naïve CAFÉ ﬁne Straße", ["naive", "cafe", "fine", "strasse"]),
        ("INGÉNIEUR·E d’études", ["ingenieur", "e", "detudes"]),
        ("a\x00b\u200bc\u00a0d\r\ne", ["a", "b", "c", "d", "e"]),
        ("🚀 welder 👩‍🔧🇩🇪", ["welder"]),
        ("软件工程师 東京", ["软件工程师", "東京"]),
        ("مُهَنْدِس بَرمجيات", ["مهندس", "برمجيات"]),
        ("מְהַנְדֵּס תוכנה", ["מהנדס", "תוכנה"]),
        ("हिन्दी शिक्षक", ["हनद", "शकषक"]),
        ("… ?! 🚀 '' -- + # &amp", ["and", "amp"]),
        ("\u202e evil \u202d", ["evil"]),
        ("", []),
        (" \t\n", []),
        ("...!?🚀", []),
    ],
)
def test_case_accents_and_punctuation_come_off_and_nothing_else(text: str, words: list[str]) -> None:
    assert folded_words(text) == words


@given(written)
def test_words_of_any_text_are_fit_for_every_source(text: str) -> None:
    for word in folded_words(text):
        assert word
        assert len(word) <= LONGEST_WORD
        assert not set(word) & set("'\"\\:*|!<>()§~_ \x00"), "none may mean something to a query of Postgres"
        assert not any(letter.isspace() for letter in word)
        assert word == word.casefold()


@given(written)
def test_a_name_that_was_folded_for_storing_has_the_words_of_the_name(name: str) -> None:
    assert folded_words(fold(name)) == folded_words(name)


@given(written)
def test_a_document_has_the_words_that_its_own_text_asks_for(text: str) -> None:
    assert {stem(word) for word in typed_words(text)} <= searched_words([text])


def test_plural_endings_come_off_in_queries_and_documents_alike() -> None:
    one, other = (
        "Nurses, technologies and boxes; analysis of C++ classes",
        "nurse technology and box analysis of c++ class",
    )
    assert searched_words([one]) == searched_words([other])


def test_words_as_long_as_texts_are_cut_the_same_way() -> None:
    endless = "s" * 10_000
    assert folded_words(endless) == ["s" * LONGEST_WORD]
    assert {stem(word) for word in typed_words(endless)} == searched_words([endless])


def test_no_text_is_too_long() -> None:
    text = " ".join(f"word{number}" for number in range(3 * MOST_WORDS))
    found = searched_words(["Title", text, "never read"])
    assert len(found) == MOST_WORDS
    assert {"title", "word0"} <= found
    assert "never" not in found


def test_stop_words_are_words_as_queries_have_them() -> None:
    assert [word for word in STOP_WORDS if folded_words(word) != [word]] == []
    assert "fur" in STOP_WORDS


@pytest.mark.parametrize(("text", "still"), [("weld", True), ("weld ", False), ("weld\n", False), ("", False)])
def test_a_word_may_go_on_until_something_follows_it(text: str, still: bool) -> None:
    assert is_open(text) is still
