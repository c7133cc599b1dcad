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


def test_spans_say_where() -> None:
    text = "Ünïcode first, then PostgreSQL and k8s"
    assert [text[span.start : span.end] for span in RECOGNISER.find(text)] == ["PostgreSQL", "k8s"]


def test_the_longest_label_wins() -> None:
    assert found("Amazon Web Services") == ["AWS"]
    assert found("React Native") == ["React Native"]


def test_the_everyday_list_names_everything_once() -> None:
    uris = [entry.uri for entry in EVERYDAY]
    assert len(uris) == len(set(uris)) >= 150
