"""Queries: read into segments, and what documents are worth that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.search.query import (
    ANYWHERE,
    LONGEST_LABEL,
    MOST_SEGMENTS,
    OPENINGS,
    PEOPLE,
    Scheme,
    SearchText,
    Segment,
    answers,
    doubtful,
    is_open,
    names,
    relevance,
    segments,
    slips_allowed,
    typed_words,
    with_near,
)
from matching.core.search.words import STOP_WORDS, searched_words, stem

KUBERNETES, JAVASCRIPT, LEARNING, MACHINE_LEARNING, RESEARCH, THINGS, CPP = range(1, 8)
LABELS: Mapping[str, tuple[int, ...]] = {
    "kubernetes": (KUBERNETES,),
    "k8s": (KUBERNETES,),
    "js": (JAVASCRIPT,),
    "javascript": (JAVASCRIPT,),
    "learning": (LEARNING,),
    "machine learning": (MACHINE_LEARNING,),
    "research and development": (RESEARCH,),
    "r and d": (RESEARCH,),
    "internet of things": (THINGS,),
    "c++": (CPP,),
    "am": (CPP,),  # an unlucky abbreviation
}


def read(text: str, labels: Mapping[str, tuple[int, ...]] = LABELS) -> tuple[Segment, ...]:
    words = typed_words(text)
    return segments(words, {name: labels[name] for name in names(words) if name in labels}, open_end=is_open(text))


def text(scheme: Scheme = OPENINGS, *, also: str = "", has: tuple = (), kinds: tuple = (), **fields: str) -> SearchText:
    """A document with words in these fields, `also` somewhere else, skills, and broader kinds of them."""
    found = {field: searched_words([fields.get(field, "")]) for field in scheme.fields}
    whole = searched_words([also]).union(*found.values())
    return SearchText(found, whole, frozenset(has), frozenset(kinds) | frozenset(has))


# Reading


def test_the_longest_name_of_a_skill_wins() -> None:
    assert read("machine learning engineer ") == (
        Segment(("machine", "learning"), (MACHINE_LEARNING,)),
        Segment(("engineer",)),
    )
    assert read("machine vision learning ") == (
        Segment(("machine",)),
        Segment(("vision",)),
        Segment(("learning",), (LEARNING,)),
    )


@pytest.mark.parametrize(
    ("query", "skill"),
    [
        ("K8s", KUBERNETES),
        ("JS", JAVASCRIPT),
        ("C++", CPP),
        ("R&D", RESEARCH),
        ("Research & Development", RESEARCH),
        ("Internet-of-Things", THINGS),
    ],
)
def test_a_skill_is_named_by_whatever_people_call_it(query: str, skill: int) -> None:
    assert [segment.skills for segment in read(query)] == [(skill,)]


def test_words_said_in_passing_are_not_asked_for_unless_there_are_no_others() -> None:
    assert [segment.words for segment in read("a nurse for the night am Rhein ")] == [
        ("nurse",),
        ("night",),
        ("rhein",),
    ]
    assert [segment.words for segment in read("the of ")] == [("the",), ("of",)]
    assert read("am ") == (Segment(("am",), (CPP,)),)


def test_no_words_make_no_segments() -> None:
    assert read("") == read(" ... 🚀 ?!") == ()


def test_the_last_word_goes_on_where_it_is_typed_and_no_other() -> None:
    first, last = read("senior busines")
    assert (first.begun, last.begun) == ("", "busines")
    assert last.words == ("busine",), "the ending may come off, and what was typed stays"
    assert [segment.begun for segment in read("senior business ")] == ["", ""]
    assert read("r")[0].begun == "", "one letter begins too much"
    assert read("machine learning")[0].begun == "learning"
    assert read("nurse in") == (Segment(("nurse",)),), "the one being typed is left out so far"


def test_very_long_queries_are_read_as_far_as_anybody_means_them() -> None:
    endless = read(" ".join(f"word{number}" for number in range(2_000)))  # more than ten thousand letters
    assert [segment.words for segment in endless] == [(f"word{number}",) for number in range(MOST_SEGMENTS)]
    assert len(names(typed_words("a " * 5_000))) < 500


@given(st.lists(st.sampled_from(["machine", "learning", "js", "nurses", "of", "am", "things", "internet", "c++"])))
def test_every_word_that_tells_something_is_in_one_segment(words: list[str]) -> None:
    telling = [stem(word) for word in words if word not in STOP_WORDS] or list(map(stem, words))
    in_segments = [word for segment in read(" ".join(words) + " ") for word in segment.words]
    found = [word for word in in_segments if word not in STOP_WORDS or word in telling]  # no "of" within a name
    assert found == telling[: len(found)]
    assert len(found) == len(telling) or len(read(" ".join(words) + " ")) == MOST_SEGMENTS
    assert len(read(" ".join(words))) <= MOST_SEGMENTS


@given(st.lists(st.sampled_from(["a", "bs", "cs", "d"]), min_size=1, max_size=12))
def test_every_run_of_words_may_be_a_name(words: list[str]) -> None:
    runs = {
        " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(len(words), i + LONGEST_LABEL) + 1)
    }
    assert runs <= names(words)


# Slips


def test_short_words_and_those_with_digits_are_taken_as_they_are() -> None:
    assert [slips_allowed(word) for word in ("c++", "java", "welding", "engineer", "web3", "java8")] == [
        0,
        1,
        1,
        2,
        0,
        0,
    ]


def test_single_words_that_name_no_skill_may_be_slips() -> None:
    assert doubtful(read("enginer machine learning k8s sap welderr ")) == {"enginer", "welderr"}
    assert doubtful((Segment(("two", "words")),)) == frozenset()


def test_what_was_meant_stands_in_for_the_word_that_nothing_has() -> None:
    found = with_near(read("enginer javascript "), {"enginer": ("engineer",), "javascript": ()})
    assert [segment.near for segment in found] == [("engineer",), ()]
    assert found[0].words == ("enginer",)


# Worth


def test_worth_is_the_best_way_of_each_segment() -> None:
    both = text(title="JavaScript developer", has=(JAVASCRIPT,), also="agile team")
    assert relevance(read("js "), both, OPENINGS) == 4 * 6, "as a skill, where the word is nowhere"
    assert relevance(read("javascript "), both, OPENINGS) == 4 * 8, "in the title, which counts more than the skill"
    assert relevance(read("javascript developer agile "), both, OPENINGS) == 4 * 8 + 4 * 8 + ANYWHERE
    assert relevance(read("javascript welder "), both, OPENINGS) is None
    assert relevance((), both, OPENINGS) == 0


@pytest.mark.parametrize(
    ("query", "document", "worth"),
    [
        ("welder ", {"title": "Welders wanted"}, 4 * 8),
        ("welder ", {"skills": "welder"}, 4 * 5),
        ("welder ", {"organisation": "Welder Ltd"}, 4 * 3),
        ("welder ", {"also": "a welder"}, ANYWHERE),
        ("weld", {"title": "Welders"}, 3 * 8),
        ("weld", {"also": "welders"}, ANYWHERE),
        ("weld ", {"title": "Welders"}, None),
        ("night wel", {"title": "Night welder"}, 4 * 8 + 3 * 8),
        ("night wel", {"title": "Welder"}, None),
        ("js ", {"kinds": (JAVASCRIPT,)}, 4 * 2),
        ("machine learning ", {"title": "machine", "also": "learning"}, ANYWHERE),
        ("machine learning ", {"title": "learning a machine"}, 4 * 8),
        ("machine learn", {"title": "machine learning"}, 4 * 8 + 3 * 8),
    ],
)
def test_worth_by_field_and_way(query: str, document: dict, worth: int | None) -> None:
    assert relevance(read(query), text(**document), OPENINGS) == worth


def test_a_near_word_counts_less_than_one_as_typed() -> None:
    meant = with_near(read("enginer "), {"enginer": ("engineer", "engine")})
    assert relevance(meant, text(title="Engineers"), OPENINGS) == 2 * 8
    assert relevance(meant, text(title="Enginer"), OPENINGS) == 4 * 8
    assert relevance(meant, text(title="Enginery"), OPENINGS) is None


@given(st.data())
def test_ways_are_in_the_order_of_their_worth_and_all_are_worth_more_than_anywhere(data: st.DataObject) -> None:
    scheme = data.draw(st.sampled_from((OPENINGS, PEOPLE)))
    segment = Segment(
        ("a",),
        data.draw(st.sampled_from(((), (1,)))),
        data.draw(st.sampled_from(("", "a"))),
        data.draw(st.sampled_from(((), ("b",)))),
    )
    worths = [way.worth for way in scheme.ways(segment)]
    assert worths == sorted(worths, reverse=True)
    assert min(worths) > ANYWHERE
    kinds = 1 + bool(segment.begun) + bool(segment.near)
    assert len(worths) == kinds * len(scheme.fields) + 2 * bool(segment.skills)


words = st.sampled_from(["weld", "welder", "welding", "nurse", "night"])
few = st.lists(words, max_size=3).map(" ".join)
documents = st.builds(
    lambda title, skills, also, ids: text(title=title, skills=skills, also=also, has=tuple(ids)),
    few,
    few,
    few,
    st.sets(st.integers(1, 3), max_size=2),
)
asked = st.builds(
    Segment, st.lists(words, min_size=1, max_size=2).map(tuple), st.sets(st.integers(1, 3), max_size=2).map(tuple)
)


@given(documents, st.lists(asked, max_size=4), st.randoms())
def test_a_document_is_found_if_it_answers_every_segment_in_any_order(document, found, random) -> None:
    worth = relevance(found, document, OPENINGS)
    assert (worth is not None) is all(answers(segment, document) for segment in found)
    shuffled = found[:]
    random.shuffle(shuffled)
    assert relevance(shuffled, document, OPENINGS) == worth
    if worth is not None:
        assert ANYWHERE * len(found) <= worth <= 4 * 8 * len(found)
