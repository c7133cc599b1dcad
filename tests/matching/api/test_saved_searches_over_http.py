"""Saving searches over HTTP."""

from __future__ import annotations

import pytest
from django.utils import timezone

from marketplace.actions.opportunities import close_opportunity, pause_opportunity
from marketplace.models import Opportunity
from matching.actions.alerts import alert
from matching.models import SavedSearch
from matching.queries.saved_searches import SAVED_SEARCHES
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    a_candidate,
    a_published_opportunity,
    a_skill,
    a_user,
    an_organisation,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

ASKED = """query { search commitments arrangements countries skills { name } organisation { name }
    minPay { amount currency } eligibleOnly }"""
SEARCH = f"id name frequency createdAt unsubscribedAt {ASKED}"
FOUND = """newOpportunities(first: $found, after: $since) { totalCount pageInfo { hasNextPage endCursor }
    edges { cursor } nodes { id reference postingOrganisation { name } payBands { minimum } } }"""
LIST = f"""query ($first: Int, $found: Int, $since: String) {{
    savedSearches(first: $first) {{ totalCount nodes {{ {SEARCH} {FOUND} }} }} }}"""


@pytest.fixture(autouse=True)
def _no_searches_of_the_last_test() -> None:
    SAVED_SEARCHES.forget()


def filtered(**chosen) -> dict:
    return {"query": {"filter": chosen}}


def a_person() -> Asker:
    return Asker(a_candidate(now=timezone.now()))


def an_alert(**fields) -> Opportunity:
    opportunity = a_published_opportunity(now=timezone.now(), **fields)
    alert(opportunity.pk, timezone.now())
    return opportunity


def test_a_search_is_saved_read_back_changed_and_deleted() -> None:
    person, skill, works = a_person(), a_skill("nursing"), an_organisation(name="Charité")
    query = {
        "search": "night nurse",
        "filter": {
            "commitments": ["FULL_TIME", "CONTRACT"],
            "arrangements": ["ONSITE"],
            "countries": ["DE", "AT"],
            "skillIds": [global_id(skill)],
            "organisationId": global_id(works.organisation),
            "minPay": {"amount": "45000", "currency": "EUR"},
            "eligibleOnly": True,
        },
    }
    kept = person.do("saveSearch", {"query": query, "frequency": "WEEKLY"}, SEARCH, thing="SavedSearch")
    assert kept["query"] == {
        "search": "night nurse",
        "commitments": ["CONTRACT", "FULL_TIME"],
        "arrangements": ["ONSITE"],
        "countries": ["AT", "DE"],
        "skills": [{"name": "nursing"}],
        "organisation": {"name": "Charité"},
        "minPay": {"amount": "45000", "currency": "EUR"},
        "eligibleOnly": True,
    }
    assert (kept["frequency"], kept["unsubscribedAt"]) == ("WEEKLY", None)
    [listed] = person.ask(LIST)["savedSearches"]["nodes"]
    assert {key: listed[key] for key in kept if key != "__typename"} == {
        key: value for key, value in kept.items() if key != "__typename"
    }
    node = "query ($id: ID!) { node(id: $id) { ... on SavedSearch { name } } }"
    assert person.ask(node, id=kept["id"])["node"] == {"name": kept["name"]}
    assert a_person().ask(node, id=kept["id"])["node"] is None

    changed = person.do(
        "updateSavedSearch",
        {"savedSearchId": kept["id"], "query": {"search": "nurse"}, "frequency": "NONE", "name": "Mine"},
        SEARCH,
        thing="SavedSearch",
    )
    assert (changed["id"], changed["name"], changed["frequency"]) == (kept["id"], "Mine", "NONE")
    assert changed["query"]["organisation"] is None
    assert changed["query"]["skills"] == []

    gone = {"savedSearchId": kept["id"]}
    deleted = person.do("deleteSavedSearch", gone, "savedSearchId", thing="SavedSearchDeleted")
    assert deleted["savedSearchId"] == kept["id"]
    assert person.do("deleteSavedSearch", gone)["code"] == "NOT_FOUND"
    assert person.ask(LIST)["savedSearches"]["totalCount"] == 0


