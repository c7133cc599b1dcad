"""Finding skills in free text."""

from __future__ import annotations

import pytest

from marketplace.core.everyday import EVERYDAY
from marketplace.core.recognition import Label, Recogniser

NAMES = [entry.name for entry in EVERYDAY] + ["statistics", "scaffolding components", "computer technology", "welding"]
EXTRA = [("scaffolding components", "tie"), ("computer technology", "IT"), ("welding", "weld metals")]
LABELS = (
    [Label(key, entry.name, 0, entry.technology) for key, entry in enumerate(EVERYDAY)]
    + [Label(key, label, 0, entry.technology) for key, entry in enumerate(EVERYDAY) for label in entry.labels]
    + [Label(key, NAMES[key], 1) for key in range(len(EVERYDAY), len(NAMES))]
    + [Label(NAMES.index(name), label, 2) for name, label in EXTRA]
)
RECOGNISER = Recogniser(LABELS)


def found(text: str) -> list[str]:
    return [NAMES[key] for key in RECOGNISER.skills(text)]


@pytest.mark.parametrize(
    ("text", "skills"),
    [
        ("We run k8s and Postgres.", ["Kubernetes", "PostgreSQL"]),
        ("JS, TS and CSS", ["JavaScript", "TypeScript", "CSS"]),
        ("C, C++, C# and .NET", ["C", "C++", "C#", ".NET"]),
        ("Java/Spring, Node.js/Express", ["Java", "Spring Framework", "Node.js", "Express.js"]),
        ("CI/CD pipelines", ["CI/CD"]),
        ("Python, Go and R", ["Python", "Go", "R"]),
        ("Go, R", ["Go", "R"]),
        ("expertise in Go", ["Go"]),
        ("Go programming", ["Go"]),
        ("Go to our page and excel at what you do.", []),
        ("Excel at what you do!", []),
        ("IT support, a tie, a word", []),
        ("REACT quickly. We express ourselves.", []),
        ("weld metalwork and welds", []),
        ("weld metals", ["welding"]),
        ("Statistic", ["statistics"]),
        ("foo.js", []),
        ("distributed\nsystems", ["distributed systems"]),
        ("distributed, systems", []),
        ("", []),
        ("\x00\U0001f600", []),
    ],
)
def test_labels_are_found_where_they_are_meant(text: str, skills: list[str]) -> None:
    assert found(text) == skills


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("managed budgets", True),
        ("Managing budgets", True),
        ("managing\nbudget", True),
        ("manages the budget", False),
        ("budgets managed", False),
    ],
)
def test_words_of_a_longer_label_may_be_inflected(text: str, there: bool) -> None:
    recogniser = Recogniser([Label(1, "manage budgets"), Label(2, "managing"), Label(3, "budget")])
    assert (1 in recogniser.skills(text)) is there


def test_what_is_written_like_a_label_goes_before_what_is_only_inflected_like_it() -> None:
    recogniser = Recogniser([Label(1, "printing materials"), Label(2, "printed materials", 2)])
    assert recogniser.skills("printed materials, printing material") == [2, 1]


def test_a_shorter_label_is_found_where_a_longer_one_only_begins() -> None:
    recogniser = Recogniser([Label(1, "data entry"), Label(2, "data entry clerk supervision")])
    assert recogniser.skills("data entry clerk") == [1]
    assert recogniser.skills("data, entry; data entry clerk supervision") == [2]


def test_texts_of_any_length_and_letters_are_read() -> None:
    resume = "Ünïcode 5 years of PostgreSQL and k8s. " * 30_000
    assert found(resume) == ["PostgreSQL", "Kubernetes"]
    for odd in ("a" * 2_000_000, "." * 1_000_000, "\ud800", "é" * 100_000, ".net" * 100_000, "\x00" * 1_000):
        assert found(odd) == []


def test_a_recogniser_keeps_a_bounded_number_of_words() -> None:
    """Words as written are kept between texts, so a stream of ever new ones must not grow it without end."""
    recogniser = Recogniser(LABELS)
    for batch in range(5):
        recogniser.skills(" ".join(f"word{batch}x{number}" for number in range(60_000)))
    assert len(recogniser._known) <= 260_000


def test_spans_say_where() -> None:
    text = "Ünïcode first, then PostgreSQL and k8s"
    assert [text[span.start : span.end] for span in RECOGNISER.find(text)] == ["PostgreSQL", "k8s"]


def test_the_longest_label_wins() -> None:
    assert found("Amazon Web Services") == ["AWS"]
    assert found("React Native") == ["React Native"]


def test_the_everyday_list_names_everything_once() -> None:
    uris = [entry.uri for entry in EVERYDAY]
    assert len(uris) == len(set(uris)) >= 150
