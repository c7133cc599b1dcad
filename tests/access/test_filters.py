"""Filters and orders are no way to what may not be read: whatever hidden values are, the same is found in the same
order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type

from accounts.core.actor import Actor
from accounts.models import User
from marketplace.actions.candidates import CandidateFields, ExperienceInput, update_candidate
from marketplace.actions.groups import add_to_group, create_group
from marketplace.actions.opportunities import OpportunityFields, update_opportunity
from marketplace.actions.terms import SkillTermInput
from marketplace.actions.vetting import record_vetting
from marketplace.models import Candidate
from matching.core.attributes import ATTRIBUTES
from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from tests.access.asking import SCHEMA
from tests.access.matrix import matrix
from tests.access.world import World
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import actor_of
from tests.matching.staging import copy, work

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

Asking = Callable[[str], Asker]
FILTERS: dict[str, dict[str, str]] = matrix().raw["filters"]
SECRETS = ("Zaphod", "Trillian", "zaphod@example.org", "4711", "4712", "Sons", "Daughters", "built", "flew", "weaving")
"""Of the hidden values before and after."""

PEOPLE = """query ($filter: CandidateFilter, $search: String, $orderBy: CandidateOrder, $fitFor: ID) {
    candidates(filter: $filter, search: $search, orderBy: $orderBy, fitFor: $fitFor, first: 100) {
        totalCount edges { cursor node { id } snippets { field parts { text marked } } }
        facets { commitments { value count } countries { value count } skills { skill { id } count } } } }"""
WORK = """query ($filter: OpportunityFilter, $search: String, $orderBy: OpportunityOrder) {
    opportunities(filter: $filter, search: $search, orderBy: $orderBy, first: 100) {
        totalCount edges { cursor node { id } snippets { field parts { text marked } } }
        facets { commitments { value count } arrangements { value count } countries { value count }
            skills { skill { id } count } organisations { organisation { id } count } } } }"""
PREVIEW = """query ($rule: RuleInput) { eligibilityPreview(rule: $rule) {
    sentence eligible { value atMost } unknown { value atMost } ineligible { value atMost } } }"""


# --- What they look at


def test_every_filter_and_order_says_which_fields_it_looks_at() -> None:
    there: dict[str, set[str]] = {
        "attributes": set(ATTRIBUTES),
        "opportunity_attributes": set(OPPORTUNITY_ATTRIBUTES),
    }
    query: Any = SCHEMA.query_type
    todo = []
    for name in matrix().raw["lists"]:
        arguments = {key: one for key, one in query.fields[name].args.items() if key not in ("first", "after")}
        if arguments:
            there[name] = set(arguments)
            todo += [get_named_type(one.type) for one in arguments.values() if name in ("candidates", "opportunities")]
    while todo:
        type_ = todo.pop()
        if type_.name in there or type_.name not in FILTERS:
            continue
        if isinstance(type_, GraphQLEnumType):
            there[type_.name] = set(type_.values)
        elif isinstance(type_, GraphQLInputObjectType):
            there[type_.name] = set(type_.fields)
            todo += [get_named_type(one.type) for one in type_.fields.values()]
    assert there == {name: set(told) for name, told in FILTERS.items()}


def test_they_look_at_nothing_that_those_who_find_a_row_may_not_read() -> None:
    for told in FILTERS.values():
        for fields in told.values():
            for field in fields.split():
                if field in FILTERS or field == "refused":
                    continue
                type_name, _, name = field.partition(".")
                access = matrix().of(type_name, name)
                # What is one's own, or a list that holds what one may see, tells nobody else's.
                assert access.name == "row" or access.otherwise in ("known", "reached") or access.name == "mine", field


@pytest.mark.parametrize(
    "hidden",
    [
        {"vetted": {"check": "REFERENCES"}},
        {"attribute": {"name": "free_hours", "op": "GTE", "value": 1}},
        {"attribute": {"name": "groups", "op": "EXISTS", "value": True}},
        {"not": {"attribute": {"name": "groups", "op": "EXISTS", "value": False}}},
        {
            "any": [
                {"attribute": {"name": "weekly_hours", "op": "GTE", "value": 99}},
                {"vetted": {"check": "REFERENCES"}},
            ]
        },
    ],
)
def test_a_filter_that_would_look_at_more_is_refused(asking: Asking, hidden: dict[str, Any]) -> None:
    for principal in ("owner", "observer", "rival"):
        refused = asking(principal).refusal(PEOPLE, filter={"where": hidden})
        assert refused["code"] in ("FILTER_REFUSED", "INVALID_INPUT"), refused


# --- What they find


def values(world: World) -> dict[str, list[Any]]:
    """Something to ask of every filter of people and of rules, that some meet and others do not."""
    skill = global_id(world.skill)
    comparing = {
        "country": ("EQ", "DE"),
        "region": ("EQ", "DE-BE"),
        "timezone": ("EQ", "Europe/Berlin"),
        "utc_offset_minutes": ("GTE", 60),
        "years_experience": ("GTE", 5),
        "weekly_hours": ("GTE", 30),
        "hourly_rate": ("LTE", 30),
        "commitments": ("EQ", "full_time"),
        "available_from": ("LTE", "2028-01-01"),
        "groups": ("EQ", global_id(world.theirs.rows["group"])),
    }
    rules: list[dict[str, Any]] = [
        {"attribute": {"name": name, "op": op, "value": value}} for name, (op, value) in comparing.items()
    ]
    assert set(comparing) == {name for name, told in FILTERS["attributes"].items() if told != "refused"}
    one_by_one: dict[str, dict[str, Any]] = {
        "skill": {"skillId": skill, "minLevel": 2},
        "language": {"language": "de", "minLevel": "B1"},
        "workAuthorisation": {"country": "DE"},
        "livesIn": {"places": ["DE"]},
        "hoursOverlap": {"minutes": 60, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"},
        "rateWithinPay": {},
    }
    rules += [{name: told} for name, told in one_by_one.items()]
    rules += [{"all": rules[:2]}, {"any": rules[2:4]}, {"not": rules[4]}, {"atLeast": {"n": 1, "of": rules[5:7]}}]
    refused = {name for name, told in FILTERS["RuleInput"].items() if told == "refused"}
    assert {name for rule in rules for name in rule} == FILTERS["RuleInput"].keys() - refused
    return {
        "countries": [["DE"], ["US"]],
        "skillIds": [[skill]],
        "commitments": [["FULL_TIME"], ["VOLUNTEER"]],
        "minWeeklyHours": [40, 41],
        "openToOffers": [True, False],
        "where": rules,
    }


def asked_of_people(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that a recruiter may ask of people whom they have nothing to do with."""
    given = values(world)
    assert given.keys() == FILTERS["CandidateFilter"].keys()
    own = global_id(world.theirs.rows["open"])
    for name, some in given.items():
        for value in some:
            pay = {"fitFor": own} if value == {"rateWithinPay": {}} else {}
            yield PEOPLE, {"filter": {name: value}, **pay}
    for order in FILTERS["CandidateOrder"]:
        yield from ((PEOPLE, {"orderBy": order, "search": words, "fitFor": own}) for words in (None, "shipbuilder"))
    yield from ((PEOPLE, {"search": words}) for words in SECRETS)
    yield from ((PREVIEW, {"rule": rule}) for rule in given["where"] if rule != {"rateWithinPay": {}})


