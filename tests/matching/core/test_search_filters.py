"""What people narrow a search by finds what they mean."""

from __future__ import annotations

from datetime import date

import pytest

from matching.core.attributes import Subject
from matching.core.facts import OpportunityFacts
from matching.core.rules import OPEN_TO_ALL, Rule, dump, load
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.truth import truth

EVERYWHERE = {"*"}
GERMANY, BERLIN, FRANCE = {"DE", "DE-*"}, {"DE", "DE-BE"}, {"FR", "FR-*"}


def finds(rule: Rule, **facts: object) -> bool:
    stated = {name: frozenset(value) if isinstance(value, set) else value for name, value in facts.items()}
    return truth(rule, OpportunityFacts(1, **stated), on=date(2027, 3, 1)) is True  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "places", "excluded", "is_found"),
    [
        ("DE", GERMANY, set(), True),
        ("DE", BERLIN, set(), True),
        ("DE", EVERYWHERE, set(), True),
        ("DE", EVERYWHERE, {"DE"}, False),
        ("DE", GERMANY, {"DE-BY"}, True),
        ("DE", FRANCE, set(), False),
        ("DE-BE", GERMANY, set(), True),
        ("DE-BE", BERLIN, set(), True),
        ("DE-BE", GERMANY, {"DE-BE"}, False),
        ("DE-BE", EVERYWHERE, {"DE"}, False),
        ("DE-BY", BERLIN, set(), False),
        ("DE FR", EVERYWHERE, {"DE"}, True),
        ("DE FR", EVERYWHERE, {"DE", "FR"}, False),
        ("", FRANCE, set(), True),
    ],
)
def test_a_place_is_asked_for_as_people_mean_it(asked, places, excluded, is_found):
    assert finds(offered_in(asked.split()), places=places, excluded_places=excluded) is is_found


def test_all_skills_are_asked_for_and_one_of_everything_else():
    assert finds(asks_for_skill([3, 7]), skills={3, 5, 7})
    assert not finds(asks_for_skill([3, 7]), skills={3, 5}, skill_families={3, 5, 7})
    assert finds(asks_for_skill([3, 7], or_narrower=True), skills={5}, skill_families={3, 5, 7})
    assert finds(commitment_in(["full_time", "contract"]), commitment="contract")
    assert not finds(commitment_in(["full_time"]), commitment=None)
    assert finds(arrangement_in(["remote", "hybrid"]), arrangement="hybrid")
    assert finds(posted_by([4, 9]), organisations={4})
    assert not finds(posted_by([9]), organisations={4})


def test_filters_are_rules_that_can_be_stored_and_nothing_chosen_asks_for_nothing():
    places, skills = [f"{a}{b}" for a in "ABCDE" for b in "ABCD"], list(range(1, 30))
    builders = {offered_in: places, asks_for_skill: skills, commitment_in: ["a", "b"], posted_by: [1, 2]}
    for build, chosen in builders.items():
        for some in (chosen, chosen[:1], chosen * 2):
            assert load(dump(build(some)), about=Subject.OPPORTUNITY) == build(reversed(some))
        assert build([]) == OPEN_TO_ALL
