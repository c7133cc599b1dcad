"""What is asked at the root: lists hold what the matrix says, lookups find it, and the rest is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from accounts.api.nodes import encode_id
from tests.access.asking import SCHEMA, Question, is_connection, named
from tests.access.matrix import matrix
from tests.access.world import DIFFERENT, SECRET, World
from tests.config.graphql_client import Asker

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

Asking = Callable[[str], Asker]
LISTS, ASKED = matrix().raw["lists"], matrix().raw["asked"]
QUERY: Any = SCHEMA.query_type
REFUSALS = {"LOGIN_REQUIRED", "NOT_FOUND", "NOT_PERMITTED"}

# Of an opportunity, and of somebody who is not the one who asks.
ARGUMENTS = {
    "matches": "opportunity: $opportunity, first: 100",
    "backfill": "opportunity: $opportunity",
    "openCallSize": "opportunity: $opportunity, overbookingPpm: 100000",
    "eligibilityPreview": "opportunity: $opportunity",
    "eligibility": "opportunity: $opportunity, candidate: $person",
    "whatIf": "opportunity: $opportunity, candidate: $person, changes: {weeklyHours: 20}",
    "whatIfSuggestions": "opportunity: $opportunity, candidate: $person",
    "recommendations": "first: 3",
}


def document(name: str) -> str:
    """All of an answer at the root."""
    question = Question(matrix().is_guarded)
    given = ARGUMENTS.get(name, "")
    field = question.field(name, QUERY.fields[name], arguments=f"({given})" if given else "")
    variables = [f"${one}: ID{'!' * (one == 'opportunity')}" for one in ("opportunity", "person") if f"${one}" in given]
    named_variables = f"({', '.join(variables)})" if variables else ""
    return question.document(f"query {named_variables} {{ {field} }}")


def test_everything_at_the_root_is_classified() -> None:
    assert set(QUERY.fields) == LISTS.keys() | ASKED.keys()
    assert LISTS.keys().isdisjoint(ASKED)
    connections = {name for name, field in QUERY.fields.items() if is_connection(named(field))}
    assert connections - LISTS.keys() == {"matches", "recommendations", "personalDataReads"}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_what_may_be_found_in_it(world: World, asking: Asking, name: str) -> None:
    told, wrong = LISTS[name], []
    rows, refused = matrix().access[told["rows"]], told.get("refused", "").split()
    for principal in DIFFERENT:
        answer = asking(principal).answer(
            f"{{ {name}(first: 100) {{ totalCount nodes {{ id }} edges {{ node {{ id }} }} }} }}"
        )
        if principal in matrix().names(" ".join(refused)):
            assert answer["errors"][0]["extensions"]["code"] in REFUSALS, (principal, answer)
            assert answer["data"] is None
            continue
        found = answer["data"][name]
        ids = {one["id"] for one in found["nodes"]}
        assert ids == {one["node"]["id"] for one in found["edges"]}
        expected = {one.id for one in world.of(told["of"]) if rows.allows(principal, one)}
        wrong += [f"{principal} finds {world.specimens[key]} in {name}" for key in ids - expected]
        wrong += [f"{principal} does not find {world.specimens[key]} in {name}" for key in expected - ids]
        if found["totalCount"] != len(ids):
            wrong.append(f"{principal} is told of {found['totalCount']} {name}, and shown {len(ids)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [name for name, told in ASKED.items() if told.get("lookup", "*") != "*"])
def test_a_lookup_finds_what_may_be_had_by_its_id(world: World, asking: Asking, name: str) -> None:
    kind, wrong = ASKED[name]["lookup"], []
    query = f"query ($id: ID!) {{ {name}(id: $id) {{ id }} }}"
    for principal in DIFFERENT:
        assert asking(principal).ask(query, id=encode_id(kind, uuid4()))[name] is None
        for one in world.of(kind):
            found = asking(principal).ask(query, id=one.id)[name]
            if (found is not None) is not matrix().node[kind].allows(principal, one):
                wrong.append(f"{principal} {'finds' if found else 'does not find'} {one}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [name for name, told in ASKED.items() if "who" in told])
def test_what_is_asked_about_an_opportunity_is_answered_to_those_who_may_know(
    world: World, asking: Asking, name: str
) -> None:
    access, wrong = matrix().access[ASKED[name]["who"]], []
    about = [world.specimen(side.rows["open"]) for side in (world.ours, world.theirs)]
    hidden = [world.specimen(side.rows["draft"]) for side in (world.ours, world.theirs)]
    query, person = document(name), world.specimen(world.people["found"]).id
    for principal in DIFFERENT:
        asker, whom = asking(principal), None if principal == "candidate" else person
        for one in about:
            answer = asker.answer(query, opportunity=one.id, person=whom)
            allowed = access.allows(principal, one)
            if allowed and "errors" in answer:
                wrong.append(f"{principal} is not answered {name} of {one}: {answer}")
            if not allowed and answer.get("data") is not None and answer["data"][name] is not None:
                wrong.append(f"{principal} is answered {name} of {one}: {answer['data']}")
            if not allowed and "errors" in answer:
                assert answer["errors"][0]["extensions"]["code"] in REFUSALS, (principal, answer)
            if SECRET in str(answer) and principal not in ("candidate", "staff"):
                wrong.append(f"{principal} reads a secret in {name} of {one}: {answer}")
        if "$opportunity" in ARGUMENTS.get(name, ""):
            nothing = asker.answer(query, opportunity=encode_id("Opportunity", uuid4()), person=whom)
            for one in hidden:
                if not matrix().node["Opportunity"].allows(principal, one):
                    assert _apart_from_request(asker.answer(query, opportunity=one.id, person=whom)) == (
                        _apart_from_request(nothing)
                    ), f"{name}: {principal} can tell that {one} is there"
    assert not wrong, "\n".join(wrong)


def _apart_from_request(answer: dict[str, Any]) -> Any:
    return [(error["message"], error["extensions"]["code"]) for error in answer["errors"]], answer["data"]


@pytest.mark.parametrize("name", ["eligibility", "whatIf", "whatIfSuggestions"])
def test_somebody_who_is_not_to_be_known_is_as_good_as_nobody(world: World, asking: Asking, name: str) -> None:
    opportunity, query = world.specimen(world.ours.rows["open"]).id, document(name)
    shy = world.specimen(world.people["shy"]).id
    for principal in ("owner", "observer"):
        answers = [
            _apart_from_request(asking(principal).answer(query, opportunity=opportunity, person=whom))
            for whom in (shy, encode_id("Candidate", uuid4()))
        ]
        assert answers[0] == answers[1]


def test_matches_of_an_opportunity_are_those_that_may_be_had(world: World, asking: Asking) -> None:
    opportunity = world.ours.rows["open"]
    query = "query ($id: ID!) { matches(opportunity: $id, first: 100) { totalCount nodes { id } } }"
    there = [one for one in world.of("Match") if one.row.opportunity_id == opportunity.pk]
    for principal in ("owner", "recruiter", "observer", "staff"):
        found = asking(principal).ask(query, id=world.specimen(opportunity).id)["matches"]
        expected = {one.id for one in there if matrix().access[ASKED["matches"]["rows"]].allows(principal, one)}
        assert {one["id"] for one in found["nodes"]} == expected
        assert found["totalCount"] == len(expected)
