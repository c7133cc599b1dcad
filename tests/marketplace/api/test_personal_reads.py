"""Whoever reads personal data of somebody is logged, with the answer or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.audit import seal_all
from accounts.actions.organisations import invite_member
from accounts.actions.service_tokens import create_service_token
from accounts.core.audit import AuditKind
from accounts.models import AuditEntry, IdempotencyRecord
from accounts.queries.audit import verify_chain
from marketplace.models import Application, Candidate
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_published_opportunity,
    a_recruiter,
    a_user,
    an_application,
    an_organisation,
)

pytestmark = pytest.mark.django_db

READ = "query ($id: ID!) { node(id: $id) { ... on Candidate { displayName name phone } } }"
PAGE = "{ applications(first: 100) { nodes { reference candidate { displayName email resumeText headline } } } }"


class Hiring:
    """An organisation that somebody applied to, and one to which nobody did."""

    def __init__(self) -> None:
        self.by: Recruiter = an_organisation(now=timezone.now())
        self.opportunity = a_published_opportunity(self.by, now=timezone.now())
        self.person: Candidate = a_candidate(now=timezone.now(), phone="+49 30 1")
        self.application: Application = an_application(self.opportunity, self.person, now=timezone.now())


def logged() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(kind=AuditKind.PERSONAL_DATA_READ).order_by("id"))


def test_it_is_logged_who_read_what_of_whom_when_for_which_organisation_and_through_what() -> None:
    hiring = Hiring()
    answer = Asker(hiring.by.user).post(
        {"query": READ, "variables": {"id": global_id(hiring.person)}}, headers={"X-Request-Id": "request-12345678"}
    )
    assert answer.json()["data"]["node"]["phone"] == "+49 30 1"
    [entry] = logged()
    assert (entry.actor, entry.actor_kind, entry.organisation) == (hiring.by.user, "user", hiring.by.organisation)
    assert (entry.subject_type, entry.subject_id) == ("candidate", hiring.person.pk)
    assert entry.data == {"fields": ["name", "phone"], "through": ["node"]}
    assert entry.request_id == "request-12345678"
    assert abs((timezone.now() - entry.at).total_seconds()) < 60


def test_a_page_is_logged_in_one_statement_each_person_once() -> None:
    hiring = Hiring()
    asker = Asker(hiring.by.user)
    asker.ask(PAGE)
    one = asker.statements(PAGE)
    for _ in range(12):
        an_application(hiring.opportunity, now=timezone.now())
    an_application(a_published_opportunity(hiring.by, now=timezone.now()), hiring.person, now=timezone.now())
    before = len(logged())
    with CaptureQueriesContext(connection) as captured:
        asker.ask(PAGE)
    assert len(captured) == one
    assert sum("INSERT INTO accounts_auditentry" in query["sql"] for query in captured) == 1
    entries = logged()[before:]
    assert len(entries) == len({entry.subject_id for entry in entries}) == 13
    assert all(entry.data["fields"] == ["email", "name", "resume"] for entry in entries)


def test_nothing_is_logged_where_nothing_was_open() -> None:
    hiring = Hiring()
    for asker in (
        Asker(hiring.person),  # their own
        Asker(an_organisation().user),  # to whom they are a pseudonym
        Asker(),
    ):
        asker.ask(READ, id=global_id(hiring.person))
    Asker(hiring.by.user).ask("{ applications { totalCount nodes { candidate { headline contactsOpen } } } }")
    assert logged() == []


def test_staff_are_logged_and_programs_by_their_token() -> None:
    hiring = Hiring()
    staff = a_user(is_staff=True)
    Asker(staff).ask(READ, id=global_id(hiring.person))
    token, secret = create_service_token(
        actor=hiring.by.actor,
        organisation_id=hiring.by.organisation.public_id,
        name="Reports",
        scopes=[],
        now=timezone.now(),
    )
    answer = Client().post(
        "/graphql",
        {"query": READ, "variables": {"id": global_id(hiring.person)}},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.json()["data"]["node"]["phone"]
    by_staff, by_program = logged()
    assert (by_staff.actor, by_staff.actor_kind, by_staff.organisation) == (staff, "staff", None)
    assert (by_program.actor, by_program.actor_kind) == (token.user, "program")
    assert by_program.organisation == hiring.by.organisation


def test_an_answer_that_cannot_be_logged_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    hiring = Hiring()

    def full(**_: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("marketplace.actions.personal_reads.record_each", full)
    answer = Asker(hiring.by.user).post({"query": READ, "variables": {"id": global_id(hiring.person)}})
    told = answer.json()
    assert told.get("data") is None
    assert told["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert b"+49 30 1" not in answer.content and hiring.person.name.encode() not in answer.content


REJECT = """mutation ($input: RejectApplicationInput!) { rejectApplication(input: $input) {
    ... on Application { status candidate { name } } } }"""


def test_a_keyed_answer_is_logged_each_time_it_is_told() -> None:
    hiring = Hiring()
    asker = Asker(hiring.by.user)
    input = {"applicationId": global_id(hiring.application), "reason": "PAY", "idempotencyKey": "once"}
    first = asker.ask(REJECT, input=input)
    assert first == asker.ask(REJECT, input=input)
    assert first["rejectApplication"]["candidate"]["name"] == hiring.person.name
    once, again = logged()
    assert once.data == again.data == {"fields": ["name"], "through": ["rejectApplication"]}
    assert once.organisation == again.organisation == hiring.by.organisation


def test_a_keyed_operation_that_cannot_be_logged_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    hiring = Hiring()

    def full(**_: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("marketplace.actions.personal_reads.record_each", full)
    input = {"applicationId": global_id(hiring.application), "reason": "PAY", "idempotencyKey": "once"}
    answer = Asker(hiring.by.user).answer(REJECT, input=input)
    assert answer["data"] is None
    hiring.application.refresh_from_db()
    assert hiring.application.status == "active"
    assert not IdempotencyRecord.objects.filter(response__isnull=False).exists()


def test_the_organisation_is_one_that_the_person_turned_to() -> None:
    """Of somebody who recruits for several."""
    hiring = Hiring()
    other = an_organisation(now=timezone.now())
    invite_member(
        actor=other.actor,
        organisation_id=other.organisation.public_id,
        email=hiring.by.user.email,
        role="recruiter",
        now=timezone.now(),
    )
    Asker(hiring.by.user).ask(READ, id=global_id(hiring.person))
    observer = a_recruiter(hiring.by, role="observer", now=timezone.now())
    Asker(observer.user).ask(READ, id=global_id(hiring.person))
    assert [entry.organisation for entry in logged()] == [hiring.by.organisation] * 2


def test_what_was_logged_stays_as_it_is() -> None:
    hiring = Hiring()
    Asker(hiring.by.user).ask(READ, id=global_id(hiring.person))
    for change in (lambda rows: rows.update(subject_id=1), lambda rows: rows.delete()):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            change(AuditEntry.objects.filter(kind=AuditKind.PERSONAL_DATA_READ))


def test_people_are_told_which_organisation_read_what_of_them_and_not_who_of_it() -> None:
    hiring = Hiring()
    Asker(a_user(is_staff=True)).ask(READ, id=global_id(hiring.person))
    Asker(hiring.by.user).ask(PAGE)
    query = """query ($after: String) { personalDataReads(first: 1, after: $after) { totalCount
        pageInfo { endCursor } nodes { at fields organisation { name } } } }"""
    person = Asker(hiring.person)
    told = person.ask(query)["personalDataReads"]
    assert told["totalCount"] == 2
    assert told["nodes"][0]["organisation"] == {"name": hiring.by.organisation.name}
    assert told["nodes"][0]["fields"] == ["EMAIL", "NAME", "RESUME"]
    [by_staff] = person.ask(query, after=told["pageInfo"]["endCursor"])["personalDataReads"]["nodes"]
    assert (by_staff["organisation"], by_staff["fields"]) == (None, ["NAME", "PHONE"])
    assert Asker(a_candidate(now=timezone.now())).ask(query)["personalDataReads"]["totalCount"] == 0
    assert Asker(hiring.by.user).refusal(query)["code"] == "NOT_FOUND"


def test_the_consoles_pages_of_people_are_logged(client: Client) -> None:
    hiring, staff = Hiring(), a_user(is_staff=True, is_superuser=True)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    for _ in range(3):
        a_candidate(now=timezone.now())
    assert hiring.person.name in client.get("/admin/marketplace/candidate/").content.decode()
    listed = logged()
    assert {entry.subject_id for entry in listed} == set(Candidate.objects.values_list("pk", flat=True))
    assert {(entry.actor, entry.actor_kind) for entry in listed} == {(staff, "staff")}
    assert all(entry.data == {"fields": ["name"], "through": ["admin.list"]} for entry in listed)
    page = client.get(f"/admin/marketplace/candidate/{hiring.person.pk}/change/")
    assert "+49 30 1" in page.content.decode()
    last = logged()[-1]
    assert (last.subject_id, last.data["through"]) == (hiring.person.pk, ["admin.page"])
    assert {"name", "email", "phone", "resume"} <= set(last.data["fields"])
    readers = client.get("/admin/accounts/auditentry/?kind__exact=PersonalDataRead&subject_type__exact=candidate")
    assert readers.status_code == 200 and "PersonalDataRead" in readers.content.decode()


def test_so_are_names_on_its_other_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hiring, staff = Hiring(), a_user(is_staff=True, is_superuser=True)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = f"/admin/marketplace/application/{hiring.application.pk}/change/"
    choice = "/admin/autocomplete/?app_label=marketplace&model_name=invitation&field_name=candidate&term="
    asked = (("/admin/marketplace/application/", "list"), (page, "page"), (f"{choice}{hiring.person.name}", "choice"))
    for number, (address, kind) in enumerate(asked, start=1):
        assert hiring.person.name in client.get(address).content.decode(), address
        entries = logged()
        assert len(entries) == number, address
        last = entries[-1]
        assert (last.subject_id, last.actor) == (hiring.person.pk, staff)
        assert last.data == {"fields": ["name"], "through": [f"admin.{kind}"]}
    client.get("/admin/marketplace/skill/")
    assert len(logged()) == len(asked), "nobody is on it"

    def full(**_: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("marketplace.actions.personal_reads.record_each", full)
    client.raise_request_exception = False
    for address, _ in asked:
        answer = client.get(address)
        assert answer.status_code == 500 and hiring.person.name not in answer.content.decode()


def test_what_was_read_is_sealed_with_everything_else() -> None:
    hiring = Hiring()
    Asker(hiring.by.user).ask(PAGE)
    assert seal_all(timezone.now()) >= 1
    chain = verify_chain()
    assert (chain.broken, chain.unsealed) == (None, 0)
