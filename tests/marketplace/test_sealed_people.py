"""What a copy of the database tells of people: nothing that they gave to few."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from accounts.actions.deliveries import deliver_due
from accounts.models import IdempotencyRecord
from marketplace.actions.candidates import CandidateFields, ExperienceInput, update_candidate
from marketplace.actions.duplicates import notice_candidate
from marketplace.models import Candidate, CandidateMentions, WorkExperience
from marketplace.models.mentions import READ_FROM_RESUMES
from matching.models import CandidateProjection
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import NOW, a_candidate, a_skill, a_user, actor_of
from tests.matching.staging import asking_for, copy, skilled, work

pytestmark = pytest.mark.django_db

CONTACTS = {"phone": "+49 30 40302010", "linkedin": "https://www.linkedin.com/in/canary-quill"}
RESUME = "Canaryologist by vocation. Ran Kubernetes on the moon base Peewit."
WORK = "Fed the wagtails."
CANARIES = (
    "40302010",
    "canary-quill",
    "Canaryologist",
    "canaryologist",
    "Peewit",
    "peewit",
    "wagtail",
    "nest@canary",
    "login@example",
)


def dumped() -> dict[str, str]:
    """All rows of all tables, as COPY writes them, by table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
                found[table] = b"".join(bytes(part) for part in rows).decode()
    return found


def settled() -> None:
    """All that follows from what people write: scores, copies for searches, fingerprints, notifications."""
    work()
    for consumer in settings.CONSUMERS:
        while deliver_due(consumer, NOW):
            pass
    copy()


def written(asker: Asker, **fields: Any) -> Any:
    given = {**CONTACTS, "resumeText": RESUME, **fields}
    return asker.do("updateCandidate", given, "id phone linkedin email resumeText", thing="Candidate")


def test_no_table_tells_contacts_or_what_somebody_wrote_of_themselves() -> None:
    kubernetes = a_skill("Kubernetes")
    candidate = skilled(a_skill(), user=a_user(email="login@example.org"))
    asking_for(kubernetes)
    settled()
    assert written(Asker(candidate), idempotencyKey="once")["resumeText"] == RESUME
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=CandidateFields(experiences=[ExperienceInput("Keeper", date(2020, 1, 1), description=WORK)]),
        now=NOW,
    )
    candidate.refresh_from_db()
    candidate.email = "nest@canary.example"
    candidate.save()
    settled()
    told = dumped()
    assert candidate.name in told["marketplace_candidate"], "what is dumped can be read"
    assert [(table, canary) for table, rows in told.items() for canary in CANARIES if canary in rows] == []
    assert WorkExperience.objects.get().description == WORK
    assert CandidateProjection.objects.get(candidate=candidate).mentioned_skills == [kubernetes.pk]


def test_a_repeated_request_is_answered_from_a_sealed_answer() -> None:
    asker = Asker(a_candidate())
    first = written(asker, idempotencyKey="once")
    assert written(asker, idempotencyKey="once") == first
    record = IdempotencyRecord.objects.get()
    assert "40302010" in record.response
    other = Asker(a_candidate())
    written(other, idempotencyKey="once")
    IdempotencyRecord.objects.exclude(pk=record.pk).update(response=record.__dict__["response"])
    answer = other.answer(
        "mutation ($input: UpdateCandidateInput!) { updateCandidate(input: $input) { ... on Candidate { phone } } }",
        input={**CONTACTS, "resumeText": RESUME, "idempotencyKey": "once"},
    )
    assert "40302010" not in str(answer), "another's answer does not open"


def test_what_is_read_from_a_resume_is_what_is_declared_and_goes_with_it() -> None:
    kubernetes, skill = a_skill("Kubernetes"), a_skill()
    candidate = skilled(skill)
    asking_for(skill)
    settled()

    def rows() -> dict[str, Any]:
        mentions = CandidateMentions.objects.filter(candidate=candidate).values().get()
        copied = CandidateProjection.objects.filter(candidate=candidate).values().get()
        mine = Candidate.objects.filter(pk=candidate.pk).values().get()
        told = {"candidate": mine, "mentions": mentions, "projection": copied}
        return {f"{table}.{column}": value for table, row in told.items() for column, value in row.items()}

    def state(resume: str) -> None:
        fields = CandidateFields(resume_text=resume)
        update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=NOW)
        settled()

    before = rows()
    state(RESUME)
    after = rows()
    bookkeeping = {"candidate.revision", "mentions.revision", "projection.revision", "projection.changed_xid"}
    changed = {name for name in after if before[name] != after[name]} - bookkeeping
    declared = {f"mentions.{column}" for column in READ_FROM_RESUMES}
    assert changed == {"candidate.resume_text", "projection.mentioned_skills"} | declared
    assert after["mentions.skill_ids"] == [kubernetes.pk]
    state("")
    again = rows()
    assert {name for name in again if before[name] != again[name]} - bookkeeping == set()


def test_a_contact_that_was_put_into_another_s_row_is_not_shown() -> None:
    candidate, other = a_candidate(phone=CONTACTS["phone"]), a_candidate(phone="+49 40 1")
    Candidate.objects.filter(pk=other.pk).update(phone=Candidate.objects.get(pk=candidate.pk).__dict__["phone"])
    asked = "query ($id: ID!) { node(id: $id) { ... on Candidate { phone } } }"
    [error] = Asker(other).answer(asked, id=global_id(other))["errors"]
    assert error["extensions"]["code"] == "INTERNAL"


def test_staff_find_people_by_a_whole_contact(client: Any) -> None:
    found = a_candidate(name="Ada Quill", **CONTACTS)
    found.email = "Ada.Quill+work@example.org"
    found.save()
    for candidate in (found, a_candidate(name="Bob Reed", phone="+49 40 1234567")):
        notice_candidate(candidate.pk, NOW)
    staff = a_user(is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(codename="view_candidate"))
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("admin:marketplace_candidate_changelist")
    for term in ("ada.quill@example.org", "0049 30 4030 2010", CONTACTS["linkedin"], "Ada Quill", str(found.public_id)):
        page = client.get(address, {"q": term}).content.decode()
        assert ("Ada Quill" in page, "Bob Reed" in page) == (True, False), term
    assert "Ada Quill" not in client.get(address, {"q": "40302010"}).content.decode()