def test_what_cannot_be_done_is_refused_with_the_field_at_fault() -> None:
    person, stranger = a_person(), a_person()
    asked = {"query": {"search": "nurse"}}
    kept = person.do("saveSearch", {**asked, "name": "Mine"}, "id", thing="SavedSearch")["id"]
    refused = [
        (person, "saveSearch", asked, "SEARCH_SAVED_ALREADY", None),
        (person, "saveSearch", {"query": {}}, "INVALID_INPUT", "query.search"),
        (person, "saveSearch", {"query": {"search": "?!"}}, "INVALID_INPUT", "query.search"),
        (
            person,
            "saveSearch",
            {"query": {"filter": {"skillIds": [kept]}}},
            "INVALID_INPUT",
            "query.filter.skillIds[0]",
        ),
        (
            person,
            "saveSearch",
            {"query": {"filter": {"countries": ["Germany"]}}},
            "INVALID_INPUT",
            "query.filter.countries[0]",
        ),
        (person, "saveSearch", {"query": {"filter": {"mine": True}}}, "INVALID_INPUT", "query.filter.mine"),
        (person, "saveSearch", {**asked, "name": "x" * 121}, "INVALID_INPUT", "name"),
        (person, "updateSavedSearch", {"savedSearchId": kept, "query": None}, "INVALID_INPUT", "query"),
        (person, "updateSavedSearch", {"savedSearchId": kept, "frequency": None}, "INVALID_INPUT", "frequency"),
        (person, "updateSavedSearch", {"savedSearchId": "SavedSearch:1"}, "INVALID_INPUT", "savedSearchId"),
        (stranger, "updateSavedSearch", {"savedSearchId": kept, "name": "Yours"}, "NOT_FOUND", None),
        (stranger, "deleteSavedSearch", {"savedSearchId": kept}, "NOT_FOUND", None),
        (Asker(), "saveSearch", asked, "LOGIN_REQUIRED", None),
        (Asker(), "deleteSavedSearch", {"savedSearchId": kept}, "NOT_FOUND", None),
        (Asker(a_user()), "saveSearch", asked, "NOT_FOUND", None),
    ]
    for asker, mutation, given, code, field in refused:
        answer = asker.do(mutation, given)
        assert (answer.get("code"), answer.get("field")) == (code, field), (mutation, given)
    assert SavedSearch.objects.get().name == "Mine"
    assert Asker().refusal("{ savedSearches { totalCount } }")["code"] == "LOGIN_REQUIRED"
    assert Asker(a_user()).refusal("{ savedSearches { totalCount } }")["code"] == "NOT_FOUND"
    assert stranger.ask(LIST)["savedSearches"]["nodes"] == []


def test_what_was_found_is_listed_once_it_may_be_seen_and_paged_stably() -> None:
    person = a_person()
    person.do("saveSearch", {"query": {"search": "welder"}}, "id", thing="SavedSearch")
    found = [an_alert() for _ in range(5)]
    paused, closed = an_alert(), an_alert()
    an_alert(title="Baker", description="Bakes.")
    for move, one in ((pause_opportunity, paused), (close_opportunity, closed)):
        move(actor=recruiter_of(one), opportunity_id=one.public_id, now=timezone.now())
    newest = [one.reference for one in reversed(found)]

    [page] = [one["newOpportunities"] for one in person.ask(LIST, found=3)["savedSearches"]["nodes"]]
    assert [one["reference"] for one in page["nodes"]] == newest[:3]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, True)
    late = an_alert()
    cursor = page["pageInfo"]["endCursor"]
    assert cursor == page["edges"][-1]["cursor"]
    [rest] = [one["newOpportunities"] for one in person.ask(LIST, found=3, since=cursor)["savedSearches"]["nodes"]]
    assert [one["reference"] for one in rest["nodes"]] == newest[3:]
    assert rest["totalCount"] == 6
    [first] = [one["newOpportunities"] for one in person.ask(LIST, found=1)["savedSearches"]["nodes"]]
    assert [one["reference"] for one in first["nodes"]] == [late.reference]

    [kept] = person.ask(LIST)["savedSearches"]["nodes"]
    asked = {"savedSearchId": kept["id"], "query": {"search": "welder frames"}}
    person.do("updateSavedSearch", asked, "id", thing="SavedSearch")
    [kept] = person.ask(LIST)["savedSearches"]["nodes"]
    assert kept["newOpportunities"]["totalCount"] == 0  # what the other query found


def test_the_list_takes_as_many_statements_for_several_searches_as_for_one() -> None:
    person = a_person()

    def save(number: int) -> None:
        query = {
            "search": "welder" + " frames" * number,
            "filter": {
                "skillIds": [global_id(a_skill())],
                "organisationId": global_id(an_organisation().organisation),
            },
        }
        person.do("saveSearch", {"query": query}, "id", thing="SavedSearch")
        person.do("saveSearch", {"query": {"search": "welder" + " frames" * number}}, "id", thing="SavedSearch")

    save(0)
    an_alert()
    person.ask(LIST, first=30)
    one = person.statements(LIST, first=30)
    for number in range(1, 4):
        save(number)
    for _ in range(3):
        an_alert()
    assert person.statements(LIST, first=30) == one
