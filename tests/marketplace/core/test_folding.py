"""What counts as the same name."""

from __future__ import annotations

import pytest

from marketplace.core.folding import MergeIndex, fold, merge_keys, singular


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  Node.JS, ", "node.js"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("C♯", "c#"),
        (".NET", ".net"),
        ("Objective-C", "objective c"),
        ("Crème   brûlée", "creme brulee"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("R&D", "r and d"),
        ("end.", "end"),
        ("\x00", ""),
        ("👩‍🔧 welder", "welder"),
        ("हिन्दी शिक्षक", "हनद शकषक"),  # a word stays one, whatever its vowels are written as
        ("مُهَنْدِس", "مهندس"),
    ],
)
def test_folding_takes_off_what_does_not_matter_and_keeps_what_does(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_c_and_its_descendants_stay_distinct() -> None:
    assert len({fold(name) for name in ("C", "C++", "C#", "Objective-C", "F#", ".NET", "Node.js", "ASP.NET")}) == 8


def test_plurals_are_cut_and_words_that_only_look_like_plurals_are_not() -> None:
    assert [singular(word) for word in ("apis", "bus", "analysis", "class", "boxes", "studies")] == [
        "api",
        "bus",
        "analysis",
        "class",
        "box",
        "study",
    ]


ESCO = (
    ("Java (computer programming)", ()),
    ("SQL", ()),
    ("database", ("databases",)),
    ("tools for software configuration management", ("git", "subversion")),
    ("Canvas (learning management systems)", ()),
    ("iOS", ("Apple iOS",)),
    ("DB2", ("IBM DB2",)),
    ("CAD software", ()),
    ("SPARK", ()),
)


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("Oracle Java", "Java (computer programming)"),
        ("Structured query language SQL", "SQL"),
        ("Apple iOS", "iOS"),
        ("IBM DB2", "DB2"),
        ("Computer aided design CAD software", "CAD software"),
        ("Oracle Database", None),  # a product, not what "database" means
        ("Git", None),  # an example of such tools, not another name of them
        ("Canva", None),  # no plural of it
        ("Cisco IOS", None),
        ("Apache Spark", None),  # SPARK is a language
        ("JavaScript", None),
    ],
)
def test_technologies_merge_only_where_they_mean_the_same(name: str, same_as: str | None) -> None:
    index = MergeIndex()
    for key, (known, labels) in enumerate(ESCO):
        index.add(key, merge_keys(known, labels))

    found = index.find(merge_keys(name))

    assert (None if found is None else ESCO[found][0]) == same_as
