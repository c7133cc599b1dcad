"""Clients of the last release are not broken by surprise, and those that use what will go are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from graphql import GraphQLSchema, build_schema, parse, print_schema

from accounts.actions import deprecated_uses as counting
from accounts.models import DeprecatedUse
from config import graphql_deprecations
from config.graphql_compatibility import CHANGELOG, released_schema, undeclared, unreleased
from config.graphql_deprecations import REASON, deprecated, deprecated_uses, deprecations
from config.schema import schema
from tests.config.graphql_client import Asker, seconds_of

SCHEMA = schema._schema

MARKET = """
  type Query {
    jobs(
      first: Int, page: Int @deprecated(reason: "Use `first`. Goes on 2030-01-31."), filter: Filter, kind: Kind
    ): [Job!]!
    all: [Job!]! @deprecated(reason: "Use `jobs`. Goes on 2030-01-31.")
  }
  type Job { id: ID! title: String! name: String @deprecated(reason: "Use `title`. Goes on 2030-01-31.") }
  input Filter { words: String, text: String @deprecated(reason: "Use `words`. Goes on 2030-01-31."), and: [Filter!] }
  enum Kind { FULL HALF @deprecated(reason: "Use `FULL`. Goes on 2030-01-31.") }
"""


# --- Breaking changes


def test_what_breaks_clients_of_the_last_release_is_declared_in_the_changelog() -> None:
    found = undeclared(released_schema(), SCHEMA, CHANGELOG.read_text(encoding="utf-8"))
    assert found == [], "declare it under [Unreleased], each in backticks, or keep what there was"


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("name: String @dep", "# name: String @dep", "Field Job.name was removed."),
        ("title: String!", "title: String", "Field Job.title changed type from String! to String."),
        ("words: String,", "words: String!,", "Field Filter.words changed type from String to String!."),
        ("enum Kind { FULL", "enum Kind {", "Enum value Kind.FULL was removed."),
        ("first: Int,", "first: Int, area: ID!,", "A required argument Query.jobs(area:) was added."),
    ],
)
def test_a_breaking_change_is_found_and_may_be_declared(before: str, after: str, broken: str) -> None:
    text = MARKET.replace('"Use `title`. Goes on 2030-01-31.") }', '"Use `title`. Goes on 2030-01-31.")\n }')
    assert before in text
    released, present = build_schema(text), build_schema(text.replace(before, after))
    [found] = undeclared(released, present, "## [Unreleased]\n\n- Nothing of it.\n\n## [0.1.0]\n\n- `" + broken + "`\n")
    assert found == broken
    declared = f"# Changelog\n\n## [Unreleased]\n\n### Breaking\n\n- `{found}` For a\n  reason.\n\n## [0.1.0]\n"
    assert undeclared(released, present, declared) == []


def test_what_is_added_breaks_nobody() -> None:
    present = MARKET.replace("type Job {", "type Job { wage: Int").replace("{ FULL", "{ FULL SHIFT")
    assert undeclared(build_schema(MARKET), build_schema(present), "") == []


def test_the_changelog_has_a_section_for_what_is_not_released() -> None:
    assert unreleased(CHANGELOG.read_text(encoding="utf-8")).strip()


# --- Deprecations


def test_every_deprecation_names_its_day_and_what_comes_instead() -> None:
    assert [element for element, reason in deprecations(SCHEMA) if not REASON.fullmatch(reason)] == []
    assert REASON.fullmatch(deprecated("title", goes_on=date(2030, 1, 31)))


def test_every_kind_of_deprecated_element_is_found() -> None:
    assert {element for element, _ in deprecations(build_schema(MARKET))} == {
        "Query.all",
        "Query.jobs(page)",
        "Job.name",
        "Filter.text",
        "Kind.HALF",
    }


@pytest.mark.parametrize(
    ("query", "variables", "used"),
    [
        ("{ jobs { title } }", {}, set()),
        ("{ jobs { ...A } } fragment A on Job { n: name }", {}, {"Job.name"}),
        ("{ all { id } jobs(page: 1) { id } }", {}, {"Query.all", "Query.jobs(page)"}),
        ('{ jobs(filter: {and: [{text: "x"}]}, kind: HALF) { id } }', {}, {"Filter.text", "Kind.HALF"}),
        (
            "query ($f: Filter, $k: Kind) { jobs(filter: $f, kind: $k) { id } }",
            {"f": {"and": [{"words": "x"}, {"text": "x"}]}, "k": "HALF"},
            {"Filter.text", "Kind.HALF"},
        ),
        ("query ($f: Filter) { jobs(filter: $f) { id } }", {"f": {"words": "text"}}, set()),
        ("query A { all { id } } query B { jobs { id } }", {}, {"Query.all"}),
    ],
)
def test_what_a_request_uses_of_it_is_found(query: str, variables: dict, used: set[str]) -> None:
    assert deprecated_uses(build_schema(MARKET), parse(query), variables, None) == used


@pytest.fixture
def aging() -> Iterator[GraphQLSchema]:
    """The schema as if `Viewer.isStaff` were to go."""
    field = SCHEMA.type_map["Viewer"].fields["isStaff"]  # type: ignore[union-attr]
    field.deprecation_reason = deprecated("staff", goes_on=date(2030, 1, 31))
    graphql_deprecations._has_any.cache_clear()
    graphql_deprecations._in_document.cache_clear()
    yield SCHEMA
    field.deprecation_reason = None
    graphql_deprecations._has_any.cache_clear()
    graphql_deprecations._in_document.cache_clear()


@pytest.mark.django_db
def test_requests_are_counted_per_client_and_day(aging: GraphQLSchema) -> None:
    asker = Asker()
    for name in ("web", "web", "phone", "no\tname"):
        asker.post({"query": "{ viewer { isStaff } }"}, headers={"X-Client-Name": name})
    asker.post({"query": "{ viewer { isStaff } }"}, headers={"Apollographql-Client-Name": "web"})
    asker.post({"query": "{ viewer { __typename } }"}, headers={"X-Client-Name": "new"})
    counted = {row.client: (row.element, row.day, row.uses) for row in DeprecatedUse.objects.all()}
    today = timezone.now().date()
    assert counted == {name: ("Viewer.isStaff", today, uses) for name, uses in {"web": 3, "phone": 1, "": 1}.items()}
    output = StringIO()
    call_command("deprecations", stdout=output)
    assert output.getvalue() == ("Viewer.isStaff: Use `staff`. Goes on 2030-01-31. web 3, (no name) 1, phone 1\n")


@pytest.mark.django_db
def test_names_that_anybody_makes_up_do_not_fill_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_CLIENTS", 3)
    for number in range(9):
        counting.count_deprecated_uses(elements=["Query.all"], client=f"client {number % 5}", day=date(2030, 1, 1))
    counted = {row.client: row.uses for row in DeprecatedUse.objects.all()}
    assert counted == {"client 0": 2, "client 1": 2, "client 2": 2, "": 3}


@pytest.mark.django_db
def test_where_nothing_is_deprecated_nothing_is_looked_for() -> None:
    document = parse("{ viewer { isStaff } }")
    assert seconds_of(lambda _: deprecated_uses(SCHEMA, document, {}, None)) < 0.001
    assert print_schema(SCHEMA).count("@deprecated") == 0 or next(deprecations(SCHEMA))
