"""What frontends are built with takes the schema and the answers of a live Muster as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.conftest import Run
from tests.live import LiveMuster

pytestmark = pytest.mark.xdist_group("live")


@pytest.fixture(scope="module")
def token(market: LiveMuster) -> str:
    """Of a candidate, as a login gives out."""
    token: str = json.loads(market.manage("demo_people"))["candidate"]["token"]
    return token


def test_relays_compiler_and_runtime_page_refetch_and_write(
    node: Run, clients: Path, market: LiveMuster, token: str
) -> None:
    node("schema.mjs", market.graphql, "relay/schema.graphql")
    node("relay-compiler", "relay.config.json", folder=clients / "relay")
    assert node("relay/run.mjs", market.graphql, token) == "ok\n"


def test_generated_types_compile_under_strict(node: Run, market: LiveMuster) -> None:
    node("schema.mjs", market.graphql, "typed/schema.graphql")
    node("typed/generate.mjs")
    node("tsc", "--project", "typed")


def test_apollo_and_urql_merge_pages_repeat_writes_and_read_errors(node: Run, market: LiveMuster, token: str) -> None:
    assert node("caches.mjs", market.graphql, token) == "ok\n"
