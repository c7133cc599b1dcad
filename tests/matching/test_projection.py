"""Facts are stored and read back as they were, whatever is declared."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from matching.core.attributes import ATTRIBUTES
from matching.core.facts import CandidateFacts
from matching.models import CandidateProjection
from matching.queries.projection import SCORED, SCORED_COUNTS, columns_of, facts_from
from tests.conformance.generators import LAST_USED, Chance, facts
from tests.marketplace.factories import a_skill
from tests.matching.staging import skilled, work


@pytest.mark.parametrize("seed", range(20))
def test_facts_come_back_from_their_columns(seed: int) -> None:
    stated = facts(Chance(seed), 1)
    assert facts_from(CandidateProjection(candidate_id=1, **columns_of(stated))) == stated


@pytest.mark.parametrize("seed", range(20))
def test_what_only_scoring_reads_comes_back_from_its_columns(seed: int) -> None:
    chance = Chance(seed)
    stated = replace(
        facts(chance, 1),
        title_words=frozenset(chance.some(("senior", "nurse", "c++", "data", "engineer"))),
        occupations=frozenset(chance.some((1, 2, 3))),
        mentioned_skills=frozenset(chance.some((91, 92, 93))),
        worked_for=frozenset(chance.some((4, 5))),
        last_active_on=chance.one((None, *LAST_USED)),
        **{name: chance.number(0, 9) for name in SCORED_COUNTS},
    )
    assert facts_from(CandidateProjection(candidate_id=1, **columns_of(stated))) == stated


def test_every_fact_has_its_column() -> None:
    columns = {field.name for field in CandidateProjection._meta.concrete_fields}
    assert set(SCORED) <= columns
    declared = {one.fact for one in ATTRIBUTES.values()} | {"skills", "candidate_id"}
    assert {field.name for field in fields(CandidateFacts)} - declared <= columns


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_every_attribute_has_its_column(attribute) -> None:
    assert attribute.column in {field.name for field in CandidateProjection._meta.concrete_fields}


@pytest.mark.django_db
def test_whoever_mentions_a_skill_in_a_text_is_projected_with_it() -> None:
    declared, mentioned = a_skill("welding"), a_skill("glassblowing")
    candidate = skilled(declared, resume_text="Welding by day, glassblowing by night.")
    work()
    row = CandidateProjection.objects.get(pk=candidate.pk)
    assert (row.skill_ids, row.mentioned_skills) == ([declared.pk], [mentioned.pk])
