"""Everybody reads what the matrix says, and nothing else: by `node`, and wherever a row hangs on another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from accounts.api.nodes import KINDS, encode_id
from accounts.models import AuditEntry
from marketplace.core.personal import PersonalField
from tests.access.asking import node_document, object_types, plumbing, reach_document
from tests.access.matrix import matrix
from tests.access.reading import Readings
from tests.access.world import DIFFERENT, PRINCIPALS, SOMEBODYS, THEIRS, Specimen, World
from tests.config.graphql_client import Asker

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

Asking = Callable[[str], Asker]
AT_ONCE = 40
PERSONAL = ("person", "called")  # classes of access
ALL = [one if one in DIFFERENT else pytest.param(one, marks=pytest.mark.soak) for one in PRINCIPALS]


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


@pytest.mark.parametrize("principal", ALL)
def test_a_row_is_had_by_its_id_by_those_who_may_and_is_as_good_as_absent_to_others(
    world: World, asking: Asking, principal: str
) -> None:
    wrong = []
    rows = list(representatives(world, 1))
    for some in (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE)):
        found = asking(principal).ask(reach_document(len(some)), **{f"a{at}": one.id for at, one in enumerate(some)})
        for one, row in zip(some, found.values(), strict=True):
            if (row is not None) is not matrix().node[one.type].allows(principal, one):
                wrong.append(f"{principal} {'gets' if row else 'does not get'} {one}")
            assert row in (None, {"__typename": one.type, "id": one.id})
    assert not wrong, "\n".join(wrong)
    absent = {f"a{at}": encode_id(kind, uuid4()) for at, kind in enumerate(KINDS)}
    assert set(asking(principal).ask(reach_document(len(absent)), **absent).values()) == {None}


@pytest.mark.parametrize("principals", [DIFFERENT, pytest.param(PRINCIPALS, marks=pytest.mark.soak)])
def test_every_field_of_every_row_is_read_by_those_who_may(
    world: World, asking: Asking, principals: tuple[str, ...]
) -> None:
    readings, wrong = Readings(world, matrix()), []
    documents = {name: node_document(name, matrix().is_guarded) for name in KINDS}
    for principal in principals:
        for specimen in representatives(world, 1):
            is_theirs = specimen.organisation == THEIRS
            if principals is DIFFERENT and is_theirs and (specimen.variant or principal in ("owner", "observer")):
                continue  # as ours to the rival
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


def test_everything_personal_that_is_read_is_logged(world: World, asking: Asking) -> None:
    """Each field by itself, so that none is logged by another's grace."""
    person, known = world.ours.person, set()
    personal = [
        name
        for (kind, name), one in matrix().fields.items()
        if kind == "Candidate" and one.name in PERSONAL and name != "contactsOpen"
    ]
    assert len(personal) > len(PersonalField)
    for name in personal:
        selection = f"{name} {{ __typename }}" if name in ("experiences", "vetting") else name
        query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Candidate {{ {selection} }} }} }}"
        before = AuditEntry.objects.count()
        asking("owner").ask(query, id=world.specimen(person).id)
        entries = list(AuditEntry.objects.order_by("id")[before:])
        assert [(one.kind, one.subject_id) for one in entries] == [("PersonalDataRead", person.pk)], name
        known |= set(entries[0].data["fields"])
        assert len(entries[0].data["fields"]) == 1
        asking("candidate").ask(query, id=world.specimen(person).id)
        asking("rival").ask(query, id=world.specimen(person).id)
        assert AuditEntry.objects.count() == before + 1
    assert known == set(PersonalField)
