"""GraphQL over HTTP, as those see it who wrote its audits."""

from __future__ import annotations

import json

import pytest

from tests.clients.conftest import Run
from tests.live import LiveMuster

pytestmark = pytest.mark.xdist_group("live")

AUDITS = 61


def test_every_audit_of_graphql_over_http_passes_without_a_warning(node: Run, market: LiveMuster) -> None:
    outcomes = json.loads(node("audit.mjs", market.graphql))
    assert len(outcomes) == AUDITS
    assert [one for one in outcomes if one["status"] != "ok"] == []
