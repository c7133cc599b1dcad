"""Everybody reads what the matrix says, and nothing else: by `node`, and wherever a row hangs on another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from accounts.api.nodes import KINDS, encode_id
from tests.access.asking import node_document, object_types, plumbing, reach_document
from tests.access.matrix import matrix
from tests.access.reading import Readings
from tests.access.world import PRINCIPALS, SOMEBODYS, Specimen, World
from tests.config.graphql_client import Asker

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

Asking = Callable[[str], Asker]
AT_ONCE = 40


def test_every_field_of_every_type_is_classified_and_nothing_that_is_not_there() -> None:
    there = {(name, key) for name, one in object_types().items() if not plumbing(one) for key in one.fields}
    assert sorted(there - matrix().fields.keys()) == [], "say in matrix.toml who reads it"
    assert sorted(matrix().fields.keys() - there) == [], "there is no such field"
    assert set(matrix().node) == set(KINDS)


def representatives(world: World, each: int) -> Iterator[Specimen]:
    """So many rows of each type that are the same people's in the same respect."""
    seen: dict[tuple[str, str, str, str], int] = {}
    for one in world.specimens.values():
        key = (one.type, one.organisation, one.person, one.variant)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= each:
            yield one


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_row_is_had_by_its_id_by_those_who_may_and_is_as_good_as_absent_to_others(
    world: World, asking: Asking, principal: str
) -> None:
    wrong = []
    rows = list(representatives(world, 2))
    for some in (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE)):
        absent = [encode_id(one.type, uuid4()) for one in some]
        found = asking(principal).ask(reach_document(len(some)), **{f"a{at}": one.id for at, one in enumerate(some)})
        none = asking(principal).ask(reach_document(len(some)), **{f"a{at}": one for at, one in enumerate(absent)})
        assert set(none.values()) == {None}
        for one, row in zip(some, found.values(), strict=True):
            if (row is not None) is not matrix().node[one.type].allows(principal, one):
                wrong.append(f"{principal} {'gets' if row else 'does not get'} {one}")
            assert row in (None, {"__typename": one.type, "id": one.id})
    assert not wrong, "\n".join(wrong)


def test_every_field_of_every_row_is_read_by_those_who_may(world: World, asking: Asking) -> None:
    readings, wrong = Readings(world, matrix()), []
    documents = {name: node_document(name, matrix().is_guarded) for name in KINDS}
    for principal in ("staff", *(one for one in PRINCIPALS if one != "staff")):
        for specimen in representatives(world, 1):
            if not matrix().node[specimen.type].allows(principal, specimen):
                continue
            if specimen.type == "Match" and (specimen.variant or specimen.organisation != specimen.person != SOMEBODYS):
                continue  # of all the pairs that are matched these are enough
            row = asking(principal).ask(documents[specimen.type], id=specimen.id)["node"] or {}
            if principal == "staff":
                readings.note(row)
            wrong += readings.faults(principal, row, specimen)
    assert not wrong, "\n".join(wrong)
    guarded = {key for key in matrix().fields if matrix().is_guarded(*key)}
    assert sorted(guarded - readings.read) == [], "nobody read anything there: the world should have something"
    assert sorted(guarded - readings.withheld) == [], "nobody was kept from reading it"
