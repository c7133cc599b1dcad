"""Trusted documents: operations that a client registered, which requests name by their hash.

    {"documentId": "sha256:…", "variables": …}                                  as GraphQL over HTTP proposes
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "…"}}, …}    as Apollo's and urql's clients send it

Nobody registers by asking: `manage.py trusted_documents` does. With GRAPHQL_TRUSTED_ONLY whatever is not registered is
refused, whether it came as a text or as a hash.
"""

import time
from dataclasses import replace
from http import HTTPStatus

from django.conf import settings

from accounts.actions.trusted_documents import document_hash
from accounts.models import TrustedDocument
from config.graphql_request import Asked, BadRequest

REMEMBERED = 4_096
REMEMBERED_SECONDS = 60.0
"""What was trusted a moment ago is not looked up again; so long after it was forgotten it may still be answered."""

_remembered: dict[str, tuple[TrustedDocument, float]] = {}


def trusted(asked: Asked) -> tuple[Asked, str]:
    """What is asked with its text, and whose registered operation it is, "" for one that is not.

    Raises BadRequest for a hash that is not known (`PERSISTED_QUERY_NOT_FOUND`, for clients that send the text then)
    and for a text of which only the registered may come (`DOCUMENT_NOT_TRUSTED`).
    """
    if asked.query and asked.document_id and document_hash(asked.query) != asked.document_id:
        raise BadRequest("The hash is not the document's SHA-256.")
    name = asked.document_id or (document_hash(asked.query) if settings.GRAPHQL_TRUSTED_ONLY else "")
    if not name:
        return asked, ""
    document = _look_up(name)
    if document is not None:
        return replace(asked, query=document.text), document.client
    if not asked.query:
        raise BadRequest("PersistedQueryNotFound", HTTPStatus.NOT_FOUND, code="PERSISTED_QUERY_NOT_FOUND")
    if settings.GRAPHQL_TRUSTED_ONLY:
        message = "Only operations that were registered are carried out here."
        raise BadRequest(message, HTTPStatus.FORBIDDEN, code="DOCUMENT_NOT_TRUSTED")
    return asked, ""


def _look_up(name: str) -> TrustedDocument | None:
    now = time.monotonic()
    document, until = _remembered.get(name, (None, 0.0))
    if document is not None and now < until:
        return document
    document = TrustedDocument.objects.filter(pk=name).first() if len(name) == 64 and name.isalnum() else None
    if document is not None:
        if len(_remembered) >= REMEMBERED:
            _remembered.clear()
        _remembered[name] = document, now + REMEMBERED_SECONDS
    else:
        _remembered.pop(name, None)
    return document
