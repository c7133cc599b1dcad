"""Operations that clients registered, and refusing all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.actions.trusted_documents import document_hash
from accounts.models import TrustedDocument
from config import graphql_trusted
from tests.config.graphql_client import ADDRESS, Asker

pytestmark = pytest.mark.django_db

EXPLORE = "query Explore($first: Int) { opportunities(first: $first) { totalCount } }"
OTHER = "query Other { __typename }"


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    """What one test registered another has not."""
    graphql_trusted._remembered.clear()
    yield
    graphql_trusted._remembered.clear()


def manage(*arguments: Any) -> str:
    output = StringIO()
    call_command("trusted_documents", *map(str, arguments), stdout=output)
    return output.getvalue()


def registered(folder: Path, *documents: str, client: str = "web") -> None:
    path = folder / "persisted.json"
    path.write_text(json.dumps({document_hash(text): text for text in documents}))
    manage("register", client, path)


@pytest.mark.parametrize(
    "named",
    [
        lambda name: {"documentId": name},
        lambda name: {"documentId": f"sha256:{name}"},
        lambda name: {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}},
        lambda name: {"query": EXPLORE, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}},
    ],
    ids=["documentId", "prefixed", "persistedQuery", "with its text"],
)
def test_a_registered_operation_is_named_by_its_hash(tmp_path: Path, named: Any) -> None:
    registered(tmp_path, EXPLORE)
    answer = Asker().post({**named(document_hash(EXPLORE)), "variables": {"first": 1}, "operationName": "Explore"})
    assert answer.json()["data"] == {"opportunities": {"totalCount": 0}}


def test_a_registered_query_may_come_by_get(tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    registered(tmp_path, OTHER)
    http = Asker().http
    assert http.get(ADDRESS, {"documentId": document_hash(OTHER)}).json()["data"] == {"__typename": "Query"}
    with django_assert_num_queries(0):  # it is remembered
        http.get(ADDRESS, {"documentId": document_hash(OTHER)})


@pytest.mark.parametrize("name", ["0" * 64, "x", "\x00" * 64, "é" * 64])
def test_a_hash_that_is_not_known_is_told_so_that_the_client_sends_the_text(name: str) -> None:
    answer = Asker().post({"documentId": name})
    assert answer.status_code == 404
    [error] = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")


def test_nobody_registers_by_asking() -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": document_hash(OTHER)}}
    assert Asker().post({"query": OTHER, "extensions": persisted}).status_code == 200
    assert Asker().post({"extensions": persisted}).status_code == 404
    assert not TrustedDocument.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"query": OTHER, "documentId": "0" * 64},
        {"documentId": 1},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {"sha256Hash": []}}},
        {"documentId": ""},
    ],
    ids=str,
)
def test_what_is_no_hash_is_refused(body: dict[str, Any]) -> None:
    assert Asker().post(body).status_code == 400


def test_an_installation_may_take_registered_operations_alone(tmp_path: Path, settings: Settings) -> None:
    registered(tmp_path, EXPLORE)
    settings.GRAPHQL_TRUSTED_ONLY = True
    assert Asker().post({"query": EXPLORE}).status_code == 200, "as a text it is the same operation"
    assert Asker().post({"documentId": document_hash(EXPLORE)}).status_code == 200
    for query in (OTHER, EXPLORE + " ", "{", "mutation { __typename }", "{ __schema { types { name } } }"):
        refused = Asker().post({"query": query})
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


def test_what_builds_write_is_read(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    operation = {"id": document_hash(EXPLORE), "name": "Explore", "type": "query", "body": EXPLORE}
    manifest.write_text(
        json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]})
    )
    document = tmp_path / "other.graphql"
    document.write_text(OTHER)
    assert "2 operations of web are trusted, 2 of them new" in manage("register", "web", manifest, document)
    assert "2 operations of web are trusted, 0 of them new" in manage("register", "web", manifest, document)
    assert "1 forgotten" in manage("register", "web", document, "--only")
    [line] = manage("list", "web").splitlines()
    assert line.startswith(document_hash(OTHER)) and line.endswith("web  Other")
    assert "1 operations of web are trusted no longer" in manage("forget", "web")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "Expecting"),
        ("[]", "neither a map"),
        ('{"x": "query A { __typename }"}', "is not the SHA-256"),
        (json.dumps({document_hash("{ gone }"): "{ gone }"}), "Cannot query field 'gone'"),
        (json.dumps({document_hash("{"): "{"}), "Syntax Error"),
        (json.dumps({document_hash("fragment A on Query { __typename }"): "fragment A on Query { __typename }"}), "Fr"),
    ],
)
def test_a_file_with_an_operation_that_would_be_refused_registers_none(
    tmp_path: Path, content: str, complaint: str
) -> None:
    good, bad = tmp_path / "good.graphql", tmp_path / "bad.json"
    good.write_text(OTHER)
    bad.write_text(content)
    with pytest.raises(CommandError, match=complaint):
        manage("register", "web", good, bad)
    assert not TrustedDocument.objects.exists()
