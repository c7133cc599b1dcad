"""Organisations and who may act for them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from accounts.access import access_organisation, organisations_of
from accounts.actions.organisations import change_role, create_organisation, invite_member, remove_member
from accounts.core.actor import Actor
from accounts.errors import (
    InvalidInput,
    LastOwner,
    LoginRequired,
    MembershipExists,
    NotFound,
    NotPermitted,
    SlugTaken,
)
from accounts.models import Event, Membership, Organisation, User
from tests.config.graphql_client import Asker, global_id
from tests.marketplace import factories
from tests.marketplace.factories import an_organisation

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


def a_user(email: str) -> Actor:
    return Actor(user_id=User.objects.create_user(email).pk)


@pytest.fixture
def owner():
    return a_user("owner@example.com")


@pytest.fixture
def organisation(owner):
    return create_organisation(actor=owner, name="Weld & Sons", country="DE", now=NOW)


def test_founder_becomes_owner(organisation, owner):
    membership = organisation.memberships.get()
    assert (membership.user_id, membership.role) == (owner.user_id, "owner")
    assert organisation.slug == "weld-sons"


def test_second_organisation_of_a_name_gets_a_slug_of_its_own(organisation, owner):
    assert create_organisation(actor=owner, name="Weld & Sons", now=NOW).slug == "weld-sons-2"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "x" * 10_000_000}, "name"),
        ({"name": 7}, "name"),
        ({"name": "🙂"}, "slug"),
        ({"currency": "XXQ"}, "currency"),
        ({"currency": None}, "currency"),
        ({"country": "XX"}, "country"),
        ({"website": "javascript:alert(1)"}, "website"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(owner, fields, field):
    with pytest.raises(InvalidInput) as refused:
        create_organisation(**{"actor": owner, "name": "Fine", "now": NOW, **fields})
    assert refused.value.data["field"] == field
    assert not Organisation.objects.exists()
    assert not Event.objects.exists()


def test_taken_slug_is_refused(organisation, owner):
    with pytest.raises(SlugTaken):
        create_organisation(actor=owner, name="Other", slug="weld-sons", now=NOW)
    assert Organisation.objects.count() == 1


def test_stranger_without_login_cannot_found():
    with pytest.raises(LoginRequired):
        create_organisation(actor=Actor.anonymous(), name="Fine", now=NOW)


def test_only_owners_invite_members(organisation, owner):
    invite_member(actor=owner, organisation_id=organisation.public_id, email="R@Example.com", role="recruiter", now=NOW)
    recruiter = Actor(user_id=User.objects.get(email="r@example.com").pk)
    with pytest.raises(NotPermitted):
        invite_member(
            actor=recruiter, organisation_id=organisation.public_id, email="x@example.com", role="owner", now=NOW
        )
    with pytest.raises(NotFound):
        invite_member(
            actor=a_user("stranger@example.com"),
            organisation_id=organisation.public_id,
            email="x@example.com",
            role="owner",
            now=NOW,
        )
    assert Membership.objects.count() == 2
    assert not User.objects.get(email="r@example.com").has_usable_password()


def test_second_membership_of_a_person_is_refused(organisation, owner):
    with pytest.raises(MembershipExists):
        invite_member(
            actor=owner, organisation_id=organisation.public_id, email="owner@example.com", role="observer", now=NOW
        )


@pytest.mark.parametrize(("email", "role"), [("nonsense", "recruiter"), ("a@example.com", "king")])
def test_bad_invitation_is_refused(organisation, owner, email, role):
    with pytest.raises(InvalidInput):
        invite_member(actor=owner, organisation_id=organisation.public_id, email=email, role=role, now=NOW)
    assert Membership.objects.count() == 1


def test_last_owner_stays(organisation, owner):
    membership = organisation.memberships.get()
    with pytest.raises(LastOwner):
        change_role(actor=owner, membership_id=membership.public_id, role="observer", now=NOW)
    with pytest.raises(LastOwner):
        remove_member(actor=owner, membership_id=membership.public_id, now=NOW)


def test_absent_and_foreign_organisation_look_alike(organisation):
    stranger = a_user("stranger@example.com")
    with pytest.raises(NotFound) as foreign:
        access_organisation(stranger, organisation.public_id)
    with pytest.raises(NotFound) as absent:
        access_organisation(stranger, uuid4())
    assert foreign.value.message == absent.value.message


def test_observer_reads_and_does_not_manage(organisation, owner):
    invite_member(actor=owner, organisation_id=organisation.public_id, email="o@example.com", role="observer", now=NOW)
    observer = Actor(user_id=User.objects.get(email="o@example.com").pk)
    assert access_organisation(observer, organisation.public_id) == organisation
    with pytest.raises(NotPermitted):
        access_organisation(observer, organisation.public_id, to="manage")
    assert list(organisations_of(observer)) == [organisation]
    assert list(organisations_of(observer, "manage")) == []


def test_whoever_knows_an_address_is_not_told_whose_it_is() -> None:
    """Anybody may found an organisation, and make members of whose addresses they know."""
    curious, ada = an_organisation(), factories.a_user(email="ada@example.org", name="Ada Lovelace")
    owner, member = Asker(curious.user), Asker(ada)
    asked = {"organisationId": global_id(curious.organisation), "email": ada.email, "role": "RECRUITER"}
    made = owner.do("inviteMember", asked, "id joinedAt user { id email name }", thing="Membership")
    assert (made["joinedAt"], made["user"]["name"]) == (None, None)
    for query in (
        "query ($id: ID!) { node(id: $id) { ... on User { name } } }",
        "query ($of: ID!) { organisation(id: $of) { members { user { name } } } }",
    ):
        told = owner.ask(query, **({"id": made["user"]["id"]} if "$id" in query else {"of": asked["organisationId"]}))
        assert "Lovelace" not in str(told)
    assert member.ask("{ viewer { user { name } } }")["viewer"]["user"]["name"] == "Ada Lovelace"
    for other in (owner, Asker(factories.a_user())):
        refused = other.do("acceptMembership", {"membershipId": made["id"]}, "id", thing="Membership")
        assert refused["code"] == "NOT_FOUND"
    for _ in range(2):
        accepted = member.do("acceptMembership", {"membershipId": made["id"]}, "joinedAt", thing="Membership")
        assert accepted["joinedAt"] is not None
    assert "Lovelace" in str(owner.ask(query, of=asked["organisationId"]))
    assert Event.objects.filter(name="MembershipChanged").count() == 1


def test_names_of_many_members_take_no_more_statements() -> None:
    ours = an_organisation()
    asker, query = Asker(ours.user), "query ($of: ID!) { organisation(id: $of) { members { user { name } } } }"
    counts = []
    for more in (1, 5):
        for _ in range(more):
            factories.a_recruiter(ours)
        counts.append(asker.statements(query, of=global_id(ours.organisation)))
    assert counts[0] == counts[1]