def answers(asker: Asker, asked: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    return [asker.ask(query, **variables) for query, variables in asked]


def changed_behind_the_curtain(world: World, person: Candidate) -> None:
    """Other values of all that is not open of a person, each as it would come to be."""
    now = world.now + timedelta(minutes=1)
    assert person.user is not None
    fields = CandidateFields(
        name="Trillian",
        phone="+49 30 4712",
        linkedin="https://www.linkedin.com/in/trillian",
        resume_text="Trillian flew, with Zaphod, to weave.",
        blocked_organisation_ids=[],
        experiences=[
            ExperienceInput(
                title="Shipbuilder",
                employer="Daughters",
                starts_on=person.experiences.get().starts_on,
                ends_on=None,
                description="Trillian flew.",
            )
        ],
    )
    update_candidate(actor=actor_of(person), candidate_id=person.public_id, fields=fields, now=now)
    person.experiences.update(occupation=world.occupation)
    user = User.objects.get(pk=person.user_id)
    user.name, user.email = "Trillian", "trillian@example.org"
    user.save(update_fields=["name", "email"])
    person.email = "tricia@example.org"
    person.save(update_fields=["email"])
    staff: Actor = actor_of(world.staff)
    record_vetting(actor=staff, candidate_id=person.public_id, kind="references", passed=True, now=now)
    group = create_group(
        actor=world.ours.owner.actor, organisation_id=world.ours.owner.organisation.public_id, name="Seen"
    )
    add_to_group(actor=world.ours.owner.actor, group_id=group.public_id, candidate_id=person.public_id, now=now)


def test_what_a_person_keeps_to_themselves_changes_nothing_in_what_a_stranger_finds(
    world: World, asking: Asking
) -> None:
    asked, rival, person = list(asked_of_people(world)), asking("rival"), world.people["found"]
    before = answers(rival, asked)
    found = {one["node"]["id"] for one in before[0]["candidates"]["edges"]}
    assert global_id(person) in found, "otherwise nothing is proven"
    changed_behind_the_curtain(world, person)
    work(world.now)
    copy(world.now)
    for (query, variables), was, now in zip(asked, before, answers(rival, asked), strict=True):
        assert now == was, (query.split("(")[0], variables)
        if variables.get("search") in SECRETS:
            assert now["candidates"]["totalCount"] == 0, variables


def asked_of_work(world: World, principal: str) -> Iterator[tuple[str, dict[str, Any]]]:
    given: dict[str, list[Any]] = {
        "states": [["DRAFT"], ["PUBLISHED"]],
        "commitments": [["FULL_TIME"], ["VOLUNTEER"]],
        "arrangements": [["ONSITE"], ["REMOTE"]],
        "countries": [["DE"], ["US"]],
        "skillIds": [[global_id(world.skill)], [global_id(world.craft)]],
        "organisationId": [global_id(world.theirs.owner.organisation)],
        "minWeeklyHours": [10, 39],
        "maxWeeklyHours": [10, 39],
        "minPay": [{"amount": "1", "currency": "EUR"}],
        "maxPay": [{"amount": "99999", "currency": "EUR"}],
        "postedSince": [world.now.isoformat()],
        "mine": [True, False],
        "where": [{"skill": {"skillId": global_id(world.craft)}}, {"offeredIn": ["DE"]}],
    }
    assert given.keys() == FILTERS["OpportunityFilter"].keys() - {"eligibleOnly"}  # a verdict is for the person judged
    for name, some in given.items():
        if name != "mine" or principal != "anonymous":
            yield from ((WORK, {"filter": {name: value}}) for value in some)
    for order in FILTERS["OpportunityOrder"].keys() - {"FIT"}:
        yield WORK, {"orderBy": order}
    yield from ((WORK, {"search": words}) for words in ("draft", "secret craft", "weaver", "weaving"))


@pytest.mark.parametrize("principal", ["anonymous", "owner"])
def test_what_an_organisation_has_not_published_changes_nothing_in_what_others_find(
    world: World, asking: Asking, principal: str
) -> None:
    asked, side = list(asked_of_work(world, principal)), world.theirs
    before = answers(asking(principal), asked)
    fields = OpportunityFields(
        title="Weaver", description="Weaving.", weekly_hours=39, commitment="volunteer", arrangement="remote",
        skills=[SkillTermInput(world.craft.public_id)],
    )  # fmt: skip
    with transaction.atomic():
        for hidden in ("draft", "unlisted", "invited only"):
            update_opportunity(
                actor=side.owner.actor,
                opportunity_id=side.rows[hidden].public_id,
                fields=fields,
                now=world.now + timedelta(minutes=1),
            )
    copy(world.now)
    for (_, variables), was, now in zip(asked, before, answers(asking(principal), asked), strict=True):
        assert now == was, variables
