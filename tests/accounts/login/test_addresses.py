"""Addresses that people log in with: sealed, found by the whole of them, unique whatever the case of their letters."""

from __future__ import annotations

from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.contrib.sessions.backends.db import SessionStore as PlainStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts.actions import resealing
from accounts.core.seal import SealBroken, new_key
from accounts.login.sessions import SessionStore
from accounts.models import User
from accounts.models.sealed import Sealed
from marketplace.queries.persons import person_named
from tests.accounts.login.conftest import PASSWORD, App, a_person, key_in_mail
from tests.marketplace.factories import a_candidate, a_user
from tests.privacy.canaries import Canaries, dump

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"
migration: Any = import_module("accounts.migrations._sealing")


@pytest.fixture
def ada() -> User:
    a_person(ADA)
    return User.objects.get(email=ADA)


def execute(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def test_somebody_is_found_by_the_whole_of_their_address_and_no_less(ada: User) -> None:
    other = a_user(email="canada@example.org")
    for found in (
        User.objects.get(email="ADA@Example.org"),
        User.objects.get(email__iexact=ADA),
        User.objects.get(email__in=[ADA, "nobody@example.org"]),
        User.objects.exclude(email=other.email).get(),
        User.objects.get_by_natural_key("Ada@example.org"),
        User.objects.get(emailaddress__email=ADA),
        EmailAddress.objects.get(user__email=ADA, email=ADA).user,
    ):
        assert (found.pk, found.email) == (ada.pk, ADA)
    questions: list[dict[str, Any]] = [
        {"email__contains": "ada"},
        {"email__icontains": "ada"},
        {"email__startswith": "ada"},
        {"email__regex": "a.*"},
        {"email__gt": "a"},
        {"email": F("name")},
        {"emailaddress__email__endswith": "example.org"},
    ]
    for asked in questions:
        with pytest.raises(TypeError, match="can only be asked for a whole address"):
            User.objects.filter(**asked).exists()


def test_looking_somebody_up_reads_an_index(ada: User) -> None:
    execute("SET LOCAL enable_seqscan = off")
    assert "user_email_is_unique" in User.objects.filter(email=ADA).explain()
    assert "one_row_per_user_and_address" in EmailAddress.objects.filter(email=ADA).explain()


def test_an_address_is_of_one_login_whatever_the_case_of_its_letters(ada: User) -> None:
    for email in (ADA, "Ada@Example.org"):
        with pytest.raises(IntegrityError, match="user_email_is_unique"), transaction.atomic():
            User(email=email).save()
    EmailAddress.objects.create(user=a_user(), email=ADA)  # which they cannot verify
    for taken in ({"user": ada}, {"user": a_user(), "verified": True}):
        with pytest.raises(IntegrityError, match=r"one_row_per_user|unique_verified"), transaction.atomic():
            EmailAddress.objects.create(email=ADA, **taken)
    assert User.objects.filter(email=ADA).count() == 1


def test_a_text_is_not_written_where_nobody_can_read_it(ada: User) -> None:
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        User.objects.update(email="eve@example.org")
    ada.email = "eve@example.org"
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        User.objects.bulk_update([ada], ["email"])
    ada.save()
    assert User.objects.get(email="eve@example.org").pk == ada.pk
    assert not User.objects.filter(email=ADA).exists()


def test_an_address_moved_to_another_row_does_not_open(ada: User) -> None:
    """Whoever can write into the database has no mail about a password sent to themselves."""
    eve = a_user(email="eve@example.org")
    User.objects.filter(pk=ada.pk).update(email=Sealed(_stored(ada)[:32] + _stored(eve)[32:]))
    with pytest.raises(SealBroken):
        _ = User.objects.get(pk=ada.pk).email


def _stored(user: User) -> bytes:
    return bytes(execute("SELECT email FROM accounts_user WHERE id = %s", user.pk)[0][0])


def test_no_address_is_in_a_dump_whatever_its_owner_does(app: App, settings: LazySettings) -> None:
    """They sign up, confirm the address, add another, log in with a typing error, and forget their password."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    canaries = Canaries()
    first, second = (f"{canaries.new(place)}@example.org" for place in ("the first address", "the second"))
    app.post("auth/signup", email=first, password=PASSWORD)
    assert Session.objects.exists()
    app.post("auth/email/verify", key=key_in_mail("verify-email"))
    assert app.log_in(first).status_code == 200
    assert app.post("account/email", email=second).status_code == 200
    stranger = App(app.address)
    stranger.log_in(first, "wrong")
    stranger.post("auth/password/request", email=first)
    stranger.post("auth/signup", email=second, password=PASSWORD)
    told = {address for message in mail.outbox for address in message.to}
    assert {one.lower() for one in told} == {first.lower(), second.lower()}
    person = a_candidate(user=User.objects.get(email=first), name="Ada")
    assert person_named(first).candidates == (person.pk,)
    assert canaries.found_in(dump(opened=False)) == set()
    assert canaries.found_in(dump()) == {"the first address", "the second"}, "the search finds what there is"


def test_addresses_go_with_the_other_texts_under_a_new_key(settings: LazySettings) -> None:
    settings.FIELD_KEYS = [old := new_key()]
    a_person(ADA)
    settings.FIELD_KEYS = [new := new_key(), old]
    assert resealing.reseal() == resealing.Resealed(renewed=2)
    settings.FIELD_KEYS = [new]
    assert User.objects.get(email=ADA).email == EmailAddress.objects.get(email=ADA).email == ADA


def test_where_the_key_of_the_hashes_is_replaced_people_are_found_again(settings: LazySettings) -> None:
    a_person(ADA)
    settings.FIELD_INDEX_KEY = new_key()
    assert not User.objects.filter(email=ADA).exists()
    call_command("field_keys", "rotate", "--quiet", stdout=StringIO())
    assert not User.objects.filter(email=ADA).exists(), "nothing lies under a former key"
    call_command("field_keys", "rotate", "--all", "--quiet", stdout=StringIO())
    assert User.objects.get(emailaddress__email=ADA) == User.objects.get(email=ADA)


def test_a_session_opens_for_its_own_key_alone() -> None:
    store = SessionStore()
    store["account_email"] = ADA
    store.create()
    other = SessionStore()
    other.create()
    kept = Session.objects.get(pk=store.session_key).session_data
    Session.objects.filter(pk=other.session_key).update(session_data=kept)
    assert SessionStore(store.session_key)["account_email"] == ADA
    assert dict(SessionStore(other.session_key).items()) == {}
    assert SessionStore(store.session_key).decode("not sealed at all") == {}


def test_sessions_of_before_go_on() -> None:
    before = PlainStore()
    before["_auth_user_id"] = "7"
    before.create()
    assert SessionStore(before.session_key)["_auth_user_id"] == "7"


@pytest.mark.parametrize(
    ("table", "place", "row", "model"),
    [
        ("accounts_user", "accounts.user.email", "public_id", User),
        ("account_emailaddress", "account.emailaddress.email", "user_id", EmailAddress),
    ],
)
def test_what_was_plain_is_sealed(
    table: str, place: str, row: str, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "AT_ONCE", 2)
    addresses = [f"Person-{number}@example.org" for number in range(5)]
    for address in addresses:
        a_person(address.lower())
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"ALTER TABLE {table} ADD COLUMN email_plain varchar(254) NOT NULL DEFAULT ''")
    for made, address in zip(model.objects.order_by("pk"), addresses, strict=True):
        execute(
            f"UPDATE {table} SET email_plain = %s, email = %s WHERE id = %s", address, bytes([made.pk % 256]), made.pk
        )
    steps = migration.sealing(table=table, place=place, row=row)
    steps[2].code(None, SimpleNamespace(connection=connection))
    execute(steps[3].sql.replace("ALTER COLUMN email DROP DEFAULT, ", ""))
    assert [made.email for made in model.objects.order_by("pk")] == addresses
    assert model.objects.get(email=addresses[3].lower()).email == addresses[3]
