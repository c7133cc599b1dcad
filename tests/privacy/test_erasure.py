"""After an erasure no text of the person is anywhere: a canary in each, and a search of everything there is."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.actions.audit import seal_all
from accounts.actions.organisations import invite_member
from accounts.core.actor import Actor
from accounts.errors import DomainError, LastOwner
from accounts.login.sessions import SessionStore
from accounts.models import AuditEntry, Event, IdempotencyRecord, Transition, User
from accounts.privacy import everything_held
from accounts.queries.audit import verify_chain
from marketplace.actions.applications import apply
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.persons import erase
from marketplace.core.money import Pay
from marketplace.errors import PersonAtWork, PersonErased
from marketplace.models import Application, Candidate, Invitation, Offer
from marketplace.queries.audit import audit
from marketplace.queries.persons import held_on, person_named, person_of
from matching.models import CopyMark
from tests.config.graphql_client import Asker
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_user,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
)
from tests.privacy.canaries import Canaries, dump, everything

pytestmark = pytest.mark.django_db
DELIVERIES = "all deliveries are done"
SYSTEM = Actor.system()
PAY = Pay(25, "EUR", "hour")  # type: ignore[arg-type]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def test_nothing_of_somebody_who_was_erased_is_found_in_a_dump(
    canaries: Canaries, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    person = everything(canaries)
    empty = [held.name for held in everything_held() if not held.of(person).exists()]
    assert empty == [], "the search proves nothing of these"
    address = User.objects.get(pk=person.users[0]).email
    mail.EmailMessage("You have an offer", "Hello", to=[address]).send()
    told = canaries.new("an answer to a recruiter")
    Candidate.objects.filter(pk=person.candidates[0]).update(name=told)
    answer = {"data": json.dumps({"moveApplication": {"candidate": {"name": told}}})}
    others = {"data": json.dumps({"moveApplication": {"candidate": {"name": "Somebody else"}}})}
    for key, response in (("theirs", answer), ("others", others)):
        IdempotencyRecord.objects.create(
            principal="999", key=key, operation="moveApplication", fingerprint="x", response=json.dumps(response),
            leased_until=NOW, created_at=NOW + 2 * DAY,
        )  # fmt: skip
    seal_all(NOW)
    before = dump() + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert canaries.found_in(before) >= {"title", "an answer to a recruiter", "matching.SavedSearch.query"}
    figures = _figures()
    caplog.clear()

    erase(person, actor=Actor.system(), now=NOW + 2 * DAY)

    after = dump() + b"".join(path.read_bytes() for path in tmp_path.iterdir()) + caplog.text.encode()
    assert canaries.found_in(after) == set()
    document = {"stage": "index", "subject_type": "candidate", "subject_id": person.candidates[0], "urgent": True}
    assert CopyMark.objects.filter(**document).exists()
    assert person_of(candidate_id=person.candidates[0]) == person
    assert _figures() == figures
    assert [one.promise for one in audit().violations if one.promise != DELIVERIES] == []
    seal_all(NOW)
    assert verify_chain().broken is None
    assert AuditEntry.objects.filter(kind="PersonErased", subject_id=person.users[0]).count() == 1
    kept = json.loads(IdempotencyRecord.objects.get(key="theirs").response)
    assert kept["errors"][0]["extensions"]["code"] == "ANSWER_ERASED"
    assert json.loads(IdempotencyRecord.objects.get(key="others").response) == others


def _figures() -> dict[str, int]:
    found = audit().figures
    return {name: found[name] for name in ("accepted_offers", "placements", "filled_seats", "spent_seats")} | {
        "paid": sum(apps.get_model("marketplace.PlacementTerms").objects.values_list("weekly_hours", flat=True))
    }


def an_offer(candidate: Candidate, **said: Any) -> Offer:
    owner = an_organisation()
    application = an_application(a_published_opportunity(owner), candidate)
    return send_offer(actor=owner.actor, application_id=application.public_id, pay=PAY, now=NOW, **said)


def test_somebody_who_is_at_work_is_not_erased_and_nothing_changes() -> None:
    candidate = a_candidate(name="Ada Lovelace")
    offer = an_offer(candidate)
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
    waiting = an_application(a_published_opportunity(), candidate)
    with pytest.raises(PersonAtWork) as refusal:
        erase(person_of(candidate_id=candidate.pk), actor=SYSTEM, now=NOW)
    assert refusal.value.data["placements"] == [offer.placement.reference]
    assert Candidate.objects.get(pk=candidate.pk).name == "Ada Lovelace"
    assert Application.objects.get(pk=waiting.pk).status == "active"


def test_what_is_open_comes_to_its_end() -> None:
    candidate = a_candidate()
    offer = an_offer(candidate, message="We would like to have you")
    application = an_application(a_published_opportunity(), candidate)
    invitation = an_invitation(a_published_opportunity(), candidate)
    erase(person_of(candidate_id=candidate.pk), actor=SYSTEM, now=NOW)
    offer.refresh_from_db()
    assert (offer.state, offer.message, offer.seat_id) == ("declined", "", None)
    assert {one.status for one in Application.objects.all()} == {"withdrawn"}
    assert Invitation.objects.get(pk=invitation.pk).state == "withdrawn"
    assert Transition.objects.filter(subject_type="application", subject_id=application.pk).exists()
    assert [one.promise for one in audit().violations if one.promise != DELIVERIES] == []


def test_there_is_nothing_to_erase_a_second_time() -> None:
    person = person_of(candidate_id=a_candidate().pk)
    erase(person, actor=SYSTEM, now=NOW)
    with pytest.raises(PersonErased):
        erase(person, actor=SYSTEM, now=NOW)
    assert AuditEntry.objects.filter(kind="PersonErased").count() == 1


def test_what_was_written_of_somebody_since_is_erased_again() -> None:
    candidate = a_candidate()
    application = an_application(candidate=candidate)
    person = person_of(candidate_id=candidate.pk)
    erase(person, actor=SYSTEM, now=NOW)
    Application.objects.filter(pk=application.pk).update(rejection_note="I knew her well")
    call_command("person", "erase", str(candidate.public_id), "--yes", "--again", stdout=io.StringIO())
    assert Application.objects.get(pk=application.pk).rejection_note == ""


def test_who_is_called_erased_is_not_taken_for_it() -> None:
    candidate = a_candidate(name="Erased Smith", user=a_user(email="a@erased.invalid"))
    erase(person_of(candidate_id=candidate.pk), actor=SYSTEM, now=NOW)
    assert Candidate.objects.get(pk=candidate.pk).name != "Erased Smith"


def test_a_login_that_has_only_begun_is_forgotten_and_nobody_elses() -> None:
    user = a_user(email="ada@example.org")
    stores = [SessionStore(), SessionStore(), SessionStore(), SessionStore()]
    held = [
        {"account_login": {"user_pk": user_pk_to_url_str(user)}},
        {"account_email": "ada@example.org"},
        {"account_email": "canada@example.org"},
        {"_auth_user_id": "99999"},
    ]
    for store, data in zip(stores, held, strict=True):
        store.update(data)
        store.create()
    erase(person_of(user_id=user.pk), actor=SYSTEM, now=NOW)
    assert [store.exists(store.session_key) for store in stores] == [False, False, True, True]


def test_those_who_were_found_to_be_the_same_are_erased_together() -> None:
    kept, merged, neighbour = a_candidate(), a_candidate(), a_candidate(name="Somebody else")
    chained = Candidate.objects.create(name="As imported", email="ada@example.org", created_at=NOW)
    Candidate.objects.filter(pk=merged.pk).update(merged_into=kept)
    Candidate.objects.filter(pk=chained.pk).update(merged_into=merged)
    person = person_of(candidate_id=chained.pk)
    assert set(person.candidates) == {kept.pk, merged.pk, chained.pk}
    assert set(person.users) == {kept.user_id, merged.user_id}
    erase(person, actor=SYSTEM, now=NOW)
    assert User.objects.active().filter(pk__in=person.users).count() == 0
    assert set(Candidate.objects.exclude(name__startswith="Erased ").values_list("pk", flat=True)) == {neighbour.pk}


def test_who_alone_owns_an_organisation_of_others_hands_it_over_first() -> None:
    owner = an_organisation()
    invited = a_user()
    args = {"organisation_id": owner.organisation.public_id, "email": invited.email, "role": "recruiter"}
    invite_member(actor=owner.actor, now=NOW, **args)
    with pytest.raises(LastOwner):
        erase(person_of(user_id=owner.user.pk), actor=SYSTEM, now=NOW)
    erase(person_of(user_id=invited.pk), actor=SYSTEM, now=NOW)
    erase(person_of(user_id=owner.user.pk), actor=SYSTEM, now=NOW)


def test_an_export_has_every_text_and_no_secret_and_people_are_not_shown_what_is_inside() -> None:
    canaries = Canaries()
    person = everything(canaries)
    all_of_it, own = (held_on(person, NOW, inside=inside) for inside in (True, False))
    exported = [held for held in everything_held() if held.exported]
    assert set(all_of_it["held"]) == {held.name for held in exported}
    assert set(own["held"]) == {held.name for held in exported if not held.is_inside}
    about = {held.table._meta.label: held for held in exported if not held.is_acted}
    for canary, place in canaries.planted.items():
        label, _, column = place.rpartition(".")
        if label in about and label != "admin.LogEntry":
            held = about[label]
            is_inside = held.is_inside or column in held.inside
            assert _holds(all_of_it, canary) is (column not in held.secret), place
            assert _holds(own, canary) is (column not in held.secret and not is_inside), place
    assert not _holds(all_of_it, User.objects.get(pk=person.users[0]).password)


def _holds(told: Any, canary: str) -> bool:
    text = json.dumps(told, ensure_ascii=False)
    return any(form in text for form in (canary, canary.lower(), canary.encode().hex()))


ERASE = """mutation ($input: EraseMeInput!) { eraseMe(input: $input) {
    __typename ... on PersonErasure { erasedAt } ... on EraseMeRefused { code field } } }"""
EXPORT = "mutation { exportMyData(input: {}) { __typename ... on PersonalData { document } } }"


def test_people_export_and_erase_themselves_and_are_nobody_afterwards() -> None:
    user = a_user(email="ada@example.org", name="Ada Lovelace")
    user.set_password("a-long-pass-phrase-1")
    user.save()
    candidate = a_candidate(user=user, headline="Engines")
    asker = Asker(user)
    told = asker.ask(EXPORT)["exportMyData"]["document"]
    assert told["held"]["marketplace.Candidate"][0]["headline"] == "Engines"
    assert AuditEntry.objects.get(kind="PersonExported").actor_id == user.pk
    wrong = asker.ask(ERASE, input={"email": "eve@example.org"})["eraseMe"]
    assert (wrong["code"], wrong["field"]) == ("INVALID_INPUT", "email")
    done = asker.ask(ERASE, input={"email": "Ada@example.org", "idempotencyKey": "once"})["eraseMe"]
    assert done["__typename"] == "PersonErasure"
    assert asker.ask("{ viewer { user { email } } }") == {"viewer": {"user": None}}
    user.refresh_from_db()
    assert (user.is_active, user.name, user.has_usable_password()) == (False, "", False)
    assert user.email.endswith("@erased.invalid")
    assert Candidate.objects.get(pk=candidate.pk).headline == ""
    assert b"ada@example.org" not in dump()


def test_staff_export_and_erase_by_the_console(client: Client) -> None:
    candidate = a_candidate(name="Ada Lovelace")
    client.force_login(a_user(is_staff=True, is_superuser=True))
    page = f"/admin/marketplace/candidate/{candidate.pk}/"
    exported = client.get(f"{page}export/")
    assert exported.json()["held"]["marketplace.Candidate"][0]["name"] == "Ada Lovelace"
    assert "attachment" in exported["Content-Disposition"]
    assert client.get(f"{page}change/").status_code == 200
    client.post(reverse("admin:marketplace_candidate_take_erase", args=[candidate.pk]), {"_form_submitted": "on"})
    assert Candidate.objects.get(pk=candidate.pk).name.startswith("Erased ")
    client.force_login(a_user(is_staff=True))
    assert client.get(f"{page}export/").status_code in (302, 403, 404)


def test_the_command_finds_people_by_address_and_by_id() -> None:
    candidate = a_candidate(user=a_user(email="ada@example.org"))
    imported = Candidate.objects.create(name="Bob", email="bob@example.org", created_at=NOW)
    assert person_named("BOB@example.org").candidates == (imported.pk,)
    assert person_named(str(candidate.public_id)) == person_named("ada@example.org")
    out = io.StringIO()
    call_command("person", "export", "ada@example.org", stdout=out)
    assert "marketplace.Candidate" in json.loads(out.getvalue())["held"]
    call_command("person", "erase", "ada@example.org", "--yes", stdout=out)
    for gone in ("ada@example.org", "nobody"):
        with pytest.raises(CommandError, match="no such person"):
            call_command("person", "erase", gone, "--yes")


def test_a_person_who_has_been_erased_is_not_found_by_anything() -> None:
    candidate = a_candidate()
    erase(person_of(candidate_id=candidate.pk), actor=SYSTEM, now=NOW + DAY)
    assert not Candidate.objects.present().exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_erase_somebody_at_once_one_does_and_applying_meanwhile_leaves_nothing_open() -> None:
    candidate, opportunity = a_candidate(), a_published_opportunity()
    person, actor = person_of(candidate_id=candidate.pk), actor_of(candidate)
    ready, outcomes = threading.Barrier(3), []

    def at_once(do: Callable[[], Any]) -> None:
        ready.wait()
        try:
            do()
            outcomes.append("done")
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    def erasing() -> None:
        erase(person, actor=SYSTEM, now=NOW)

    def applying() -> None:
        apply(actor=actor, opportunity_id=opportunity.public_id, now=NOW)

    threads = [threading.Thread(target=at_once, args=[do]) for do in (erasing, erasing, applying)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("PERSON_ERASED") == 1 and len(outcomes) == 3
    assert Event.objects.filter(name="PersonErased").count() == 1
    assert not Application.objects.filter(status="active").exists()
