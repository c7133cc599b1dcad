"""Service tokens: programs of an organisation, within their scopes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from accounts.access import require_scope
from accounts.actions.organisations import change_role, create_organisation, invite_member, remove_member
from accounts.actions.service_tokens import MOST, create_service_token, revoke_service_token
from accounts.api.context import Context
from accounts.api.nodes import global_id
from accounts.core.actor import Actor
from accounts.core.scopes import Scope
from accounts.errors import InvalidInput, NotFound, NotPermitted, ScopeMissing, ServiceTokenEnded, TooManyServiceTokens
from accounts.models import Event, IdempotencyRecord, Membership, Organisation, ServiceToken, User
from config.schema import schema
from tests.accounts.login.conftest import App, a_person

NOW = timezone.now()
CREATE = """mutation ($input: CreateServiceTokenInput!) { createServiceToken(input: $input) {
    ... on CreatedServiceToken { secret serviceToken { id name hint scopes lastUsedAt user { isService } } }
    ... on Refusal { code field data } } }"""
REVOKE = """mutation ($input: RevokeServiceTokenInput!) { revokeServiceToken(input: $input) {
    ... on ServiceToken { revokedAt } ... on Refusal { code } } }"""
DRAFT = """mutation ($input: DraftOpportunityInput!) { draftOpportunity(input: $input) {
    __typename ... on Refusal { code data } } }"""
LISTED = "query ($id: ID!) { organisation(id: $id) { serviceTokens { name hint lastUsedAt createdBy { email } } } }"

ALLOWED = {
    Scope.OPPORTUNITIES: {
        "draftOpportunity", "updateOpportunity", "setEligibilityRule", "waiveEligibility", "publishOpportunity",
        "pauseOpportunity", "resumeOpportunity", "closeOpportunity", "reopenOpportunity", "changeSeats",
    },
    Scope.APPLICATIONS: {
        "inviteCandidate", "moveApplication", "rejectApplication", "rejectApplications", "reconsiderApplication",
    },
    Scope.OFFERS: {"sendOffer", "prolongOffer", "withdrawOffer"},
    Scope.PLACEMENTS: {
        "startPlacement", "pausePlacement", "resumePlacement", "completePlacement", "endPlacement", "cancelPlacement",
        "reportNoShow",
    },
    Scope.ALLOCATION: {
        "planAllocation", "pinProposal", "excludeProposal", "commitAllocation", "discardAllocation", "setBackfill",
        "sendOpenCall", "routeCandidate",
    },
}  # fmt: skip


@pytest.fixture
def works(ann: User) -> Organisation:
    return create_organisation(actor=Actor(user_id=ann.pk), name="Works", now=NOW)


def secret_of(works: Organisation, *scopes: Scope, name: str = "sync", **fields: Any) -> str:
    owner = Membership.objects.filter(organisation=works, role="owner").earliest("pk").user_id
    return create_service_token(
        actor=Actor(user_id=owner), organisation_id=works.public_id, name=name, scopes=scopes, now=NOW, **fields
    )[1]


@pytest.fixture
def owner(app: App, ann: User) -> App:
    app.log_in(ann.email)
    return app


def asked(app: App, query: str, token: str | None = None, **variables: Any) -> Any:
    status, answer = app.graphql(query, token, **variables)
    assert status == 200 and "errors" not in answer, answer
    return answer["data"]


# --- making, listing, revoking


def test_an_owner_makes_one_whose_secret_is_shown_once_and_stored_as_a_hash(owner: App, works: Organisation) -> None:
    input = {"organisationId": global_id(works), "name": "Payroll", "scopes": ["OPPORTUNITIES"]}
    made = asked(owner, CREATE, input=input)["createServiceToken"]
    secret, shown = made["secret"], made["serviceToken"]
    assert shown["scopes"] == ["OPPORTUNITIES"] and shown["user"] == {"isService": True}
    assert secret.startswith(shown["hint"]) and len(secret) > 40
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM accounts_servicetoken t")
        assert secret not in cursor.fetchone()[0]
    assert secret not in str(list(Event.objects.values()))
    [listed] = asked(owner, LISTED, id=global_id(works))["organisation"]["serviceTokens"]
    assert listed == {
        "name": "Payroll", "hint": shown["hint"], "lastUsedAt": None, "createdBy": {"email": "ann@example.org"},
    }  # fmt: skip
    assert asked(owner, "{ viewer { user { name } } }", secret)["viewer"]["user"]["name"] == "Payroll"
    assert asked(owner, LISTED, id=global_id(works))["organisation"]["serviceTokens"][0]["lastUsedAt"]
    assert asked(owner, CREATE, input=input)["createServiceToken"]["code"] == "SERVICE_TOKEN_EXISTS"


def test_a_secret_is_not_kept_under_an_idempotency_key(owner: App, works: Organisation) -> None:
    input = {"organisationId": global_id(works), "name": "Payroll", "scopes": [], "idempotencyKey": "one"}
    assert asked(owner, CREATE, input=input)["createServiceToken"]["code"] == "SECRET_IS_SHOWN_ONCE"
    assert not ServiceToken.objects.exists()
    assert "muster_" not in str(list(IdempotencyRecord.objects.values("response")))


def test_a_revoked_one_opens_nothing_at_once(owner: App, works: Organisation) -> None:
    secret = secret_of(works, Scope.OFFERS)
    assert owner.graphql(token=secret)[0] == 200
    id = global_id(ServiceToken.objects.get())
    assert asked(owner, REVOKE, input={"id": id})["revokeServiceToken"]["revokedAt"]
    assert owner.graphql(token=secret)[0] == 401
    assert asked(owner, REVOKE, input={"id": id})["revokeServiceToken"]["code"] == "SERVICE_TOKEN_ENDED"
    assert not User.objects.get(is_service=True).is_active
    assert secret_of(works, name="sync")  # the name is free again
    assert list(Event.objects.filter(name__startswith="ServiceToken").values_list("name", flat=True)) == [
        "ServiceTokenCreated", "ServiceTokenRevoked", "ServiceTokenCreated",
    ]  # fmt: skip


def test_an_expired_one_of_a_suspended_or_deleted_organisation_opens_nothing(app: App, works: Organisation) -> None:
    secret = secret_of(works)
    for break_, mend in (
        (lambda: ServiceToken.objects.update(expires_at=timezone.now()), {"expires_at": NOW + timedelta(days=9)}),
        (lambda: Organisation.objects.update(suspended_at=NOW), None),
    ):
        assert app.graphql(token=secret)[0] == 200
        break_()
        assert app.graphql(token=secret)[0] == 401
        if mend:
            ServiceToken.objects.update(**mend)
        else:
            Organisation.objects.update(suspended_at=None)
    Organisation.objects.all().delete()
    assert app.graphql(token=secret)[0] == 401


@pytest.mark.parametrize("token", ["muster_", "muster_x", "muster_" + "é" * 43, "muster_" + "x" * 5_000])
def test_a_made_up_secret_is_refused(app: App, token: str) -> None:
    import httpx

    headers = {"Authorization": f"Bearer {token}".encode()}
    assert (
        httpx.post(
            verify=False, url=f"{app.address}/graphql", json={"query": "{ __typename }"}, headers=headers
        ).status_code
        == 401
    )


def test_only_owners_make_list_and_revoke(works: Organisation, ann: User) -> None:
    secret_of(works)
    token = ServiceToken.objects.get()
    invite_member(
        actor=Actor(user_id=ann.pk), organisation_id=works.public_id, email="r@example.org", role="recruiter", now=NOW
    )
    recruiter = Actor(user_id=User.objects.get(email="r@example.org").pk)
    stranger = Actor(user_id=a_person("stranger@example.org").pk)
    for actor, refusal in ((recruiter, NotPermitted), (stranger, NotFound)):
        with pytest.raises(refusal):
            create_service_token(actor=actor, organisation_id=works.public_id, name="x", scopes=[], now=NOW)
        with pytest.raises(NotFound):  # other members do not get to see them either
            revoke_service_token(actor=actor, token_id=token.public_id, now=NOW)
    assert ServiceToken.objects.live(NOW).count() == 1
    with pytest.raises(ServiceTokenEnded):
        for _ in range(2):
            revoke_service_token(actor=Actor(user_id=ann.pk), token_id=token.public_id, now=NOW)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=400)}, "expires_at"),
    ],
)
def test_what_makes_no_sense_is_refused(works: Organisation, ann: User, fields: dict[str, Any], field: str) -> None:
    given = {"name": "sync", "scopes": [], **fields}
    with pytest.raises(InvalidInput) as refused:
        create_service_token(actor=Actor(user_id=ann.pk), organisation_id=works.public_id, now=NOW, **given)
    assert refused.value.data["field"] == field
    assert not User.objects.filter(is_service=True).exists()


def test_an_organisation_has_so_many_at_most(works: Organisation) -> None:
    for number in range(MOST):
        secret_of(works, name=f"sync {number}")
    with pytest.raises(TooManyServiceTokens):
        secret_of(works)


# --- acting


def test_it_acts_for_its_organisation_and_for_no_other(app: App, works: Organisation) -> None:
    other = create_organisation(actor=Actor(user_id=a_person("bob@example.org").pk), name="Mills", now=NOW)
    secret = secret_of(works, Scope.OPPORTUNITIES)
    draft = asked(app, DRAFT, secret, input={"organisationId": global_id(works), "title": "Welder"})
    assert draft["draftOpportunity"]["__typename"] == "Opportunity"
    assert Event.objects.get(name="OpportunityDrafted").actor == User.objects.get(is_service=True)
    foreign = asked(app, DRAFT, secret, input={"organisationId": global_id(other), "title": "Welder"})
    assert foreign["draftOpportunity"]["code"] == "NOT_FOUND"
    assert asked(app, "query ($id: ID!) { organisation(id: $id) { name } }", secret, id=global_id(other)) == {
        "organisation": None
    }
    names = asked(app, "{ organisations { nodes { name serviceTokens { name } } } }", secret)
    assert names["organisations"]["nodes"] == [{"name": "Works", "serviceTokens": None}]


def test_a_missing_scope_is_refused_by_name_and_nothing_changes(app: App, works: Organisation) -> None:
    secret = secret_of(works, Scope.OFFERS)
    refused = asked(app, DRAFT, secret, input={"organisationId": global_id(works), "title": "Welder"})
    assert refused["draftOpportunity"] == {
        "__typename": "DraftOpportunityRefused", "code": "SCOPE_MISSING", "data": {"scope": "opportunities"},
    }  # fmt: skip
    assert not Event.objects.filter(name="OpportunityDrafted").exists()


@pytest.mark.parametrize("scope", [None, *Scope])
def test_every_mutation_has_its_scope_or_is_for_people(works: Organisation, scope: Scope | None) -> None:
    secret_of(works, *([scope] if scope else []))
    user = User.objects.get(is_service=True)
    actor = Actor(user_id=user.pk, scopes=frozenset({scope} if scope else ()))
    open_to_it = set()
    mutation = schema._schema.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        context = Context(request=RequestFactory().post("/graphql"), actor=actor, user=user, now=NOW)
        document = (
            f"mutation ($input: {field.args['input'].type}) {{ {name}(input: $input) {{ ... on Refusal {{ code }} }} }}"
        )
        with transaction.atomic():
            answer = schema.execute_sync(document, {"input": filled(field.args["input"].type)}, context)
            transaction.set_rollback(True)
        if answer.errors or (answer.data or {})[name] != {"code": "SCOPE_MISSING"}:
            open_to_it.add(name)
    assert open_to_it == (ALLOWED[scope] if scope else set())


def filled(type_: Any) -> Any:
    """The least that an input takes."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        return []
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        needed = {n: f for n, f in type_.fields.items() if isinstance(f.type, GraphQLNonNull)}
        return {name: filled(field.type) for name, field in needed.items()}
    return {
        "Int": 1, "Float": 1.0, "Boolean": True, "Decimal": "1", "Date": "2027-03-01", "JSON": {}, "BigInt": 1,
        "DateTime": "2027-03-01T09:00:00+00:00",
    }.get(type_.name, "x")  # fmt: skip


