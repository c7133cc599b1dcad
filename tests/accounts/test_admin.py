"""Accounts at the console: users and their rights, members, deliveries that failed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions.events import append
from accounts.actions.organisations import create_organisation
from accounts.core.actor import Actor, ActorKind
from accounts.models import Delivery, Event, Membership, Organisation, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief() -> User:
    return User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase")


@pytest.fixture
def console(chief: User, client: Client) -> Client:
    client.force_login(chief)
    return client


def a_clerk(*rights: str) -> User:
    clerk = User.objects.create_user("clerk@muster.example", "s3cret-pass-phrase", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return clerk


def take(console: Client, model: str, pk: int, step: str, **fields: Any) -> Any:
    return console.post(reverse(f"admin:accounts_{model}_take_{step}", args=[pk]), {"_form_submitted": "on", **fields})


def test_a_user_is_made_with_a_password_and_a_lower_case_address(console: Client):
    answer = console.post(
        reverse("admin:accounts_user_add"),
        {"email": "Ann@Example.org", "name": "Ann", "usable_password": "true", "password1": "long-pass-phrase-1",
         "password2": "long-pass-phrase-1"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    ann = User.objects.get(email="ann@example.org")
    assert ann.check_password("long-pass-phrase-1")
    assert not ann.is_staff


def test_an_address_that_is_taken_is_refused_and_people_are_found_by_the_whole_of_it(console: Client, chief: User):
    ann = User.objects.create_user("ann@example.org", name="Ann")
    given = {"email": "Ann@Example.org", "name": "Another", "usable_password": "false"}
    answer = console.post(reverse("admin:accounts_user_add"), given)
    assert "There is a login with this address." in answer.content.decode()
    page = console.post(reverse("admin:accounts_user_change", args=[chief.pk]), {"email": ann.email, "name": "Chief"})
    assert "There is a login with this address." in page.content.decode()
    assert User.objects.count() == 2
    users, addresses = reverse("admin:accounts_user_changelist"), reverse("admin:account_emailaddress_changelist")
    link = reverse("admin:accounts_user_change", args=[ann.pk])
    for asked, found in (("ANN@example.org", True), ("Ann", True), ("ann@example", False), ("example.org", False)):
        assert (link in console.get(users, {"q": asked}).content.decode()) is found, asked
    assert console.get(addresses, {"q": "ann", "o": "1.-2"}).status_code == 200
    assert console.get(users, {"o": "1"}).status_code == 200


def test_a_password_is_changed_on_its_own_page(console: Client, chief: User):
    ann = User.objects.create_user("ann@example.org", "old-pass-phrase-1")
    page = reverse("admin:auth_user_password_change", args=[ann.pk])
    assert console.get(page).status_code == 200
    console.post(page, {"usable_password": "true", "password1": "new-pass-phrase-1", "password2": "new-pass-phrase-1"})
    ann.refresh_from_db()
    assert ann.check_password("new-pass-phrase-1")


def test_nobody_gives_themselves_rights_or_takes_over_a_superuser(client: Client, chief: User):
    clerk = a_clerk("view_user", "change_user")
    client.force_login(clerk)
    page = reverse("admin:accounts_user_change", args=[clerk.pk])
    client.post(page, {"email": clerk.email, "name": "Me", "is_superuser": "on", "is_staff": "on", "is_active": "on"})
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    assert client.post(reverse("admin:accounts_user_change", args=[chief.pk]), {"email": "x@y.z"}).status_code == 403
    page = reverse("admin:auth_user_password_change", args=[chief.pk])
    assert client.post(page, {"password1": "new-pass-phrase-1", "password2": "new-pass-phrase-1"}).status_code == 403


def test_a_member_is_invited_changed_and_removed_by_the_actions(console: Client, chief: User):
    owner = User.objects.create_user("owner@example.org")
    organisation = create_organisation(actor=Actor(user_id=owner.pk), name="Works", now=timezone.now())
    take(console, "organisation", organisation.pk, "invite_member", email="ann@example.org", role="observer")
    ann = Membership.objects.get(organisation=organisation, user__email="ann@example.org")
    take(console, "membership", ann.pk, "change_role", role="recruiter")
    ann.refresh_from_db()
    assert ann.role == "recruiter"
    take(console, "membership", ann.pk, "remove_member")
    assert not Membership.objects.filter(pk=ann.pk).exists()
    take(console, "membership", organisation.memberships.get().pk, "remove_member")  # the last owner
    assert organisation.memberships.count() == 1


def test_an_organisation_changed_at_the_console_says_so(console: Client):
    organisation = Organisation.objects.create(name="Works", slug="works")
    answer = console.post(
        reverse("admin:accounts_organisation_change", args=[organisation.pk]),
        {"name": "Mills", "slug": "works", "website": "", "country": "DE", "currency": "EUR", "suspended_at_0": "",
         "suspended_at_1": "", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    event = Event.objects.get()
    assert (event.name, event.payload) == ("OrganisationUpdated", {"changed": ["country", "name"]})
    assert event.actor_kind == "staff"


def test_a_failed_delivery_is_tried_again(console: Client):
    organisation = Organisation.objects.create(name="Works", slug="works")
    with transaction.atomic():
        event = append(
            organisation, "OrganisationUpdated", actor=Actor.system(), by=ActorKind.SYSTEM, now=timezone.now()
        )
    Delivery.objects.filter(event=event).delete()
    for consumer in ("one", "two", "three"):
        Delivery.objects.create(event=event, consumer=consumer, due_at=event.at, state="failed", attempts=8)
    first, *others = Delivery.objects.all()
    take(console, "delivery", first.pk, "retry")
    console.post(
        reverse("admin:accounts_delivery_changelist"),
        {"action": "take_retry_selected", "_selected_action": [one.pk for one in others]},
    )
    assert not Delivery.objects.exclude(state="pending", attempts=0).exists()
