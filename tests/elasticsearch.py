"""Elasticsearch for the tests: the server that ELASTICSEARCH_URL names, in indices that no other run knows of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import override_settings

from matching.core.attributes import Subject
from matching.documents import clients
from matching.documents.indices import create, drop, indices, put_to_use, refresh
from matching.documents.writing import Row, prepared, send
from matching.queries.copying import PROJECTIONS

needs_elasticsearch = pytest.mark.skipif(
    not settings.ELASTICSEARCH_URL, reason="ELASTICSEARCH_URL names no server: `make elasticsearch` starts one"
)


@contextlib.contextmanager
def own_indices() -> Iterator[None]:
    """Whatever indices are built are this test's own, and dropped in the end."""
    prefix = f"{settings.ELASTICSEARCH_INDEX_PREFIX}-test-{uuid4().hex}"
    with override_settings(ELASTICSEARCH_INDEX_PREFIX=prefix):
        try:
            yield
        finally:
            client = clients.for_building()
            for subject in Subject:
                drop(client, [index.name for index in indices(client, subject)])


@contextlib.contextmanager
def an_index(subject: Subject) -> Iterator[str]:
    """The name of an empty index that is searched, and dropped in the end."""
    with own_indices():
        name = create(clients.for_building(), subject)
        put_to_use(clients.for_building(), subject, name)
        yield name


def fill(index: str, subject: Subject, rows: Iterable[Row] | None = None) -> int:
    """Copy projections (all, unless told otherwise) into an index, ready to be found; how many were written."""
    rows = PROJECTIONS[subject]._default_manager.iterator(1000) if rows is None else rows
    sent = send(clients.for_building(), index, prepared(subject, rows))
    assert not sent.refused
    refresh(clients.for_building(), [index])
    return sent.done
