"""Words without the endings of inflection."""

from __future__ import annotations

import pytest

from marketplace.core.stemming import root


@pytest.mark.parametrize(
    "forms",
    [
        "manage manages managed managing",
        "plan plans planned planning",
        "carry carries carried carrying",
        "sell sells selling",
        "pass passes passed passing",
        "weld welds welded welding",
        "technology technologies",
        "code codes coded coding",
    ],
)
def test_forms_of_a_word_have_one_root(forms: str) -> None:
    assert len({root(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("words", ["manage manager management", "string str", "need ne", "c c++ c#"])
def test_other_words_keep_roots_of_their_own(words: str) -> None:
    assert len({root(word) for word in words.split()}) == len(words.split())
