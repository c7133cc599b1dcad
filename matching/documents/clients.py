"""Connections to Elasticsearch. One client per process and purpose; each may be used from any thread."""

from __future__ import annotations

import os
from functools import lru_cache

from django.conf import settings
from elasticsearch import Elasticsearch

INDEX_SECONDS = 10.0  # for a batch of documents; its marks stay, and are tried again
BUILD_SECONDS = 60.0  # for whatever a command waits for


@lru_cache(maxsize=16)
def _client(url: str, seconds: float, retries: int) -> Elasticsearch:
    # What is written anew after a time-out does no harm, its versions being the same.
    return Elasticsearch(
        url, request_timeout=seconds, max_retries=retries, retry_on_timeout=retries > 0, connections_per_node=32
    )


# A child must not speak over its parent's connections.
os.register_at_fork(after_in_child=_client.cache_clear)


def for_search() -> Elasticsearch:
    """Asks once, and waits no longer than a search may."""
    return _client(settings.ELASTICSEARCH_URL, settings.SEARCH_TIMEOUT_MS / 1000, 0)


def for_indexing() -> Elasticsearch:
    return _client(settings.ELASTICSEARCH_URL, INDEX_SECONDS, 0)


def for_building() -> Elasticsearch:
    """Patient: nobody is waiting who could do something else."""
    return _client(settings.ELASTICSEARCH_URL, BUILD_SECONDS, 3)
