"""Stopping the mails of a saved search by the link that each of them carries. Whoever has the link may: no login."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction

from accounts.actions.events import append
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotFound
from matching.core.search.digests import Frequency
from matching.models import SavedSearch


def token_of(search: SavedSearch) -> str:
    """What the link carries: signed, so that nobody makes one up, and good for as long as the search is kept."""
    return _signer().sign(search.public_id.hex)


def subscribed(token: str) -> SavedSearch:
    """The search that a token belongs to. Forged ones and those of searches that are gone look alike: NotFound."""
    search = SavedSearch.objects.filter(public_id=_public_id(token)).first()
    if search is None:
        raise NotFound("saved search")
    return search


def sends_mails(search: SavedSearch) -> bool:
    return search.frequency != Frequency.NONE


def unsubscribe(*, token: str, now: datetime) -> SavedSearch:
    """Send no more mails about a search, from this moment on; twice is once. It is still followed in the app.

    Raises NotFound.
    """
    with transaction.atomic():
        pk = subscribed(token).pk
        search = SavedSearch.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if search is None:
            raise NotFound("saved search")
        if sends_mails(search):
            search.unsubscribed_at = now
            search.save(update_fields=["unsubscribed_at", *stop_mails(search)])
            append(search, "SavedSearchUnsubscribed", actor=Actor.anonymous(), by=ActorKind.CANDIDATE, now=now)
    return search


def stop_mails(search: SavedSearch) -> list[str]:
    """Nothing waits any more. The caller has locked the search, and saves the fields that this names."""
    search.found.filter(waits=True).update(waits=False)
    search.frequency, search.due_at = Frequency.NONE.value, None
    return ["frequency", "due_at"]


def _public_id(token: str) -> UUID:
    try:
        return UUID(hex=_signer().unsign(token))
    except (BadSignature, ValueError) as error:
        raise NotFound("saved search") from error


def _signer() -> Signer:
    return Signer(salt="muster.saved_search.unsubscribe", sep=".")
