"""Which indices there are, what they are called, and which of them is read.

An index is called `muster-candidates-1f3c9a2e-000007`: installation, subject, a fingerprint of how documents are made,
and a number that grows. Two aliases lead to the one that is in use: `muster-candidates`, for people and their tools,
and that with the fingerprint, which searches read. So a program whose documents look otherwise than those in the index
does not misread them: to it there is no index, until one is built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django_elasticsearch_dsl import Document
from elasticsearch import Elasticsearch

from matching.core.attributes import Subject
from matching.documents.candidate import CandidateDocument
from matching.documents.opportunity import OpportunityDocument

DOCUMENTS: Mapping[Subject, type[Document]] = MappingProxyType(
    {Subject.CANDIDATE: CandidateDocument, Subject.OPPORTUNITY: OpportunityDocument}
)
PLURALS = MappingProxyType({Subject.CANDIDATE: "candidates", Subject.OPPORTUNITY: "opportunities"})
EDITION = 1
"""To be counted up when documents change in what their fields hold, and not in what fields they have."""

PAGE = 10_000  # what Elasticsearch gives at most in one answer


class Index(NamedTuple):
    name: str
    number: int
    is_ours: bool  # its documents are made as this program makes them
    is_live: bool  # it is the one that is read


def family(subject: Subject) -> str:
    """What the names of a subject's indices begin with, and the alias for people."""
    return f"{settings.ELASTICSEARCH_INDEX_PREFIX}-{PLURALS[subject]}"


def alias(subject: Subject) -> str:
    """What searches read."""
    return f"{family(subject)}-{fingerprint(subject)}"


@cache
def fingerprint(subject: Subject) -> str:
    made = json.dumps([EDITION, mapping(subject)], sort_keys=True)
    return hashlib.sha256(made.encode()).hexdigest()[:8]


def mapping(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENTS[subject]._doc_type.mapping.to_dict()
    return found


def indices(client: Elasticsearch, subject: Subject) -> list[Index]:
    """Those of this installation, the newest last."""
    found = client.indices.get_alias(index=f"{family(subject)}-*")
    ours, live = alias(subject), family(subject)
    return sorted(
        (
            Index(name, int(name.rpartition("-")[2]), name.startswith(f"{ours}-"), live in entry["aliases"])
            for name, entry in found.items()
        ),
        key=lambda index: index.number,
    )


def create(client: Elasticsearch, subject: Subject) -> str:
    """An empty index that nobody reads yet; its name."""
    number = max((index.number for index in indices(client, subject)), default=0) + 1
    name = f"{alias(subject)}-{number:06}"
    client.indices.create(
        index=name,
        mappings=mapping(subject),
        settings={
            "number_of_shards": settings.ELASTICSEARCH_SHARDS,
            "number_of_replicas": settings.ELASTICSEARCH_REPLICAS,
            # How long a deletion is remembered: a writer who is later than this could bring a document back.
            "gc_deletes": "1h",
        },
    )
    return name


def put_to_use(client: Elasticsearch, subject: Subject, name: str) -> None:
    """Have an index read from now on, and no other of the subject: one step, for whoever reads."""
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": f"{family(subject)}-*", "alias": f"{family(subject)}*", "must_exist": False}},
            *({"add": {"index": name, "alias": each}} for each in (family(subject), alias(subject))),
        ]
    )


def drop(client: Elasticsearch, names: Iterable[str]) -> None:
    for name in names:
        client.indices.delete(index=name, ignore_unavailable=True)


def refresh(client: Elasticsearch, names: Iterable[str]) -> None:
    """Have whatever was written found."""
    client.indices.refresh(index=",".join(names))


def versions(client: Elasticsearch, name: str, page: int = PAGE) -> Iterator[tuple[int, int]]:
    """Id and version of each document, by id."""
    after: list[int] | None = None
    while True:
        found = client.search(
            index=name,
            sort=[{"id": "asc"}],
            search_after=after,
            size=page,
            source=False,
            version=True,
            track_total_hits=False,
            allow_partial_search_results=False,
        )["hits"]["hits"]
        for hit in found:
            yield int(hit["_id"]), hit["_version"]
        if len(found) < page:
            return
        after = found[-1]["sort"]
