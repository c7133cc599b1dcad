"""Searches over HTTP are tested on each source that can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import create, put_to_use
from tests.elasticsearch import needs_elasticsearch, own_indices


@pytest.fixture(params=["postgres", pytest.param("elasticsearch", marks=needs_elasticsearch)])
def source(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """The source that is asked first, with empty indices of the test's own."""
    if request.param == "postgres":
        settings.ELASTICSEARCH_URL = ""
        yield request.param
        return
    settings.SEARCH_TIMEOUT_MS = 5_000
    address = settings.ELASTICSEARCH_URL
    with own_indices():
        for subject in Subject:
            put_to_use(clients.for_building(), subject, create(clients.for_building(), subject))
        yield request.param
        settings.ELASTICSEARCH_URL = address
