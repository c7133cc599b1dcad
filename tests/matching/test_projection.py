"""Facts are stored and read back as they were, whatever is declared."""

from __future__ import annotations

import pytest

from matching.core.attributes import ATTRIBUTES
from matching.models import CandidateProjection
from matching.queries.projection import columns_of, facts_from
from tests.conformance.generators import Chance, facts


@pytest.mark.parametrize("seed", range(20))
def test_facts_come_back_from_their_columns(seed: int) -> None:
    stated = facts(Chance(seed), 1)
    assert facts_from(CandidateProjection(candidate_id=1, **columns_of(stated))) == stated


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_every_attribute_has_its_column(attribute) -> None:
    assert attribute.column in {field.name for field in CandidateProjection._meta.concrete_fields}
