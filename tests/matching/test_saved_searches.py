"""Candidates save searches, change them and delete them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts.core.actor import Actor
from accounts.errors import DomainError, InvalidInput, LoginRequired, NotFound, NotPermitted
from accounts.models import Event
from marketplace.core.money import Money
from marketplace.models import Candidate
from matching.actions.asked import AskedFor
from matching.actions.saved_searches import MOST_SEARCHES, delete_saved_search, save_search, update_saved_search
from matching.actions.unsubscribing import token_of, unsubscribe
from matching.core.search.saved import SavedQuery
from matching.errors import SearchSavedAlready, TooManySavedSearches
from matching.models import Digest, FoundOpportunity, SavedSearch
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    actor_of,
    an_organisation,
    everything,
    exchange_rates,
)

pytestmark = pytest.mark.django_db


def saved(candidate: Candidate | None = None, *, now=NOW, frequency="daily", name=None, **asked) -> SavedSearch:
    query = AskedFor(**(asked or {"text": "welder"}))
    actor = actor_of(candidate or a_candidate(now=now))
    return save_search(actor=actor, query=query, frequency=frequency, name=name, now=now)


def owner_of(search: SavedSearch) -> Actor:
    return actor_of(search.candidate)


def changed(search: SavedSearch, **fields) -> SavedSearch:
    return update_saved_search(actor=owner_of(search), search_id=search.public_id, now=NOW + DAY, **fields)


def waiting(search: SavedSearch) -> FoundOpportunity:
    """Something that the search has found and that is to be told on the next day."""
    SavedSearch.objects.filter(pk=search.pk).update(due_at=NOW + DAY)
    return FoundOpportunity.objects.create(
        search=search, opportunity=a_published_opportunity(), found_at=NOW, waits=True
    )


def test_a_search_is_kept_with_all_that_it_asks_for_and_called_by_it():
    works, nursing = an_organisation(name="Charité"), a_skill("nursing")
    old = a_skill("caring for the sick", merged_into=nursing)
    search = saved(
        text=" Night  nurse ",
        commitments=["full_time", "contract"],
        countries=["DE", "AT"],
        skill_ids=[old.public_id],
        organisation_id=works.organisation.public_id,
        min_pay=Money(Decimal("45000"), "EUR"),
        eligible_only=True,
    )
    assert search.name == (
        "Night nurse · contract or full time · Austria or Germany · nursing · Charité · from 45,000 EUR"
        " · eligible for me"
    )
    search.refresh_from_db()
    query = SavedQuery.from_json(search.query)
    assert (query.text, query.skill_ids, query.eligible_only) == ("Night nurse", {nursing.pk}, True)
    assert (search.frequency, search.due_at, search.asked_at, search.is_named) == ("daily", None, NOW, False)
    event = Event.objects.get(name="SearchSaved")
    assert (event.aggregate_id, event.payload) == (search.pk, {})
    assert saved(name="  Mine ", text="nurse").name == "Mine"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"text": ""}, "search"),
        ({"text": " ?! "}, "search"),
        ({"text": "x" * 201}, "search"),
        ({"text": "a\x00b"}, "search"),
        ({"text": None}, "search"),
        ({"commitments": ["forever"]}, "filter.commitments"),
        ({"commitments": ["full_time"] * 21}, "filter.commitments"),
        ({"arrangements": "remote"}, "filter.arrangements"),
        ({"countries": ["DE", "Germany"]}, "filter.countries[1]"),
        ({"countries": ["DE"] * 21}, "filter.countries"),
        ({"min_weekly_hours": 169}, "filter.minWeeklyHours"),
        ({"min_pay": Money(Decimal(-1), "EUR")}, "filter.minPay.amount"),
        ({"min_pay": Money(Decimal("NaN"), "EUR")}, "filter.minPay.amount"),
        ({"min_pay": Money(Decimal(1), "euros")}, "filter.minPay.currency"),
        ({"min_pay": Money(Decimal(1), "USD")}, "filter.minPay.currency"),
        ({"min_pay": Money(Decimal(2), "EUR"), "max_pay": Money(Decimal(1), "EUR")}, "filter.minPay.amount"),
        ({"eligible_only": "yes"}, "filter.eligibleOnly"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_kept(asked, field):
    with pytest.raises(InvalidInput) as refused:
        saved(**asked)
    assert refused.value.data["field"] == field
    assert not SavedSearch.objects.exists()


def test_ids_of_nothing_bad_names_and_frequencies_and_strangers_are_refused():
    exchange_rates()
    assert saved(min_pay=Money(Decimal(1), "USD"))
    for asked in ({"skill_ids": [uuid4()]}, {"skill_ids": ["1"]}, {"organisation_id": uuid4()}):
        with pytest.raises(NotFound):
            saved(**asked)
    for fields in ({"frequency": "hourly"}, {"frequency": None}, {"name": "x" * 121}, {"name": 5}):
        with pytest.raises(InvalidInput):
            saved(**fields)
    for actor, error in ((Actor(), LoginRequired), (a_staff_actor(), NotFound)):
        with pytest.raises(error):
            save_search(actor=actor, query=AskedFor(text="welder"), now=NOW)
    assert SavedSearch.objects.count() == 1


def test_the_same_is_saved_once_and_the_other_is_named():
    person = a_candidate()
    first = saved(person, text="Welder", name="Mine")
    with pytest.raises(SearchSavedAlready, match="Mine"):
        saved(person, text="welder!")
    other = saved(person, text="welders", eligible_only=True)
    with pytest.raises(SearchSavedAlready, match="Mine"):
        changed(other, query=AskedFor(text="WELDER"))
    assert saved(text="welder").pk != first.pk
    assert SavedSearch.objects.filter(candidate=person).count() == 2


def test_fifty_searches_are_kept_and_no_more():
    person = a_candidate()
    for number in range(MOST_SEARCHES):
        saved(person, text=f"welder {number}")
    before = everything([SavedSearch, Event])
    with pytest.raises(TooManySavedSearches) as refused:
        saved(person)
    assert refused.value.data == {"most": MOST_SEARCHES}
    assert everything([SavedSearch, Event]) == before
    delete_saved_search(actor=actor_of(person), search_id=SavedSearch.objects.latest("pk").public_id, now=NOW)
    assert saved(person)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_the_limit_stops_one_and_the_same_is_saved_once():
    person = a_candidate()
    for number in range(MOST_SEARCHES - 2):
        saved(person, text=f"welder {number}")

    def save(text: str) -> str:
        try:
            return saved(person, text=text).name
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        same = list(pool.map(save, ["fitter"] * 4))
        others = list(pool.map(save, ["mason", "roofer", "glazier", "tiler"]))
    assert sorted(same) == ["SEARCH_SAVED_ALREADY"] * 3 + ["fitter"]
    assert others.count("TOO_MANY_SAVED_SEARCHES") == 3
    assert SavedSearch.objects.count() == MOST_SEARCHES


def test_what_is_given_changes_and_the_rest_stays():
    search = saved(text="welder", frequency="weekly")
    assert changed(search, frequency="immediately").name == "welder"
    assert changed(search, name="Mine").frequency == "immediately"
    asked = changed(search, query=AskedFor(text="fitter", countries=["DE"]))
    assert (asked.name, asked.asked_at) == ("Mine", NOW + DAY)
    assert changed(search, name=None).name == "fitter · Germany"
    before = everything([SavedSearch, Event])
    assert changed(search, query=AskedFor(text="Fitter", countries=["DE"]), frequency="immediately", name=None)
    assert everything([SavedSearch, Event]) == before
    told = Event.objects.filter(name="SavedSearchUpdated").order_by("pk").values_list("payload", flat=True)
    assert list(told) == [{"changed": one} for one in (["frequency"], ["name"], ["query"], ["name"])]


def test_what_another_query_found_is_not_told_any_more():
    search = saved()
    waiting(search)
    changed(search, name="Mine")
    assert search.found.count() == 1
    changed(search, query=AskedFor(text="fitter"))
    search.refresh_from_db()
    assert (search.found.count(), search.due_at) == (0, None)


def test_another_frequency_moves_what_waits_and_none_lets_go_of_it():
    search = saved()
    found = waiting(search)
    assert changed(search, frequency="weekly").due_at == NOW.replace(day=8, hour=7)
    assert changed(search, frequency="none").due_at is None
    found.refresh_from_db()
    assert not found.waits
    assert changed(search, frequency="daily").due_at is None


def test_nobody_but_its_owner_changes_or_deletes_a_search():
    search = saved()
    before = everything([SavedSearch, Event])
    doors = [
        (actor_of(a_candidate()), NotFound),
        (Actor(), NotFound),
        (a_staff_actor(), NotPermitted),
    ]
    before = everything([SavedSearch, Event])
    for actor, error in doors:
        for search_id in (search.public_id, uuid4(), "1"):
            expected = error if search_id == search.public_id else NotFound
            with pytest.raises(expected):
                update_saved_search(actor=actor, search_id=search_id, frequency="none", now=NOW)
            with pytest.raises(expected):
                delete_saved_search(actor=actor, search_id=search_id, now=NOW)
    assert everything([SavedSearch, Event]) == before


def test_deleting_leaves_nothing_and_twice_is_refused():
    search = saved()
    found = waiting(search)
    digest = Digest.objects.create(search=search, frequency="daily", due_at=NOW, created_at=NOW)
    FoundOpportunity.objects.filter(pk=found.pk).update(waits=False, digest=digest)
    token = token_of(search)
    delete_saved_search(actor=owner_of(search), search_id=search.public_id, now=NOW)
    assert not any(model.objects.exists() for model in (SavedSearch, Digest, FoundOpportunity))
    with pytest.raises(NotFound):
        delete_saved_search(actor=owner_of(search), search_id=search.public_id, now=NOW)
    with pytest.raises(NotFound):
        unsubscribe(token=token, now=NOW)


def test_the_database_keeps_what_is_promised():
    search = saved()
    found = waiting(search)
    digest = Digest.objects.create(search=search, frequency="daily", due_at=NOW, created_at=NOW)
    searches, digests = SavedSearch.objects.filter(pk=search.pk), Digest.objects.filter(pk=digest.pk)
    finds = FoundOpportunity.objects.filter(pk=found.pk)
    refused = {
        "saved_search_has_a_name": (searches, {"name": ""}),
        "saved_search_frequency_is_known": (searches, {"frequency": "hourly"}),
        "search_without_mails_is_never_due": (searches, {"frequency": "none"}),
        "unsubscribed_search_sends_no_mails": (searches, {"unsubscribed_at": NOW}),
        "saved_search_asks_since_its_creation": (searches, {"asked_at": F("created_at") - DAY}),
        "digest_state_is_known": (digests, {"state": "lost"}),
        "digest_sent_at_is_set_when_sent": (digests, {"state": "sent"}),
        "digest_is_of_a_search_with_mails": (digests, {"frequency": "none"}),
        "what_is_in_a_digest_waits_no_more": (finds, {"digest": digest}),
    }
    for name, (rows, change) in refused.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            rows.update(**change)
    again = FoundOpportunity(search=search, opportunity=found.opportunity, found_at=NOW, waits=False)
    with pytest.raises(IntegrityError, match="search_finds_an_opportunity_once"), transaction.atomic():
        again.save()
