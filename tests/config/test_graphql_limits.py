"""What a query may cost, and that finding out is cheap."""

from __future__ import annotations

import time

import pytest
from graphql import get_introspection_query, parse
from pytest_django import Settings

from config.graphql_limits import MAX_COMPARISONS, MAX_COST, comparisons, measure
from config.graphql_operations import _parsed, _validated, parsed
from config.schema import schema
from tests.config.graphql_client import Asker, seconds_of
from tests.marketplace.factories import a_user

pytestmark = pytest.mark.django_db


def bomb(links: int) -> str:
    """Fragments that each spread the next one twice: 2^links fields."""
    chain = "".join(
        f"fragment F{n} on Opportunity{{a{n}:postingOrganisation{{id}}...F{n + 1} ...F{n + 1}}}" for n in range(links)
    )
    return f"{{opportunities{{nodes{{...F0}}}}}}{chain}fragment F{links} on Opportunity{{id}}"


def test_a_fragment_bomb_is_refused_at_once() -> None:
    query = bomb(14)
    while len(query) < 938:
        query += " "
    asker = Asker()
    asker.post({"query": "{ __typename }"})
    took = seconds_of(lambda number: asker.post({"query": query + number * " "}))
    answer = asker.answer(query)
    assert answer["errors"][0]["extensions"]["code"] == "QUERY_TOO_LARGE"
    assert took < 0.05


def test_fragments_are_measured_once_however_often_they_are_spread() -> None:
    start = time.process_time()
    total, _ = measure(schema._schema, parsed(bomb(60)), {})
    assert time.process_time() - start < 0.5
    assert total.cost > MAX_COST


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ opportunities(first: 100) { nodes { applications(first: 100) { nodes { id reference } } } } }", {}),
        (
            "query ($n: Int) { opportunities(first: $n) { nodes { applications(first: $n) { nodes { id stage } } } } }",
            {"n": 100},
        ),
        (
            "query ($n: Int = 100) { opportunities(first: $n) { nodes {"
            " applications(first: $n) { nodes { id stage } } } } }",
            {},
        ),
        ("{ opportunities { nodes { skills { skill { " + "broader { " * 12 + "id" + " }" * 12 + " } } } } }", {}),
        ("{ " + " ".join(f"a{n}: viewer {{ isStaff }}" for n in range(51)) + " }", {}),
        ("{ __typename " + "@include(if: true) " * 51 + "}", {}),
        ("{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }", {}),
        ("{ __schema { types " + "{ ofType " * 20 + "{ name }" + " }" * 20 + " } }", {}),
    ],
)
def test_too_much_is_refused(query: str, variables: dict) -> None:
    [error, *_] = Asker().answer(query, **variables)["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_LARGE"


def test_too_many_tokens_are_refused() -> None:
    [error] = Asker().answer("{ " + "__typename " * 2_000 + "}")["errors"]
    assert "tokens" in error["message"]


def test_nesting_beyond_what_the_parser_bears_is_the_clients_fault() -> None:
    [error] = Asker().answer("{ a(b: " + "[" * 900 + "]" * 900 + ") }")["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_circles_of_fragments_are_named() -> None:
    query = "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A isStaff }"
    [error] = Asker().answer(query)["errors"]
    assert "itself" in error["message"]


def test_tools_may_introspect() -> None:
    assert Asker().ask(get_introspection_query(descriptions=True))["__schema"]["types"]


def test_documents_are_parsed_and_validated_once() -> None:
    query = "query Once { viewer { isStaff } }"
    Asker().ask(query)
    before = _parsed.cache_info().misses, _validated.cache_info().misses
    Asker().ask(query)
    assert (_parsed.cache_info().misses, _validated.cache_info().misses) == before
    Asker().ask(query + " ")
    assert (_parsed.cache_info().misses, _validated.cache_info().misses) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "__typename " * 1_990 + "}",
        "{ " + "viewer { isStaff } " * 490 + "}",
        "{ " + "viewer { user { email } } " * 280 + "}",
        "{ viewer { " + "isStaff " * 70 + "user { " + "email " * 70 + "} } }",
        "{ viewer { ...A ...B } } fragment A on Viewer { ...B } fragment B on Viewer { " + "isStaff " * 1_950 + "}",
        "{ " + "".join(f"...F{n} " for n in range(120)) + "}"
        + "".join(f"fragment F{n} on Query {{ __typename }} " for n in range(120)),
    ],
    ids=lambda query: query[:40],
)  # fmt: skip
def test_validation_does_not_compare_by_the_million(query: str) -> None:
    """The stock rule compares each field of a name with each other: 490 times the same one took 1.7 s."""
    asker = Asker()
    asker.post({"query": "{ __typename }"})
    took = seconds_of(lambda number: asker.post({"query": query + number * " "}))
    [error] = asker.answer(query)["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_LARGE"
    # Of which most is reading it, which takes several times as long where a process has grown large.
    assert took < max(0.05, 4 * seconds_of(lambda number: parse(query + number * " ")))


def test_fields_that_several_fragments_repeat_are_no_excess() -> None:
    fragments = "".join(f"fragment F{n} on Viewer {{ isStaff user {{ email id }} }} " for n in range(15))
    query = "{ viewer { " + "".join(f"...F{n} " for n in range(15)) + "} }"
    assert comparisons(parsed(query + fragments)) < MAX_COMPARISONS
    assert Asker().ask(query + fragments)["viewer"]["isStaff"] is False


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Candidate") { fields { name } } }',
        "{ ...A } fragment A on Query { viewer { __typename } ... { __schema { queryType { name } } } }",
    ],
)
def test_strangers_are_told_nothing_of_the_schema_where_it_is_not_public(query: str, settings: Settings) -> None:
    settings.GRAPHQL_SCHEMA_IS_PUBLIC = False
    for asker in (Asker(), Asker(a_user())):
        [error, *_] = asker.answer(query)["errors"]
        assert "introspection" in error["message"]
    assert Asker(a_user(is_staff=True)).ask(query)
    assert Asker().ask("{ __typename viewer { __typename } }")


def test_strangers_are_not_told_which_names_they_may_have_meant(settings: Settings) -> None:
    asked: list[tuple[str, dict]] = [
        ("{ opportunitie { id } }", {}),
        ("{ opportunities(frist: 1) { totalCount } }", {}),
        ("{ viewer { ... on Viewr { isStaff } } }", {}),
        ("{ opportunities(orderBy: { by: RELEVANC }) { totalCount } }", {}),
        ("query ($order: OpportunityOrder) { opportunities(orderBy: $order) { totalCount } }", {"order": {"fielt": 1}}),
        ("query ($s: [OfferState!]) { offers(states: $s) { totalCount } }", {"s": ["SEN"]}),
    ]
    suggested = [Asker().post({"query": query, "variables": values}).content.decode() for query, values in asked]
    settings.GRAPHQL_SCHEMA_IS_PUBLIC = False
    hidden = [Asker().post({"query": query, "variables": values}).content.decode() for query, values in asked]
    assert sum("Did you mean" in text for text in suggested) >= 4, "else this would show nothing"
    assert [text for text in hidden if "Did you mean" in text or '"errors"' not in text] == []


def test_what_is_more_work_than_a_row_costs_more() -> None:
    total, _ = measure(schema._schema, parsed('{ whatIfSuggestions(opportunity: "x") { __typename } }'), {})
    assert total.cost > 500
    many = " ".join(f'a{n}: whatIfSuggestions(opportunity: "x") {{ __typename }}' for n in range(45))
    [error] = Asker().answer(f"{{ {many} }}")["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_LARGE"
