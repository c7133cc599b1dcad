"""The audit log: written without waiting, chained afterwards, and whatever is done to it later is found."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.actions.audit import record, record_many, seal, seal_all
from accounts.actions.organisations import change_role
from accounts.core.actor import Actor
from accounts.core.audit import AuditKind
from accounts.models import AuditEntry, AuditSeal, Membership, Organisation, User
from accounts.queries.audit import verify_chain
from tests.marketplace.factories import DAY, NOW, a_recruiter, a_user, actor_of, an_organisation

pytestmark = pytest.mark.django_db


def entries(number: int) -> list[AuditEntry]:
    """So many, of one user each; the oldest first."""
    before = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first() or 0
    record_many(
        AuditKind.PERSONAL_DATA_READ, actor=Actor(user_id=1), now=NOW, subjects=[a_user() for _ in range(number)]
    )
    return list(AuditEntry.objects.filter(pk__gt=before).order_by("id"))


@contextmanager
def unguarded() -> Iterator[Any]:
    """As somebody who owns the database: no trigger stops them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_entry_says_who_did_what_to_whom() -> None:
    organisation = an_organisation().organisation
    staff = a_user(is_staff=True)
    actor = Actor(user_id=staff.pk, is_staff=True, request_id="a-request")
    data = {"fields": ["phone", "email"]}
    record(AuditKind.PERSONAL_DATA_READ, actor=actor, now=NOW, subject=organisation, data=data)
    entry = AuditEntry.objects.get(kind="PersonalDataRead")
    assert (entry.actor_id, entry.actor_kind, entry.organisation_id) == (staff.pk, "staff", organisation.pk)
    assert (entry.subject_type, entry.subject_id, entry.request_id) == ("organisation", organisation.pk, "a-request")
    assert entry.data == data


@pytest.mark.parametrize("data", [{"name": "Ada Lovelace"}, {"x": "ada@example.org"}, {"x": {"y": 1}}, {"x": ["é"]}])
def test_nothing_that_may_be_somebodys_text_is_recorded(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ids and names of fields"):
        record(AuditKind.PERSONAL_DATA_READ, actor=Actor.system(), now=NOW, data=data)
    assert not AuditEntry.objects.exists()


def test_many_are_recorded_by_one_statement(django_assert_num_queries: Any) -> None:
    users = [a_user() for _ in range(20)]
    with django_assert_num_queries(1):
        record_many(AuditKind.PERSONAL_DATA_READ, actor=Actor.system(), now=NOW, subjects=users)


def test_an_audited_event_is_entered_by_the_statement_that_appends_it() -> None:
    owner = an_organisation()
    member = a_recruiter(owner)
    membership = Membership.objects.get(user=member.user)
    change_role(actor=owner.actor, membership_id=membership.public_id, role="observer", now=NOW)
    invited, _, changed = AuditEntry.objects.filter(organisation=owner.organisation).order_by("id")  # and accepted
    assert (invited.kind, changed.kind, changed.actor_id) == ("MemberInvited", "MembershipChanged", owner.user.pk)
    assert changed.data.items() >= {"user": member.user.pk, "role": "observer"}.items()
    assert changed.data["event"] > invited.data["event"]


def test_every_audited_event_is_one_that_is_appended() -> None:
    """A misspelt name would silently leave something out."""
    from pathlib import Path

    sources = "".join(
        path.read_text() for app in ("accounts", "marketplace", "matching") for path in Path(app).rglob("*.py")
    )
    assert [name for name in settings.AUDITED_EVENTS if f'"{name}"' not in sources] == []


def test_what_was_recorded_is_chained_and_holds() -> None:
    entries(3)
    assert seal(NOW, limit=2) == 2
    entries(2)
    assert seal_all(NOW) == 3
    entries(1)
    chain = verify_chain()
    assert (chain.broken, chain.seals, chain.entries, chain.unsealed) == (None, 2, 5, 1)
    first, second = AuditSeal.objects.order_by("number")
    assert (second.previous, chain.head) == (first.digest, f"2:{second.digest}")


def test_an_entry_that_commits_late_is_in_the_next_batch() -> None:
    """Its id is lower than those of a batch that is sealed already."""
    early, late, *_ = entries(3)
    with unguarded() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE id = %s", [early.pk])
    seal_all(NOW)
    early.save(force_insert=True)
    assert seal_all(NOW) == 1
    assert verify_chain().broken is None
    assert AuditSeal.objects.get(number=2).entry_ids == [early.pk] < [late.pk]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET data = '{}'",
        "UPDATE accounts_auditentry SET seal_id = NULL",
        "UPDATE accounts_auditentry SET actor_id = 2, seal_id = 1 WHERE seal_id IS NULL",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry, accounts_auditseal",
        "UPDATE accounts_auditseal SET number = 7",
        "DELETE FROM accounts_auditseal",
    ],
)
def test_the_database_lets_nobody_rewrite_it(statement: str) -> None:
    entries(2)
    seal(NOW, limit=1)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


