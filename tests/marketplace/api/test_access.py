"""Who reads what: the same rows through the eyes of different people."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from marketplace.models import Candidate, Opportunity
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_user,
    an_application,
    an_organisation,
)

pytestmark = pytest.mark.django_db

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
PERSON = """query ($id: ID!) { node(id: $id) { ... on Candidate { displayName contactsOpen name email phone linkedin
    resumeText experiences { title } headline } } }"""


class People:
    """One application, and everybody around it."""

    def __init__(self) -> None:
        now = timezone.now()
        self.owner: Recruiter = an_organisation(now=now)
        self.rival: Recruiter = an_organisation(now=now)
        self.observer: Recruiter = a_recruiter(self.owner, role="observer", now=now)
        self.person: Candidate = a_candidate(now=now, phone="+49 30 1", headline="Welder", resume_text="I weld.")
        self.stranger: Candidate = a_candidate(now=now)
        self.staff: User = a_user(is_staff=True)
        self.opportunity: Opportunity = a_published_opportunity(self.owner, now=now)

    def asker(self, who: str) -> Asker:
        person: Any = {
            "anonymous": None,
            "candidate": self.person,
            "stranger": self.stranger,
            "owner": self.owner.user,
            "observer": self.observer.user,
            "rival": self.rival.user,
            "staff": self.staff,
        }[who]
        return Asker(person)


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("anonymous", False),
        ("stranger", False),
        ("rival", False),
        ("candidate", True),
        ("owner", True),
        ("observer", True),
        ("staff", True),
    ],
)
def test_an_application_is_seen_by_its_two_sides_and_staff(who: str, sees: bool) -> None:
    people = People()
    application = an_application(people.opportunity, people.person, now=timezone.now())
    asker = people.asker(who)
    node = asker.ask(NODE, id=global_id(application))["node"]
    assert (node is not None) is sees
    assert asker.ask("{ applications { totalCount } }")["applications"]["totalCount"] == int(sees)


@pytest.mark.parametrize(
    ("who", "before", "after"),
    [
        ("owner", False, True),
        ("observer", False, True),
        ("rival", False, False),
        ("candidate", True, True),
        ("staff", True, True),
    ],
)
def test_contacts_open_when_the_candidate_turns_to_the_organisation(who: str, before: bool, after: bool) -> None:
    people = People()
    for has_applied, opens in enumerate((before, after)):
        seen = people.asker(who).ask(PERSON, id=global_id(people.person))["node"]
        assert seen["contactsOpen"] is opens
        assert seen["headline"] == "Welder"
        assert (seen["name"] == people.person.name) is opens
        assert (seen["displayName"] == people.person.name) is opens
        assert (seen["email"] is not None) is opens
        assert (seen["phone"] == "+49 30 1") is opens
        assert (seen["resumeText"] == "I weld.") is opens
        assert (seen["experiences"] == []) is opens
        if not has_applied:
            an_application(people.opportunity, people.person, now=timezone.now())


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
def test_candidates_are_for_those_who_recruit(who: str) -> None:
    people = People()
    assert people.asker(who).ask(PERSON, id=global_id(people.person))["node"] is None


def test_searching_candidates_is_no_way_to_a_name() -> None:
    people = People()
    query = "query ($search: String) { candidates(search: $search) { totalCount } }"
    rival = people.asker("rival")
    assert rival.ask(query, search=people.person.name)["candidates"]["totalCount"] == 0
    assert rival.ask(query, search="welder")["candidates"]["totalCount"] == 1
    assert rival.ask(query, search="%_\\")["candidates"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("who", "sees"), [("anonymous", 0), ("candidate", 0), ("rival", 0), ("owner", 1), ("staff", 1)]
)
def test_drafts_are_their_organisations(who: str, sees: int) -> None:
    people = People()
    draft = a_draft(people.owner, now=timezone.now())
    asker = people.asker(who)
    query = "{ opportunities(filter: {states: [DRAFT]}) { totalCount } }"
    assert asker.ask(query)["opportunities"]["totalCount"] == sees
    assert (asker.ask(NODE, id=global_id(draft))["node"] is not None) is bool(sees)
    found = asker.ask("query ($r: String) { opportunity(reference: $r) { id } }", r=draft.reference)
    assert (found["opportunity"] is not None) is bool(sees)


@pytest.mark.parametrize(
    ("who", "inside"), [("anonymous", False), ("candidate", False), ("rival", False), ("owner", True)]
)
def test_what_is_the_organisations_own_is_null_for_others(who: str, inside: bool) -> None:
    people = People()
    query = """query ($id: ID!) { opportunity(id: $id) { title history { toState } seatList { number } waivers { id }
        postingOrganisation { name members { user { email } } } currentRevision { rule } } }"""
    seen = people.asker(who).ask(query, id=global_id(people.opportunity))["opportunity"]
    assert seen["title"]
    private = (seen["history"], seen["seatList"], seen["waivers"], seen["postingOrganisation"]["members"])
    assert all((value is not None) is inside for value in private)


def test_a_hidden_criterion_is_told_to_nobody_it_is_hidden_from() -> None:
    people, skill = People(), a_skill("secret craft")
    hidden = {"skill": skill.pk, "minLevel": 2, "disclosure": "organisation"}
    opportunity = a_published_opportunity(people.owner, now=timezone.now(), rule=hidden)
    query = """query ($id: ID!, $candidate: ID) {
        opportunity(id: $id) { currentRevision { rule ruleText } }
        eligibility(opportunity: $id, candidate: $candidate) { outcome reasons { sentence }
            nearestChange { sentence } } }"""
    response = people.asker("candidate").post({"query": query, "variables": {"id": global_id(opportunity)}})
    assert b"secret craft" not in response.content
    assert response.json()["data"]["eligibility"]["outcome"] == "INELIGIBLE"
    inside = people.asker("owner").ask(query, id=global_id(opportunity), candidate=global_id(people.person))
    assert "secret craft" in inside["opportunity"]["currentRevision"]["ruleText"]
    assert "secret craft" in inside["eligibility"]["reasons"][0]["sentence"]


def test_nobody_is_judged_for_anothers_opportunity() -> None:
    people = People()
    query = "query ($id: ID!, $candidate: ID) { eligibility(opportunity: $id, candidate: $candidate) { outcome } }"
    ids = {"id": global_id(people.opportunity), "candidate": global_id(people.person)}
    assert people.asker("rival").refusal(query, **ids)["code"] == "NOT_PERMITTED"
    assert people.asker("stranger").refusal(query, **ids)["code"] == "NOT_FOUND"


@pytest.mark.parametrize("id", ["", "x", "T3BwOjE=", "T2ZmZXI6MQ==", "é", "A" * 200, "T2ZmZXI6bm90LWEtdXVpZA=="])
def test_what_is_no_id_is_refused(id: str) -> None:
    assert Asker().refusal(NODE, id=id)["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("after", ["", "x", "AAAA", "é", "A" * 500, "a" * 64])
def test_a_forged_cursor_is_refused(after: str) -> None:
    refusal = Asker().refusal("query ($after: String) { opportunities(after: $after) { nodes { id } } }", after=after)
    assert (refusal["code"], refusal["field"]) == ("INVALID_INPUT", "after")


def test_a_cursor_of_another_list_is_refused() -> None:
    People()
    cursor = Asker().ask("{ opportunities { pageInfo { endCursor } } }")["opportunities"]["pageInfo"]["endCursor"]
    query = "query ($after: String) { opportunities(orderBy: TITLE, after: $after) { nodes { id } } }"
    assert Asker().refusal(query, after=cursor)["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("order", ["NEWEST", "CLOSING", "TITLE"])
def test_opportunities_come_in_pages_in_every_order(order: str) -> None:
    owner = an_organisation()
    for title in ("b", "a", "c", "a", "b"):
        a_published_opportunity(owner, title=title, now=timezone.now())
    query = f"""query ($after: String) {{ opportunities(first: 2, after: $after, orderBy: {order}) {{
        totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id title }} }} }}"""
    seen: list[str] = []
    titles: list[str] = []
    after = None
    while True:
        page = Asker().ask(query, after=after)["opportunities"]
        assert page["totalCount"] == 5
        seen += [node["id"] for node in page["nodes"]]
        titles += [node["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(set(seen)) == len(seen) == 5
    if order == "TITLE":
        assert titles == sorted(titles)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"commitments": ["FULL_TIME"]}, 1),
        ({"commitments": ["VOLUNTEER"]}, 0),
        ({"arrangements": ["ONSITE", "REMOTE"]}, 1),
        ({"countries": ["DE"]}, 1),
        ({"minWeeklyHours": 30, "maxWeeklyHours": 40}, 1),
        ({"minWeeklyHours": 41}, 0),
        ({"mine": True}, 1),
        ({"states": ["CLOSED"]}, 0),
    ],
)
def test_opportunities_are_filtered(filters: dict[str, Any], found: int) -> None:
    people = People()
    query = "query ($filter: OpportunityFilter) { opportunities(filter: $filter) { totalCount } }"
    assert people.asker("owner").ask(query, filter=filters)["opportunities"]["totalCount"] == found


def test_notifications_are_marked_as_read_by_their_owner_alone() -> None:
    from tests.marketplace.api.test_statement_counts import Market

    market = Market()
    note = market.notification()
    other = Asker(a_user())
    assert (
        other.do("markNotificationsRead", {"notificationIds": [global_id(note)]}, "count", thing="NotificationsRead")[
            "count"
        ]
        == 0
    )
    mine = Asker(market.by.user)
    assert mine.do("markNotificationsRead", {}, "count", thing="NotificationsRead")["count"] == 1
    assert mine.ask("{ notifications(unread: true) { totalCount } }")["notifications"]["totalCount"] == 0
