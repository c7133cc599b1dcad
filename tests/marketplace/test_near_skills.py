"""Which skills are near to which, by the taxonomy."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Skill, SkillBroader
from marketplace.queries.near import BROADER, LEAST, MOST_NEAR, NARROWER, SIBLING, SMALL_FAMILY, Kinship, kinship
from marketplace.queries.skills import skill_names
from tests.marketplace.factories import a_skill


def test_kinds_are_nearer_than_what_they_are_kinds_of_and_these_nearer_than_other_kinds() -> None:
    kin = Kinship([(2, 1, False), (3, 1, False), (4, 2, False)])
    assert kin.near(2) == ((4, NARROWER), (1, BROADER), (3, SIBLING))
    assert NARROWER > BROADER > SIBLING


def test_the_larger_a_family_the_less_its_kinds_are_near() -> None:
    kin = Kinship((kind, 1, False) for kind in range(2, 2 + 2 * SMALL_FAMILY))
    assert dict(kin.near(2))[3] == SIBLING // 2


def test_kinds_of_what_has_very_many_are_not_near() -> None:
    many = SIBLING * SMALL_FAMILY // LEAST + 1
    kin = Kinship((kind, 1, False) for kind in range(2, 2 + many))
    assert kin.near(2) == ((1, BROADER),)


def test_nobody_has_a_heading_but_what_stands_under_it_is_near() -> None:
    kin = Kinship([(2, 1, True), (3, 1, True)])
    assert kin.near(2) == ((3, SIBLING),)


def test_of_two_ways_the_shorter_counts_and_nothing_is_near_to_itself() -> None:
    kin = Kinship([(2, 1, False), (3, 1, False), (3, 2, False)])
    assert kin.near(2) == ((3, NARROWER), (1, BROADER))


def test_only_the_closest_are_listed_in_an_order_that_never_changes() -> None:
    kin = Kinship((kind, 1, False) for kind in range(100, 100 + 2 * MOST_NEAR))
    assert kin.near(1) == tuple((kind, NARROWER) for kind in range(100, 100 + MOST_NEAR))


def test_a_skill_without_links_has_nothing_near() -> None:
    assert Kinship([]).near(1) == ()


@pytest.mark.django_db
def test_links_of_merged_skills_are_those_of_what_they_became() -> None:
    kafka, rabbit, brokers, old_kafka, older_kafka = (a_skill(name) for name in ("K", "R", "B", "Old K", "Older K"))
    SkillBroader.objects.create(skill=older_kafka, broader=brokers)
    SkillBroader.objects.create(skill=rabbit, broader=brokers)
    Skill.objects.filter(pk=older_kafka.pk).update(merged_into=old_kafka)
    Skill.objects.filter(pk=old_kafka.pk).update(merged_into=kafka)
    assert kinship().near(kafka.pk) == ((brokers.pk, BROADER), (rabbit.pk, SIBLING))


@pytest.mark.django_db
def test_a_merged_skill_is_called_what_it_became_and_known_names_are_not_asked_for_again() -> None:
    kafka, old_kafka, older_kafka, rabbit = (a_skill(name) for name in ("K", "Old K", "Older K", "R"))
    Skill.objects.filter(pk=older_kafka.pk).update(merged_into=old_kafka)
    Skill.objects.filter(pk=old_kafka.pk).update(merged_into=kafka)
    named = {kafka.pk: "K", older_kafka.pk: "K"}
    statements = []
    for asked, taxonomy in (
        ({*named, 2**40}, 0),  # nobody has this one
        (set(named), 0),
        (set(named), 901),
        (set(named), 901),
        ({*named, rabbit.pk}, 901),
        (set(named), 902),
    ):
        with CaptureQueriesContext(connection) as captured:
            found = skill_names(asked, taxonomy=taxonomy)
        assert found == {pk: name for pk, name in {**named, rabbit.pk: "R"}.items() if pk in asked}
        statements.append(len(captured))
    assert statements == [1, 1, 1, 0, 1, 1]


@pytest.mark.django_db
def test_the_links_are_read_in_two_statements() -> None:
    with CaptureQueriesContext(connection) as captured:
        kinship()
    assert len(captured) == 2
