from matching.core.titles import MOST_WORDS, title_words


def test_words_of_titles_are_compared_without_case_accents_plurals_and_small_words():
    assert title_words(["Senior Développeurs of the APIs", "C++/C# developer"]) == {
        "senior",
        "developpeur",
        "api",
        "c++",
        "c#",
        "developer",
    }


def test_to_whom_a_title_is_addressed_says_nothing():
    assert title_words(["Nurse (m/f/d)", "Pflegekraft (m/w/x), all genders"]) == {"nurse", "pflegekraft"}


def test_nothing_is_no_words():
    assert title_words([]) == title_words(["", " , "]) == frozenset()


def test_what_comes_after_many_words_is_left_out():
    assert len(title_words(f"word{n}" for n in range(MOST_WORDS * 3))) == MOST_WORDS
