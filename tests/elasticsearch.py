"""Elasticsearch for the tests: the server that ELASTICSEARCH_URL names, in an index that no other run knows of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from elasticsearch.dsl.connections import connections

from matching.documents import CandidateDocument

needs_elasticsearch = pytest.mark.skipif(
    not settings.ELASTICSEARCH_URL, reason="ELASTICSEARCH_URL names no server: `make elasticsearch` starts one"
)


@contextlib.contextmanager
def candidate_index() -> Iterator[str]:
    """The name of an empty candidate index, which is dropped in the end."""
    name = f"{settings.ELASTICSEARCH_INDEX_PREFIX}-test-{uuid4().hex}"
    CandidateDocument.init(index=name)
    try:
        yield name
    finally:
        connections.get_connection().indices.delete(index=name)
