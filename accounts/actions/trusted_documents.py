"""Registering the operations of a client, so that requests may name them by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from accounts.models import TrustedDocument
from accounts.models.api_client import LONGEST_CLIENT


def document_hash(text: str) -> str:
    """SHA-256 of the text in UTF-8, in hexadecimal: what Apollo, Relay and GraphQL Code Generator make as well."""
    return hashlib.sha256(text.encode()).hexdigest()


def register_documents(*, client: str, documents: Mapping[str, str], now: datetime) -> int:
    """Trust these documents, each text with the name of its operation; how many are new.

    A document that another client registered stays theirs. Raises InvalidInput.
    """
    client = clean_line(client, field="client", max_length=LONGEST_CLIENT)
    rows = [
        TrustedDocument(hash=document_hash(text), client=client, name=name[:120], text=text, registered_at=now)
        for text, name in documents.items()
    ]
    with transaction.atomic():
        known = set(
            TrustedDocument.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
        )  # of two who register at once, one finds them there
        TrustedDocument.objects.bulk_create([row for row in rows if row.pk not in known], ignore_conflicts=True)
    return len({row.pk for row in rows} - known)


def forget_documents(*, client: str, but: frozenset[str] = frozenset()) -> int:
    """Trust a client's documents no longer, `but` those with these hashes; how many. Raises InvalidInput."""
    if not client:
        raise InvalidInput("client", "names whose documents are to be forgotten")
    return TrustedDocument.objects.filter(client=client).exclude(pk__in=but).delete()[0]
