"""Saving searches, changing and deleting them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor
from accounts.core.text import clean_line
from accounts.core.unset import UNSET, Unset
from accounts.models import Organisation
from marketplace.access import kind_for, own_candidate
from marketplace.actions import checks
from marketplace.models import Skill
from marketplace.queries.naming import names_of
from matching.access import access_saved_search
from matching.actions.asked import AskedFor, kept_query
from matching.actions.unsubscribing import stop_mails
from matching.core.search.digests import Frequency, next_digest_at
from matching.core.search.saved import LONGEST_NAME, SavedQuery
from matching.core.search.search import Facet
from matching.errors import SearchSavedAlready, TooManySavedSearches
from matching.models import SavedSearch

MOST_SEARCHES = 50  # of one candidate


def save_search(
    *, actor: Actor, query: AskedFor, frequency: str = Frequency.DAILY, name: str | None = None, now: datetime
) -> SavedSearch:
    """Keep a search of the actor's: from now on, what is newly open to everybody and found by it is told to them as
    often as they wish. Without a name, it is called by what it asks for.

    Raises SearchSavedAlready, TooManySavedSearches, InvalidInput, NotFound, LoginRequired.
    """
    asked = kept_query(query, now)
    often = _frequency(frequency)
    given = _given_name(name)
    with transaction.atomic():
        candidate = own_candidate(actor, lock=True)  # two at once are counted one after the other
        search = SavedSearch(
            candidate=candidate,
            name=given or readable_name(asked),
            is_named=bool(given),
            query=asked.to_json(),
            fingerprint=asked.fingerprint,
            frequency=often.value,
            created_at=now,
            asked_at=now,
        )
        _check_is_new(search)
        if SavedSearch.objects.filter(candidate=candidate).count() >= MOST_SEARCHES:
            raise TooManySavedSearches(most=MOST_SEARCHES)
        _store(search)
        append(search, "SearchSaved", actor=actor, by=kind_for(actor, search), now=now)
    return search


def update_saved_search(
    *,
    actor: Actor,
    search_id: UUID,
    query: AskedFor | Unset = UNSET,
    frequency: str | Unset = UNSET,
    name: str | Unset | None = UNSET,
    now: datetime,
) -> SavedSearch:
    """Change what is given. No name: it is called by what it asks for. What another query had found and was still to be
    told is not told any more. What was not changed appends nothing.

    Raises SearchSavedAlready, InvalidInput, NotFound, NotPermitted.
    """
    asked = None if isinstance(query, Unset) else kept_query(query, now)
    often = None if isinstance(frequency, Unset) else _frequency(frequency)
    with transaction.atomic():
        search = access_saved_search(actor, search_id, to="own", lock=True)
        before = _stated(search)
        if asked is not None and asked.fingerprint != search.fingerprint:
            search.query, search.fingerprint, search.asked_at = asked.to_json(), asked.fingerprint, now
            _check_is_new(search)
            search.found.filter(waits=True).delete()
            search.due_at = None
        if not isinstance(name, Unset):
            given = _given_name(name)
            search.name, search.is_named = given, bool(given)
        if not search.is_named:
            search.name = readable_name(SavedQuery.from_json(search.query))
        if often is not None:
            _set_frequency(search, often, now)
        changed = sorted(field for field, value in _stated(search).items() if value != before[field])
        if not changed:
            return search
        _store(search)
        append(
            search,
            "SavedSearchUpdated",
            actor=actor,
            by=kind_for(actor, search),
            now=now,
            payload={"changed": changed},
        )
    return search


def delete_saved_search(*, actor: Actor, search_id: UUID, now: datetime) -> None:
    """Forget a search and all that it found; links in its mails lead nowhere any more.

    Raises NotFound, NotPermitted.
    """
    with transaction.atomic():
        search = access_saved_search(actor, search_id, to="own", lock=True)
        # Before what they hold: whoever sends one of them does it in this order.
        list(search.digests.select_for_update().order_by("pk").values_list("pk"))
        append(search, "SavedSearchDeleted", actor=actor, by=kind_for(actor, search), now=now)
        search.delete()


def readable_name(query: SavedQuery) -> str:
    skills = dict(Skill.objects.filter(pk__in=query.skill_ids).values_list("pk", "name"))
    organisations = Organisation.objects.filter(pk__in=query.chosen(Facet.ORGANISATION))
    return query.name(names_of(skills), dict(organisations.values_list("pk", "name")))


def _set_frequency(search: SavedSearch, often: Frequency, now: datetime) -> None:
    if often is Frequency.NONE:
        stop_mails(search)
        return
    search.frequency, search.unsubscribed_at = often.value, None
    if search.due_at is not None:
        search.due_at = next_digest_at(often, now, search.candidate.timezone)


def _check_is_new(search: SavedSearch) -> None:
    """Raises SearchSavedAlready, naming the one that asks for the same."""
    others = SavedSearch.objects.filter(candidate=search.candidate, fingerprint=search.fingerprint)
    other = others.exclude(pk=search.pk).first()
    if other is not None:
        raise SearchSavedAlready(name=other.name)


def _store(search: SavedSearch) -> None:
    with refusing({"candidate_saves_a_search_once": lambda: SearchSavedAlready(name=search.name)}):
        search.save()


def _stated(search: SavedSearch) -> dict[str, Any]:
    return {field: getattr(search, field) for field in ("query", "frequency", "name")}


def _frequency(value: object) -> Frequency:
    return Frequency(checks.choice(value, field="frequency", among=Frequency))


def _given_name(name: object) -> str:
    return clean_line("" if name is None else name, field="name", max_length=LONGEST_NAME, required=False)