def test_people_pass_the_door_of_scopes() -> None:
    for scope in (None, *Scope):
        require_scope(Actor(user_id=1), scope)
        with pytest.raises(ScopeMissing):
            require_scope(Actor(user_id=1, scopes=frozenset()), scope)


# --- its user


def test_nobody_logs_in_as_it_and_it_is_written_no_mail(app: App, works: Organisation, mailoutbox: list[Any]) -> None:
    secret_of(works, Scope.OFFERS)
    user = User.objects.get(is_service=True)
    assert app.log_in(user.email, "").status_code == 400
    assert app.log_in(user.email, "!").status_code == 400
    assert user not in User.objects.people()
    assert app.get("auth/session", Authorization="Bearer " + secret_of(works, name="other")).status_code == 401


def test_its_membership_is_not_changed_by_hand(works: Organisation, ann: User) -> None:
    secret_of(works)
    membership = Membership.objects.get(user__is_service=True)
    owner = Actor(user_id=ann.pk)
    for change in (
        lambda: change_role(actor=owner, membership_id=membership.public_id, role="owner", now=NOW),
        lambda: remove_member(actor=owner, membership_id=membership.public_id, now=NOW),
        lambda: invite_member(
            actor=owner, organisation_id=works.public_id, email=membership.user.email, role="owner", now=NOW
        ),
    ):
        with pytest.raises(InvalidInput):
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(is_service=True).update(is_staff=True)


def test_listing_takes_as_many_statements_for_six_as_for_one(owner: App, works: Organisation, ann: User) -> None:
    query = "{ organisations { nodes { serviceTokens { name createdBy { email } user { name } } } } }"
    counts = []
    for number in range(6):
        secret_of(works, name=f"sync {number}")
        if number in (0, 5):
            with CaptureQueriesContext(connection) as captured:
                asked(owner, query)
            counts.append(len(captured))
    assert counts[0] == counts[1]
