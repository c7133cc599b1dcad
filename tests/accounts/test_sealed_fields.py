"""Texts that are sealed at rest: what the database has of them, who opens them, and new keys."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import resealing
from accounts.core.seal import (
    CannotOpen,
    KeyMissing,
    SealBroken,
    blind,
    bound_to,
    new_key,
    read_key,
    ring_of,
    seal,
    unseal,
)
from accounts.field_keys import keyring
from accounts.models.sealed import SealedField
from marketplace.models import Candidate
from tests.marketplace.factories import a_candidate

OLD, NEW = new_key(), new_key()
RING = ring_of([read_key(NEW), read_key(OLD)])
HERE = bound_to("table.column", [1])
PHONE = "+49 30 1234567"


@given(st.text())
def test_what_is_sealed_opens_where_it_belongs(text: str) -> None:
    sealed = seal(text, RING, bound=HERE)
    assert unseal(sealed, RING, bound=HERE) == text
    assert (sealed == b"") is (text == "")
    if text:
        assert sealed != seal(text, RING, bound=HERE), "equal texts look different"
        for elsewhere in (bound_to("table.column", [2]), bound_to("table.other", [1])):
            with pytest.raises(SealBroken):
                unseal(sealed, RING, bound=elsewhere)


@pytest.mark.parametrize("text", ["short", "long " * 2_000])
def test_nothing_of_it_can_be_changed(text: str) -> None:
    sealed = seal(text, RING, bound=HERE)
    for at in {*range(40), len(sealed) - 1} & {*range(len(sealed))}:
        with pytest.raises(CannotOpen):
            unseal(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], RING, bound=HERE)
    for length in (1, 5, 16, 33, len(sealed) - 1):
        with pytest.raises(CannotOpen):
            unseal(sealed[:length], RING, bound=HERE)


def test_long_texts_take_less_room_than_before() -> None:
    assert len(seal("Welded frames of ships. " * 200, RING, bound=HERE)) < 500


def test_without_its_key_a_text_stays_closed() -> None:
    sealed = seal(PHONE, ring_of([read_key(OLD)]), bound=HERE)
    assert unseal(sealed, RING, bound=HERE) == PHONE
    with pytest.raises(KeyMissing):
        unseal(sealed, ring_of([read_key(NEW)]), bound=HERE)


def test_hashes_are_told_apart_by_key_kind_and_value() -> None:
    hashes = [
        blind(read_key(key), kind, values)
        for key in (OLD, NEW)
        for kind in ("phone", "email")
        for values in (["a", "b"], ["ab"], ["a"], ["a", "b", ""])
    ]
    assert len(set(hashes)) == len(hashes)
    assert blind(read_key(OLD), "phone", ["a"]) == blind(read_key(OLD), "phone", ["a"])


@pytest.mark.parametrize("keys", [[], ["short"], ["ü" * 44], [OLD, OLD], [OLD[:-4]]])
def test_keys_that_are_none_are_refused_and_not_quoted(settings: LazySettings, keys: list[str]) -> None:
    settings.FIELD_KEYS = keys
    with pytest.raises(ImproperlyConfigured) as refused:
        keyring()
    assert not any(key in str(refused.value) for key in keys)


# Rows


@pytest.fixture
def ada() -> Candidate:
    a_candidate(phone=PHONE, resume_text="Wrote the first program.", name="Ada")
    return Candidate.objects.get(name="Ada")


def stored(candidate: Candidate, column: str = "phone") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM marketplace_candidate WHERE id = %s", [candidate.pk])
        return bytes(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_row_reads_and_writes_it_as_text(ada: Candidate) -> None:
    assert (ada.phone, ada.resume_text, ada.linkedin) == (PHONE, "Wrote the first program.", "")
    before = stored(ada)
    ada.name = "Ada L."
    ada.save()
    assert stored(ada) == before, "what was not set is not sealed anew"
    ada.phone = "1"
    ada.save()
    assert (stored(ada) != before, Candidate.objects.get(pk=ada.pk).phone) == (True, "1")
    Candidate.objects.filter(pk=ada.pk).update(phone="")
    ada.refresh_from_db()
    assert (ada.phone, stored(ada)) == ("", b"")
    assert Candidate.objects.filter(phone="").exists()


@pytest.mark.django_db
def test_the_database_can_only_be_asked_whether_it_is_empty(ada: Candidate) -> None:
    questions: list[Any] = [
        {"phone": PHONE},
        {"phone__contains": "30"},
        {"phone__in": [PHONE]},
        {"resume_text__icontains": "program"},
    ]
    for asked in questions:
        with pytest.raises(TypeError, match="is sealed"):
            Candidate.objects.filter(**asked).exists()
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        Candidate.objects.update(phone=PHONE)
    ada.phone = "2"
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        Candidate.objects.bulk_update([ada], ["phone"])
    assert PHONE not in repr(list(Candidate.objects.values("phone")))


@pytest.mark.django_db
def test_somebody_else_s_does_not_open(ada: Candidate) -> None:
    other = a_candidate(phone="+49 40 7654321")
    Candidate.objects.filter(pk=other.pk).update(phone=ada.__dict__["phone"])
    with pytest.raises(SealBroken):
        _ = Candidate.objects.get(pk=other.pk).phone


# Keys


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "AT_ONCE", 2)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("field_keys", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def phones() -> list[str]:
    return [candidate.phone for candidate in Candidate.objects.order_by("pk")]


class Killed(BaseException):
    pass


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_keys_are_replaced_while_everything_opens_however_often_it_is_interrupted(settings: LazySettings) -> None:
    settings.FIELD_KEYS = [OLD]
    numbers = [f"+49 30 {number}" for number in range(7)]
    for number in numbers:
        a_candidate(phone=number, resume_text="I weld.")
    settings.FIELD_KEYS = [NEW, OLD]
    assert phones() == numbers

    def kill(table: str, rows: int) -> None:
        if table == "marketplace.Candidate":
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            resealing.reseal(tell=kill)
    assert f"{10} under {RING.keys[1].id.hex()}" not in told("status")
    in_use = resealing.keys_in_use()["marketplace.candidate.phone"]
    assert in_use == {RING.keys[0].id: 4, RING.keys[1].id: 3}
    assert phones() == numbers
    assert resealing.reseal() == resealing.Resealed(renewed=6)
    assert resealing.reseal() == resealing.Resealed()
    assert f"key {RING.keys[1].id.hex()} (former): 0 texts: nothing lies under it, it may be removed" in told("status")
    settings.FIELD_KEYS = [NEW]
    assert phones() == numbers


@pytest.mark.django_db
def test_what_somebody_changes_meanwhile_stays_as_they_leave_it(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_KEYS = [OLD]
    candidate = a_candidate(phone=PHONE, resume_text="I weld.")
    settings.FIELD_KEYS = [NEW, OLD]
    whole = SealedField.unpacked

    def while_somebody_writes(field: SealedField, sealed: bytes, *, bound: bytes) -> str:
        if field.name == "phone":
            monkeypatch.undo()
            mine = Candidate.objects.get(pk=candidate.pk)
            mine.phone = "+49 40 1"
            mine.save()
        return whole(field, sealed, bound=bound)

    monkeypatch.setattr(SealedField, "unpacked", while_somebody_writes)
    resealing.reseal()
    after = Candidate.objects.get(pk=candidate.pk)
    assert (after.phone, after.resume_text) == ("+49 40 1", "I weld.")
    assert set(resealing.keys_in_use()["marketplace.candidate.phone"]) == {RING.keys[0].id}


@pytest.mark.django_db
def test_what_no_key_opens_is_counted_and_holds_nothing_up(settings: LazySettings) -> None:
    settings.FIELD_KEYS = [lost := new_key()]
    a_candidate(phone="of a lost key")  # and their login's address
    settings.FIELD_KEYS = [OLD]
    a_candidate(phone=PHONE)
    settings.FIELD_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="2 texts stay closed"):
        told("rotate")
    lost_id = ring_of([read_key(lost)]).newest.id
    assert resealing.keys_in_use()["marketplace.candidate.phone"] == {RING.keys[0].id: 1, lost_id: 1}
    assert f"key {lost_id.hex()} (missing from FIELD_KEYS): 2 texts" in told("status")
    assert read_key(told("new").strip())