TAMPERED = [
    ("UPDATE accounts_auditentry SET actor_id = 9 WHERE id = {second}", "entry {second} of seal 1 was altered"),
    ("UPDATE accounts_auditentry SET at = at + interval '1 us' WHERE id = {second}",
     "entry {second} of seal 1 was altered"),
    ("DELETE FROM accounts_auditentry WHERE id = {second}", "entry {second} is missing from seal 1"),
    ("UPDATE accounts_auditentry SET seal_id = NULL WHERE id = {second}", "entry {second} is missing from seal 1"),
    ("UPDATE accounts_auditentry SET seal_id = (SELECT id FROM accounts_auditseal WHERE number = 1) WHERE id = {last}",
     "entry {last} was added to seal 1"),
    ("UPDATE accounts_auditseal SET entry_ids = entry_ids[1:1], entry_digests = substr(entry_digests, 1, 32) "
     "WHERE number = 1", "seal 1 was altered"),
    ("DELETE FROM accounts_auditseal WHERE number = 1", "seal 1 is missing"),
    ("UPDATE accounts_auditseal SET previous = digest WHERE number = 2", "seal 2 does not follow from the one before"),
    ("UPDATE accounts_auditseal SET signature = repeat('0', 64) WHERE number = 2", "seal 2 is not signed by us"),
    ("UPDATE accounts_auditseal SET key_id = 'another' WHERE number = 3",
     "seal 3, the last, is signed by a key that is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "told"), TAMPERED)
def test_the_first_thing_that_was_tampered_with_is_named(statement: str, told: str) -> None:
    _, second, third = entries(3)
    seal_all(NOW)
    for _ in range(2):
        last = entries(1)[0]
        seal_all(NOW)
    assert verify_chain().broken is None
    ids = {"second": second.pk, "third": third.pk, "last": last.pk}
    with transaction.atomic():
        with unguarded() as cursor:
            cursor.execute(statement.format(**ids))
        with pytest.raises(CommandError, match=told.format(**ids)):
            call_command("audit", "verify", stdout=io.StringIO())
        transaction.set_rollback(True)  # some of it breaks foreign keys, too


def test_a_chain_whose_end_was_cut_off_does_not_lead_through_a_head_that_was_noted() -> None:
    for _ in range(3):
        entries(1)
        seal_all(NOW)
    noted = verify_chain().head
    entries(1)
    seal_all(NOW)
    assert verify_chain(known_head=noted).broken is None
    with unguarded() as cursor:
        cursor.execute(
            "DELETE FROM accounts_auditentry WHERE seal_id IN (SELECT id FROM accounts_auditseal WHERE number > 2)"
        )
        cursor.execute("DELETE FROM accounts_auditseal WHERE number > 2")
    assert verify_chain().broken is None
    assert verify_chain(known_head=noted).broken == "seal 3, which was noted, is missing"


def test_a_chain_made_anew_without_the_key_does_not_hold(settings: Any) -> None:
    entries(2)
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "of somebody who has the database alone"
    seal_all(NOW)
    settings.SECRET_KEY = key
    assert "signed by a key that is not known" in str(verify_chain().broken)


def test_another_secret_key_vouches_for_what_the_former_one_signed(settings: Any) -> None:
    entries(1)
    seal_all(NOW)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another one"
    settings.SECRET_KEY_FALLBACKS = [former]
    entries(1)
    seal_all(NOW)
    assert verify_chain().broken is None
    settings.SECRET_KEY_FALLBACKS = []
    assert verify_chain().broken is None


def test_entries_outlast_who_they_name() -> None:
    user = a_user()
    record(AuditKind.LOGGED_IN, actor=actor_of(user), now=NOW, subject=user)
    seal_all(NOW)
    User.objects.filter(pk=user.pk).delete()
    assert (verify_chain().broken, verify_chain().entries) == (None, 1)


def test_the_books_are_what_is_audited_where_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit", "--json")
    assert json.loads(capsys.readouterr().out)["violations"] == []


def test_the_console_says_what_was_changed_and_not_whose_it_was(client: Client) -> None:
    client.force_login(a_user(is_staff=True, is_superuser=True))
    person = a_user(name="Ada Lovelace", email="ada@example.org")
    url = f"/admin/accounts/user/{person.pk}/change/"
    form = client.get(url).context["adminform"].form
    values = {name: form.initial.get(name) or "" for name in form.fields if name not in ("password", "public_id")}
    inlines = {f"memberships-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    sent = {name: value for name, value in values.items() if value not in (False, "", [])}
    assert client.post(url, {**sent, **inlines, "name": "Ada King", "_save": "1"}).status_code == 302
    entry = AuditEntry.objects.get(kind="ConsoleChanged")
    assert (entry.subject_type, entry.subject_id, entry.actor_kind) == ("user", person.pk, "staff")
    assert "Name" in entry.data["fields"]
    logged = LogEntry.objects.get()
    assert (logged.object_repr, "Name" in logged.change_message) == (f"user {person.pk}", True)
    assert client.get("/admin/accounts/auditentry/").status_code == 200
    assert client.get(f"/admin/accounts/auditentry/{entry.pk}/change/").status_code == 200
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/change/", {"kind": "x"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_writers_never_wait_for_the_sealer_and_what_commits_late_is_sealed() -> None:
    """A writer holds its transaction open over a sealing; another writes while the sealer has not committed."""
    written, sealed, go = threading.Event(), threading.Event(), threading.Event()
    subject = Organisation.objects.create(name="Works", slug="works")

    def write_and_hold() -> None:
        with transaction.atomic():
            record(AuditKind.PERSONAL_DATA_READ, actor=Actor.system(), now=NOW, subject=subject)
            written.set()
            assert sealed.wait(10)
        connection.close()

    def write_during() -> None:
        record(AuditKind.PERSONAL_DATA_READ, actor=Actor.system(), now=NOW + DAY, subject=subject)
        go.set()
        connection.close()

    holder = threading.Thread(target=write_and_hold)
    holder.start()
    assert written.wait(10)
    record(AuditKind.LOGGED_IN, actor=Actor.system(), now=NOW, subject=subject)
    with transaction.atomic():
        assert seal(NOW) == 1  # of two ids the higher: the lower is not committed
        writer = threading.Thread(target=write_during)
        writer.start()
        assert go.wait(10), "a writer waited for the sealer"
    sealed.set()
    holder.join()
    writer.join()
    assert seal(NOW) == 2
    chain = verify_chain()
    assert (chain.broken, chain.entries, chain.unsealed) == (None, 3, 0)


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_dies_leaves_the_batch_to_the_next_and_two_do_not_seal_it_twice() -> None:
    entries(3)
    began, die = threading.Event(), threading.Event()

    def seal_and_die() -> None:
        with transaction.atomic():
            assert seal(NOW) == 3
            began.set()
            assert die.wait(10)
            transaction.set_rollback(True)
        connection.close()

    dying = threading.Thread(target=seal_and_die)
    dying.start()
    assert began.wait(10)
    assert seal(NOW) == 0  # another is at it
    die.set()
    dying.join()
    assert (seal(NOW), verify_chain().broken) == (3, None)
