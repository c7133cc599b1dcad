"""The schema as a document: committed, described, uniform."""

from __future__ import annotations

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    is_specified_directive,
    is_specified_scalar_type,
)
from strawberry.printer import print_schema

from accounts.api.nodes import KINDS
from accounts.errors import DomainError
from config.schema import schema

COMMITTED = Path(__file__).parents[2] / "config" / "schema.graphql"
SCHEMA = schema._schema
OURS = {
    name: type_
    for name, type_ in SCHEMA.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(type_)
}
WRITES = [
    "registerCandidate",
    "updateCandidate",
    "createOrganisation",
    "inviteMember",
    "acceptMembership",
    "draftOpportunity",
    "updateOpportunity",
    "setEligibilityRule",
    "waiveEligibility",
    "publishOpportunity",
    "pauseOpportunity",
    "resumeOpportunity",
    "closeOpportunity",
    "reopenOpportunity",
    "changeSeats",
    "inviteCandidate",
    "acceptInvitation",
    "declineInvitation",
    "apply",
    "withdrawApplication",
    "moveApplication",
    "rejectApplication",
    "rejectApplications",
    "reconsiderApplication",
    "sendOffer",
    "prolongOffer",
    "withdrawOffer",
    "acceptOffer",
    "declineOffer",
    "planAllocation",
    "pinProposal",
    "excludeProposal",
    "commitAllocation",
    "discardAllocation",
    "startPlacement",
    "pausePlacement",
    "resumePlacement",
    "completePlacement",
    "endPlacement",
    "cancelPlacement",
    "reportNoShow",
    "markNotificationsRead",
    "saveSearch",
    "updateSavedSearch",
    "deleteSavedSearch",
]
READS = [
    "viewer",
    "node",
    "opportunities",
    "opportunity",
    "candidates",
    "skills",
    "eligibility",
    "eligibilityPreview",
    "matches",
    "recommendations",
    "invitations",
    "applications",
    "offers",
    "placements",
    "allocationRun",
    "allocationRuns",
    "notifications",
    "organisation",
    "savedSearches",
]


def test_the_committed_schema_is_the_one_served() -> None:
    assert COMMITTED.read_text().strip() == print_schema(schema).strip(), "run `make schema` and look at the difference"


def test_everything_is_described() -> None:
    bare = [name for name, type_ in OURS.items() if not type_.description]
    for name, type_ in OURS.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                bare += [f"{name}.{field_name}"] if not field.description else []
                bare += [f"{name}.{field_name}({key})" for key, arg in field.args.items() if not arg.description]
        elif isinstance(type_, GraphQLInputObjectType):
            bare += [f"{name}.{key}" for key, field in type_.fields.items() if not field.description]
        elif isinstance(type_, GraphQLEnumType):
            bare += [f"{name}.{key}" for key, value in type_.values.items() if not value.description]
    bare += [f"@{one.name}" for one in SCHEMA.directives if not is_specified_directive(one) and not one.description]
    assert bare == []


def test_the_frontends_names_are_there() -> None:
    assert SCHEMA.query_type is not None and SCHEMA.mutation_type is not None
    assert set(READS) <= set(SCHEMA.query_type.fields)
    assert set(WRITES) <= set(SCHEMA.mutation_type.fields)


def test_every_mutation_takes_one_keyed_input_and_answers_the_thing_or_its_refusal() -> None:
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        pascal = name[0].upper() + name[1:]
        [(argument, given)] = field.args.items()
        assert argument == "input"
        assert str(given.type) == f"{pascal}Input!"
        assert "idempotencyKey" in given.type.of_type.fields
        union = field.type.of_type
        assert isinstance(union, GraphQLUnionType)
        assert union.name == f"{pascal}Payload"
        thing, refused = union.types
        assert refused.name == f"{pascal}Refused"
        assert [interface.name for interface in refused.interfaces] == ["Refusal"]
        assert "Refusal" not in [interface.name for interface in thing.interfaces]


def test_every_refusal_has_a_code() -> None:
    enum = SCHEMA.type_map["RefusalCode"]
    assert isinstance(enum, GraphQLEnumType)
    assert set(enum.values) == set(DomainError.registry)


def test_every_node_can_be_resolved() -> None:
    possible = {type_.name for type_ in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])}
    assert possible == set(KINDS)


def test_connections_are_relays() -> None:
    for name, type_ in OURS.items():
        if isinstance(type_, GraphQLObjectType) and "pageInfo" in type_.fields:
            assert {"edges", "nodes", "pageInfo", "totalCount"} <= set(type_.fields), name
            for owner in OURS.values():
                for field in getattr(owner, "fields", {}).values():
                    if getattr(field.type, "of_type", None) is type_:
                        paged = {"first"} if owner.name == "Subscription" else {"first", "after"}  # follows page one
                        assert paged <= set(field.args)
