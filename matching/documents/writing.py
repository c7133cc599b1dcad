"""Sending documents.

A document's version is `changed_xid` of the row it was made from. That number grows with every write of a row, whatever
was written (a candidate's own revision does not: a placement takes hours away, a new day changes offsets from UTC), and
in the order of the writes: whoever writes projections holds `locks.projecting` before a transaction gets its number. So
of two writers of a document the one who read the older row is refused, in whatever order they arrive. The numbers are
one Postgres cluster's: after restoring a dump into another cluster, build the indices anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from matching.core.attributes import Subject
from matching.documents.indices import DOCUMENTS
from matching.models import CandidateProjection, OpportunityProjection

Row: TypeAlias = CandidateProjection | OpportunityProjection

CHUNK = 1000
CHUNK_BYTES = 20 * 2**20
BAD_REQUEST, CONFLICT = 400, 409


class Prepared(NamedTuple):
    """One thing to do to a document: write it, or delete it where there is no source."""

    pk: int
    version: int
    source: dict[str, Any] | None


class Sent(NamedTuple):
    """How many took effect: not those for which the index had something newer. `refused` by inner id, with the reason:
    documents that the mapping does not admit."""

    done: int
    refused: dict[int, str]


class IndexOverloaded(Exception):
    """The server did not take a document that nothing is wrong with."""


def prepared(subject: Subject, rows: Iterable[Row]) -> Iterator[Prepared]:
    """The documents of rows that were read from the database."""
    document = DOCUMENTS[subject]()
    return (Prepared(row.pk, row.changed_xid, document.prepare(row)) for row in rows)


def deletions(ids: Collection[int], version: int) -> list[Prepared]:
    """`version` is higher than that of any row which these had, and lower than that of any which they may get."""
    return [Prepared(pk, version, None) for pk in ids]


def send(client: Elasticsearch, index: str, documents: Iterable[Prepared]) -> Sent:
    """Write in bulk, in chunks: of many documents give an iterator. Raises IndexOverloaded and the client's errors;
    then some may have been written, and all can be sent again."""
    results = streaming_bulk(
        client,
        (_action(index, one) for one in documents),
        chunk_size=CHUNK,
        max_chunk_bytes=CHUNK_BYTES,
        raise_on_error=False,
    )
    done, refused = 0, {}
    for ok, answer in results:
        ((_, item),) = answer.items()
        if ok:
            done += 1
        elif item["status"] == BAD_REQUEST:
            refused[int(item["_id"])] = _reason(item["error"])
        elif item["status"] != CONFLICT and "error" in item:  # there may be nothing to delete, which is no error
            raise IndexOverloaded(f"status {item['status']}: {_reason(item['error'])}")
    return Sent(done, refused)


def _action(index: str, document: Prepared) -> dict[str, Any]:
    action = {"_index": index, "_id": document.pk, "version": document.version, "version_type": "external_gte"}
    if document.source is None:
        return {**action, "_op_type": "delete"}
    return {**action, "_op_type": "index", "_source": document.source}


def _reason(error: Any) -> str:
    """Why, without the value that was refused."""
    if not isinstance(error, dict):
        return str(error)[:200]
    return f"{error.get('type')}: {error.get('reason')}".partition(". Preview of")[0][:200]
