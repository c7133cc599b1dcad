"""Titles are looked up among the names of occupations."""

from __future__ import annotations

import pytest

from marketplace.core.occupations import MOST, Occupations

WEB, NURSE, CHEF, COOK = 1, 2, 3, 4


@pytest.fixture
def occupations() -> Occupations:
    return Occupations(
        [(WEB, "web developer"), (NURSE, "nurse responsible for general care"), (CHEF, "chef"), (COOK, "cook")],
        [
            (WEB, "Front-end developer"), (WEB, "website programmers"), (NURSE, "registered nurse (RN)"),
            (CHEF, "cook"), (CHEF, "kitchen head"), (COOK, "kitchen head"),
            *((key, "manager") for key in range(10, 11 + MOST)),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("Web Developer", [WEB]),
        ("web developers", [WEB]),
        ("Senior Frontend Developer (m/f/d), Vienna", [WEB]),
        ("Front end developer – payments team", [WEB]),
        ("Jr. website programmer at Acme", [WEB]),
        ("Vienna: front-end developer", [WEB]),
        ("Registered Nurse", [NURSE]),
        ("REGISTERED NURSE / night shifts", [NURSE]),
        ("Cook", [COOK]),  # a name proper goes before another's other name
        ("Kitchen head", [CHEF, COOK]),
        ("Manager", []),  # so many are called that
        ("Developer", []),
        ("Web", []),
        ("", []),
        ("(m/f/d)", []),
        ("Senior", []),
        ("((((" * 2_000, []),
        ("\x00\ud800 ,;|", []),
    ],
)
def test_a_title_names_what_is_called_so(occupations: Occupations, title: str, named: list[int]) -> None:
    assert list(occupations.named_by(title)) == named


def test_of_several_titles_each_counts(occupations: Occupations) -> None:
    assert occupations.of(["Registered nurse", "Poet", "Web developer, part time"]) == [WEB, NURSE]
    assert occupations.of([]) == []


def test_no_names_are_no_occupations() -> None:
    assert Occupations([], []).named_by("Web developer") == ()
